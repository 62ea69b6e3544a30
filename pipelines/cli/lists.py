"""`retention lists`, `download`, `rebuild`: what marketing takes away."""

import getpass
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app

ListArgument = Annotated[
    str, typer.Argument(metavar="LIST", help="List id, or the name of a list for its newest.")
]


@app.command("lists", epilog="Example: retention lists --shop uk_gift_shop")
def lists(shop: ShopOption = DEFAULT_SHOP, lake: LakeOption = None, as_json: JsonOption = False) -> None:
    """Show the newest lists: people, hold-out, what the gate took out, what can be measured."""
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    campaigns = lab.read("campaign_lists").sort("name").collect()
    if as_json:
        typer.echo(json.dumps(campaigns.to_dicts(), indent=1, default=str))
        return
    if campaigns.is_empty():
        typer.echo(f"{lab.shop.title} has no lists. Add [[lists]] to shop.toml and run `retention run`.")
    for row in campaigns.iter_rows(named=True):
        lift = row["detectable_lift"]
        typer.echo(f"{row['list_id']}: {row['title']} ({row['purpose']}, {row['channel']})")
        typer.echo(
            f"  {row['everyone']:,} customers - {row['suppressed']:,} suppressed "
            f"- {row['not_eligible']:,} not eligible "
            f"- {row['no_consent']:,} without consent - {row['held_out']:,} held out "
            f"- {row['undeliverable']:,} without "
            f"address = {row['deliverable']:,} in the file"
        )
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


@app.command(
    "download", epilog="Example: retention download win_back_valuable --platform external_id --to out/"
)
def download(
    name: ListArgument,
    platform: Annotated[
        str, typer.Option("--platform", help="external_id (to upload) or reading (for people).")
    ] = "external_id",
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")] = Path(),
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Write a list's file, without who has ordered or opted out since, and note it in the ledger."""
    from pipelines.delivery import handout
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    made = handout.download(lab.shop, lab.lake, name, platform, to, _who(), datetime.now(UTC))
    typer.echo(f"{made.path}: {made.rows:,} people, {made.dropped:,} dropped since the list was made")
    typer.echo(f"sha256 {made.sha256}")


def _who() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user may have a number and no name
        return f"user {os.getuid()}"


@app.command("rebuild", epilog="Example: retention rebuild win_back_valuable-2011-12-09 --to out/")
def rebuild(
    name: ListArgument,
    to: Annotated[Path, typer.Option("--to", help="Folder to write into.")] = Path(),
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
) -> None:
    """Build a list's files again from its snapshot; they have the same bytes as when the list was made."""
    from pipelines.delivery import handout
    from pipelines.lab import Lab

    lab = Lab.open(shop=shop, lake=lake)
    for made in handout.rebuild(lab.shop, lab.lake, name, to):
        same = "the same bytes as when it was made" if made.is_as_built else "NOT the bytes it was made with"
        typer.echo(f"{made.path}: {made.rows:,} people, {same}, sha256 {made.sha256}")
        if not made.is_as_built:
            raise typer.Exit(1)
