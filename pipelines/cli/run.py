"""`retention run`: the main job, with progress on a terminal and a summary at the end."""

import json
import time
from datetime import date, datetime
from typing import Annotated

import typer

from pipelines.assets.step import Stage
from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app
from pipelines.notebooks.files import Which


@app.command("run", epilog="Example: retention run --shop uk_gift_shop --as-of 2011-06-30")
def run(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    as_of: Annotated[
        datetime | None,
        typer.Option("--as-of", formats=["%Y-%m-%d"], help="Last day included. Default: the newest order's."),
    ] = None,
    from_stage: Annotated[
        Stage, typer.Option("--from", help="Start at this stage, with the tables before it as they are.")
    ] = Stage.LANDING,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and change nothing.")
    ] = False,
    refit: Annotated[
        bool, typer.Option("--refit", help="Fit and back-test the models now, not when their week is over.")
    ] = False,
    notebooks: Annotated[
        Which, typer.Option("--notebooks", help="Which notebooks to run on what was published.")
    ] = Which.FIRST,
    as_json: JsonOption = False,
) -> None:
    """Take deliveries in, compute everything, write the lists. Safe to repeat: what did not change is skipped."""
    started = time.perf_counter()
    from pipelines.cli.progress import TerminalProgress
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.run import plan_run, run_shop
    from pipelines.shop import Shop
    from pipelines.summary import summarise

    opened = Shop.open(shop)
    root = find_lake_folder(opened.name, lake)
    day: date | None = as_of.date() if as_of else None
    plan = plan_run(opened, root, day, from_stage, notebooks=notebooks)
    if dry_run:
        for arrival in plan.ready:
            state = "known, all rows are replays" if arrival.delivery_id in plan.known else "new"
            part = f" [{arrival.part}]" if arrival.part else ""
            typer.echo(f"{arrival.source.table}: {arrival.path.name}{part} ({arrival.source.name}): {state}")
        for source in opened.sources:
            if source.database is not None:
                typer.echo(
                    f"{source.table}: ${source.database.address_from} ({source.name}): asked by the run"
                )
        typer.echo(
            f"Then publish {opened.title} for {plan.as_of or 'the day of its newest order'} into {root}"
            f"{', with models fitted anew' if refit else ''}, and run {len(plan.notebooks)} notebook(s) on it."
        )
        return
    with TerminalProgress(opened, from_stage, notebooks=len(plan.notebooks)) as progress:
        snapshot = run_shop(opened, root, plan, progress, refit=refit)
    summary = summarise(opened, Lake.open(root), snapshot, time.perf_counter() - started)
    typer.echo(json.dumps(summary.facts, indent=1, default=str) if as_json else summary.text)
