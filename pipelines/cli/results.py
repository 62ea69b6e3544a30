"""`retention results`: what campaigns changed, and noting when a list was sent or that it was not used."""

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app
from pipelines.cli.who import who
from pipelines.errors import LabError

if TYPE_CHECKING:
    from pipelines.lab import Lab

OUTCOMES = {
    "ordered": "ordered",
    "orders": "orders",
    "net_revenue": "net revenue",
    "returned_value": "sent back",
    "unsubscribed": "unsubscribed",
}
"""Outcomes in the order they are shown, with their names for people."""
ABOUT = (
    "as_of", "campaign", "title", "source", "channel", "state", "verdict", "says", "started_on", "window_days",
    "closes_on", "days_left", "lists", "lists_used", "delivered", "held_out", "is_small",
)  # fmt: skip
"""Columns that are the same for every outcome of a campaign."""


class ResultsError(LabError):
    """There is no such campaign or list, or what was said of one cannot be."""


@app.command(
    "results",
    epilog="Example: retention results --sent win_back_valuable-2011-09-30 --on 2011-10-02, and after the next run "
    "retention results win_back_valuable",
)
def results(
    campaign: Annotated[
        str | None,
        typer.Argument(metavar="CAMPAIGN", help="A campaign, or the name of its list. Default: all."),
    ] = None,
    sent: Annotated[
        str | None,
        typer.Option("--sent", metavar="LIST", help="Note that this list was sent, on the day --on."),
    ] = None,
    on: Annotated[
        datetime | None, typer.Option("--on", formats=["%Y-%m-%d"], help="The day of sending, with --sent.")
    ] = None,
    not_used: Annotated[
        str | None, typer.Option("--not-used", metavar="LIST", help="Note that this list was not used.")
    ] = None,
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what each campaign changed: people written to against people held out by lot."""
    if sent and not_used:
        raise typer.BadParameter("A list was either sent or not used.", param_hint="--sent / --not-used")
    if (sent is None) != (on is None):
        raise typer.BadParameter("They belong together: --sent LIST --on DAY.", param_hint="--sent / --on")
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    if noted := sent or not_used:
        _note(lab, noted, on.date() if on else None)
        return
    found = _found(lab, campaign)
    if as_json:
        typer.echo(json.dumps([_facts(rows) for rows in found], indent=1, default=str))
    elif not found:
        typer.echo(
            f"{lab.shop.title} had no campaign by {lab.as_of}. Add [[lists]] to shop.toml and run `retention run`."
        )
    else:
        _show(found, with_numbers=campaign is not None)


def _note(lab: "Lab", name: str, sent_on: date | None) -> None:
    from pipelines.records.ledger import Ledger
    from pipelines.records.sending_day import check_sending_day

    now = datetime.now(UTC)
    entry = _list_of(lab, name)
    today = now.astimezone(lab.shop.zone).date()
    if sent_on is not None:
        check_sending_day(entry["list_id"], entry["as_of"], sent_on, today)
    state = "not_used" if sent_on is None else "sent"
    Ledger.of(lab.lake.root).note(entry["list_id"], state, sent_on, who(), now)
    what = "was not used" if sent_on is None else f"was sent on {sent_on}"
    typer.echo(f"Noted: {entry['list_id']} {what}. The next `retention run` counts it so.")


def _list_of(lab: "Lab", name: str) -> dict[str, Any]:
    """Find a list by id, or the newest of a name."""
    lists = (
        lab.read("campaign_lists", "all").select("as_of", "list_id", "name").sort("as_of", "name").collect()
    )
    found = lists.filter((pl.col("list_id") == name) | (pl.col("name") == name))
    if found.is_empty():
        known = ", ".join(lists["list_id"].tail(10)) or "none"
        raise ResultsError(f"There is no list {name!r}. The newest are: {known}. Give one of these.")
    return found.row(-1, named=True)


def _found(lab: "Lab", campaign: str | None) -> list[list[dict[str, Any]]]:
    """Rows of each campaign in the order of outcomes, the campaigns that started last first."""
    from pipelines.delivery.contact_cap import used_lists
    from pipelines.delivery.used_since import with_uses_since
    from pipelines.records.ledger import Ledger

    used = used_lists(*Ledger.read(lab.lake.root), lab.shop.zone)
    lists = lab.read("campaign_lists", "all").select("list_id", "campaign").collect()
    rows = with_uses_since(lab.read("campaign_results").sort("campaign").collect(), lists, used)
    if campaign is not None:
        chosen = rows.filter((pl.col("campaign") == campaign) | (pl.col("list_name") == campaign))
        if chosen.is_empty():
            known = ", ".join(rows["campaign"].unique().sort()) or "none"
            raise ResultsError(f"There is no campaign {campaign!r}. Known: {known}. Give one of these.")
        rows = chosen
    order = {name: position for position, name in enumerate(OUTCOMES)}
    of_campaigns = [
        sorted(part.to_dicts(), key=lambda row: order[row["outcome"]])
        for part in rows.partition_by("campaign", maintain_order=True)
    ]
    return sorted(of_campaigns, key=lambda part: part[0]["started_on"] or date.min, reverse=True)


def _facts(rows: list[dict[str, Any]]) -> dict[str, Any]:
    about = {name: rows[0][name] for name in ABOUT}
    outcomes = {
        row["outcome"]: {
            name: value for name, value in row.items() if name not in (*ABOUT, "outcome", "list_name")
        }
        for row in rows
    }
    return {**about, "outcomes": outcomes}


def _show(found: list[list[dict[str, Any]]], *, with_numbers: bool) -> None:
    for rows in found:
        row = rows[0]
        started = f", from {row['started_on']} on" if row["started_on"] else ""
        typer.echo(f"{row['campaign']}: {row['title']}{started}")
        typer.echo(f"  {row['says']}")
        if with_numbers and row["state"] == "closed":
            _table(rows)


def _table(rows: list[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table

    # Wide enough for the widest table, so that a pipe gets whole lines.
    console = Console(width=max(Console().width, 110), highlight=False)
    table = Table("per person", "written to", "held out", "difference (95 %)", "in all (95 %)")
    for row in rows:
        table.add_row(
            _name(row),
            _number(row, row["delivered_mean"]),
            _number(row, row["held_out_mean"]),
            _difference(row),
            _in_all(row),
        )
    console.print(table)
    typer.echo(
        "  Differences at equal orders, or net revenue, of the year before; the plain ones with --json."
    )


def _name(row: dict[str, Any]) -> str:
    currency = row["unit"].removesuffix(" per person")
    is_money = row["outcome"] in ("net_revenue", "returned_value")
    return OUTCOMES[row["outcome"]] + (f", {currency}" if is_money else "")


def _number(row: dict[str, Any], value: float | None) -> str:
    if value is None:
        return "-"
    return f"{100 * value:.2f} %" if row["unit"] == "share" else f"{value:,.3f}"


def _difference(row: dict[str, Any]) -> str:
    prefix = "" if row["adjusted_difference"] is None else "adjusted_"
    value, low, high = (row[prefix + name] for name in ("difference", "low", "high"))
    if low is None:
        return _number(row, value)
    return f"{_number(row, value)} ({_number(row, low)} to {_number(row, high)})"


def _in_all(row: dict[str, Any]) -> str:
    if row["incremental_low"] is None:
        return "-"
    return f"{row['incremental']:,.0f} ({row['incremental_low']:,.0f} to {row['incremental_high']:,.0f})"
