"""`retention check`: what is right and wrong with what lies ready, before anything is taken in."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import polars as pl
import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app

WAITING_SHOWN = 20


@app.command(
    "check",
    epilog="Example: retention check --shop my_shop/ · what waits in the lake: retention check --quarantine",
)
def check(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="List the rows that wait in the lake's quarantine instead.")
    ] = False,
    examples: Annotated[int, typer.Option("--examples", min=0, help="Rows shown per broken rule.")] = 3,
    as_json: JsonOption = False,
) -> None:
    """Read and validate every delivery that lies ready without writing; exit 1 if one would be blocked."""
    from pipelines.shop import Shop

    opened = Shop.open(shop)
    if quarantine:
        _tell_waiting(opened, lake, as_json)
        return
    from pipelines.delivery.lists import check_lists
    from pipelines.own_models.trial import check_models
    from pipelines.rehearsal import rehearse

    check_lists(opened)
    models = check_models(opened)
    found = rehearse(opened, datetime.now(UTC), examples)
    if as_json:
        told = {
            "deliveries": found.deliveries.to_dicts(),
            "rules": found.rules.to_dicts(),
            "blocked": found.blocked.to_dicts(),
            "examples": [asdict(example) for example in found.examples],
            "unreadable": found.unreadable,
            "untaken": [str(file) for file in found.untaken],
            "would_block": found.would_block,
            "models": models,
        }
        typer.echo(json.dumps(told, indent=1, default=str))
    else:
        _tell_files(found.deliveries)
        _tell_rules(found)
        for name in models:
            typer.echo(f"Model {name} can be loaded; `retention backtest` tells how well it foretells.")
        _tell_verdict(found)
    raise typer.Exit(1 if found.would_block else 0)


def _tell_files(deliveries: pl.DataFrame) -> None:
    for row in deliveries.iter_rows(named=True):
        part = f" [{row['part']}]" if row["part"] else ""
        typer.echo(
            f"{row['file_name']}{part} -> {row['table']} (source {row['source']}): {row['rows']:,} rows = "
            f"{row['accepted']:,} accepted + {row['quarantined']:,} quarantined + {row['replayed']:,} replayed"
        )
        if row["notes"]:
            typer.echo(f"  {row['notes']}")
        if row["unknown_columns"]:
            typer.echo(f"  not used: {row['unknown_columns'].replace(',', ', ')}")


def _tell_rules(found: Any) -> None:
    from rich.console import Console
    from rich.table import Table

    broken = found.rules.filter(pl.col("failed") > 0)
    kept = found.rules.height - broken.height
    typer.echo("")
    if broken.height:
        table = Table(
            "table", "rule", "severity", "failed", "of", "says", title="Broken rules", title_justify="left"
        )
        for row in broken.iter_rows(named=True):
            table.add_row(
                row["table"],
                row["rule"],
                row["severity"],
                f"{row['failed']:,}",
                f"{row['checked']:,}",
                row["says"],
            )
        Console().print(table)
        for one in found.examples:
            value = "" if one.value is None else f": {one.value}"
            typer.echo(f"  {one.file_name}, {one.place}: {one.rule} ({one.severity}){value}")
        typer.echo("")
    if found.deliveries.height:
        typer.echo(f"{kept} of {found.rules.height} rules are kept by every row.")


def _tell_verdict(found: Any) -> None:
    for told in found.unreadable:
        typer.echo(f"Cannot be taken: {told}", err=True)
    for row in found.blocked.iter_rows(named=True):
        typer.echo(
            f"Would be blocked: {row['delivery_id']}: rule {row['rule']} fails on {row['failed']:,} of "
            f"{row['rows']:,} rows. Correct the file or its mapping in shop.toml.",
            err=True,
        )
    for file in found.untaken:
        typer.echo(
            f"No source takes {file}. If it is a delivery, let a source's `path` in shop.toml match it."
        )
    if not found.would_block:
        typer.echo(
            "Everything that lies ready can be taken in, but for the rows set aside. Nothing was written."
        )


def _tell_waiting(shop: Any, lake: Any, as_json: bool) -> None:
    from pipelines.assets.landing import connected_tables
    from pipelines.ingest.waiting import waiting
    from pipelines.lake import Lake, find_lake_folder

    opened = Lake.open(find_lake_folder(shop.name, lake), shop.name)
    rows = {
        table: waiting(
            opened.scan(f"{table}_quarantine"),
            opened.scan(f"valid_{table}"),
            opened.scan("deliveries"),
            table,
        ).collect()
        for table in connected_tables(shop)
    }
    if as_json:
        typer.echo(
            json.dumps({table: found.to_dicts() for table, found in rows.items()}, indent=1, default=str)
        )
        return
    if not any(found.height for found in rows.values()):
        typer.echo("No row waits in quarantine.")
    for table, found in rows.items():
        if found.height:
            typer.echo(f"{table}: {found.height:,} rows wait for a corrected delivery or mapping")
        shown = found.head(WAITING_SHOWN)
        places = _places(shop, opened, shown)
        for row in shown.iter_rows(named=True):
            place = places.get((row["delivery_id"], row["row_number"]), f"row {row['row_number']}")
            typer.echo(f"  {row['file_name']}, {place}: {row['rules'].replace(',', ', ')}")
        if found.height > WAITING_SHOWN:
            typer.echo(f"  ... and {found.height - WAITING_SHOWN:,} more (--json lists all)")


def _places(shop: Any, lake: Any, shown: pl.DataFrame) -> dict[tuple[str, int], str]:
    """Say where in their files rows stand, read from the copies that the lake keeps."""
    from pathlib import Path

    from pipelines.errors import LabError
    from pipelines.sources.arrivals import look, source_name

    sources = {source.name: source for source in shop.sources}
    found: dict[tuple[str, int], str] = {}
    for (delivery_id, kept), rows in shown.group_by("delivery_id", "kept_file"):
        try:
            arrived = look(shop, sources[source_name(delivery_id)], lake.root / "landed" / kept, Path(kept))
        except (
            LabError,
            KeyError,
            OSError,
        ):  # the settings or the copy have gone since: the row's number must do
            continue
        for arrival in arrived:
            if arrival.delivery_id == delivery_id:
                places = arrival.places(rows["row_number"].to_list())
                found |= {(delivery_id, number): place for number, place in places.items()}
    return found
