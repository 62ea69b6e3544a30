"""`retention lists`, `download`, `rebuild`: what marketing takes away."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app
from pipelines.cli.who import who

if TYPE_CHECKING:
    from pipelines.lab import Lab

STEP_WORDS = {
    "suppressed": "suppressed",
    "not_eligible": "not eligible",
    "no_consent": "without consent",
    "open_case": "with an open case",
    "capped": "written to enough",
    "held_out": "held out",
    "undeliverable": "without address",
}
ListArgument = Annotated[
    str, typer.Argument(metavar="LIST", help="List id, or the name of a list for its newest.")
]


@app.command(
    "lists",
    epilog="Example: retention lists --shop uk_gift_shop; why 12345 is on none: retention lists --why 12345",
)
def lists(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    why: Annotated[
        str | None,
        typer.Option(
            "--why",
            metavar="CUSTOMER",
            help="Say of one customer (number, e-mail, phone, key) on which lists and why.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show the newest lists: people, hold-out, what the gate took out, what can be measured."""
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    if why is not None:
        _tell_why(lab, why, as_json=as_json)
        return
    campaigns = lab.read("campaign_lists").sort("name").collect()
    overlaps = lab.read("list_overlaps").sort("customers", "list_id", descending=[True, False]).collect()
    if as_json:
        told = [row | {"overlaps": _shared_with(row["list_id"], overlaps)} for row in campaigns.to_dicts()]
        typer.echo(json.dumps(told, indent=1, default=str))
        return
    if campaigns.is_empty():
        typer.echo(f"{lab.shop.title} has no lists. Add [[lists]] to shop.toml and run `retention run`.")
    for row in campaigns.iter_rows(named=True):
        _tell_list(row)
    for row in overlaps.head(3).iter_rows(named=True):
        typer.echo(
            f"{row['customers']:,} people, the held out included, are on both {row['list_id']} and "
            f"{row['other_list_id']}"
        )


def _shared_with(list_id: str, overlaps: pl.DataFrame) -> dict[str, int]:
    """How many people a list shares with each other one."""
    both = overlaps.filter((pl.col("list_id") == list_id) | (pl.col("other_list_id") == list_id))
    other = pl.when(pl.col("list_id") == list_id).then("other_list_id").otherwise("list_id")
    return dict(both.select(other.alias("other"), "customers").sort("other").iter_rows())


def _tell_list(row: dict[str, Any]) -> None:
    """One list in four lines."""
    lift = row["detectable_lift"]
    typer.echo(f"{row['list_id']}: {row['title']} ({row['purpose']}, {row['channel']})")
    steps = " - ".join(f"{row[step]:,} {words}" for step, words in STEP_WORDS.items())
    typer.echo(f"  {row['everyone']:,} customers - {steps} = {row['deliverable']:,} in the file")
    detects = (
        "no lift can be shown"
        if lift is None
        else f"+{100 * lift:.1f} points on {100 * row['base_rate']:.1f} %"
    )
    expires = (
        "does not expire (sample)"
        if row["expires_at"] is None
        else f"expires {row['expires_at']:%Y-%m-%d %H:%M} UTC"
    )
    typer.echo(f"  rule: {row['rule']}; detectable: {detects}; {expires}")


def _tell_why(lab: "Lab", customer: str, *, as_json: bool) -> None:
    from pipelines.delivery.why import why

    found = why(lab.shop, lab.lake, customer)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=1))
        return
    for one in found:
        on = {"deliverable": "on it", "held_out": "held out"}.get(one.step, "not on it")
        typer.echo(f"{one.list_id}: {on}: {one.says}")


@app.command(
    "download", epilog="Example: retention download win_back_valuable --platform external_id --to out/"
)
def download(
    name: ListArgument,
    platform: Annotated[
        str,
        typer.Option("--platform", help="For whom: external_id, klaviyo ... or reading (for people)."),
    ] = "external_id",
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")] = Path(),
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Write a list's file, without who has ordered or opted out since, and note it in the ledger."""
    from pipelines.delivery import handout
    from pipelines.delivery.stored import find_list
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    made = handout.download(lab.shop, lab.lake, name, platform, to, who(), datetime.now(UTC))
    typer.echo(f"{made.path}: {made.rows:,} people, {made.dropped:,} dropped since the list was made")
    if without := find_list(lab.lake, name).files[platform].get("dropped"):
        typer.echo(f"{without:,} more are on the list and have no address that {platform} takes")
    typer.echo(f"sha256 {made.sha256}")


@app.command("rebuild", epilog="Example: retention rebuild win_back_valuable-2011-12-09 --to out/")
def rebuild(
    name: ListArgument,
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")] = Path(),
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Build a list's files again from its snapshot; they have the same bytes as when the list was made."""
    from pipelines.delivery import handout
    from pipelines.delivery.stored import find_list
    from pipelines.lab import Lab
    from pipelines.privacy.erasure import erased_since

    lab = Lab.open(shop=shop, lake=lake)
    for made in handout.rebuild(lab.shop, lab.lake, name, to):
        same = "the same bytes as when it was made" if made.is_as_built else "NOT the bytes it was made with"
        typer.echo(f"{made.path}: {made.rows:,} people, {same}, sha256 {made.sha256}")
        if not made.is_as_built:
            if erased_since(lab.lake, find_list(lab.lake, name).snapshot.finished_at):
                typer.echo(
                    "A person was erased since: what the files held is gone. The ledger still has counts."
                )
            raise typer.Exit(1)
