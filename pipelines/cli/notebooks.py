"""`retention notebooks`: run notebooks on the newest finished run, or renew the outputs that stand in their files."""

import json
import time
from typing import Annotated

import typer

from pipelines.cli.app import DEFAULT_SHOP, JsonOption, LakeOption, ShopOption, app


@app.command("notebooks", epilog="Example: retention notebooks 02 07 --shop uk_gift_shop")
def notebooks(
    names: Annotated[
        list[str] | None, typer.Argument(help="Names or numbers of notebooks. Default: all.")
    ] = None,
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    renew: Annotated[
        bool,
        typer.Option("--renew", help="Write the outputs into the .ipynb files too, without times and noise."),
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Run notebooks on the newest finished run and keep their pages; exit 1 if one fails.

    The project's stand in notebooks/, a shop's own in notebooks/ beside its shop.toml, both numbered: 09_mine.ipynb.
    What did not change since it last ran is not run again.
    """
    started = time.perf_counter()
    from pipelines.cli.progress import NotebookProgress
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.notebooks.files import chosen
    from pipelines.notebooks.night import run_notebooks
    from pipelines.notebooks.renew import renew as renew_files
    from pipelines.shop import Shop
    from pipelines.snapshots import newest_snapshot

    opened = Shop.open(shop)
    found = Lake.open(find_lake_folder(opened.name, lake), opened.name)
    wanted = chosen(opened, names or [])
    snapshot = newest_snapshot(found)
    with found.lock("retention notebooks"), NotebookProgress(len(wanted)) as progress:
        outcomes, executed = run_notebooks(opened, found, snapshot, wanted, progress, even_unchanged=renew)
    renewed = renew_files(wanted, executed, [found.root, opened.folder]) if renew else []
    if as_json:
        told = [
            {
                "notebook": one.name,
                "status": one.status,
                "error": one.error,
                "seconds": one.seconds,
                "was_unchanged": one.was_unchanged,
                "was_renewed": one.name in renewed,
                "page": str(one.page),
            }
            for one in outcomes
        ]
        seconds = round(time.perf_counter() - started, 1)
        typer.echo(
            json.dumps({"snapshot": snapshot.snapshot_id, "seconds": seconds, "notebooks": told}, indent=1)
        )
    else:
        typer.echo(f"{opened.title}, as of {snapshot.as_of} (snapshot {snapshot.snapshot_id})")
        for one in outcomes:
            became = f"failed: {one.error}" if one.error else "unchanged" if one.was_unchanged else "ok"
            file = ", file renewed" if one.name in renewed else ""
            typer.echo(f"  {one.name:<28} {one.seconds:>6.1f} s  {became}{file}  {one.page}")
        typer.echo(f"Took {time.perf_counter() - started:.1f} s.")
    if any(one.error for one in outcomes):
        typer.echo(
            "At least one failed; its page shows the cell. Open it with `retention lab`. The finished run stands.",
            err=True,
        )
        raise typer.Exit(1)
