"""`retention lab` and `retention dev`: open JupyterLab or Dagster's page on a shop."""

import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from pipelines.cli.app import DEFAULT_SHOP, LakeOption, ShopOption, app
from pipelines.errors import LabError, LakeError

DEFAULTS = Path(__file__).resolve().parents[1] / "notebooks" / "jupyterlab"
"""Settings of JupyterLab that hold where a person has chosen none: it does not ask whether news are wanted."""
QUIET = (
    "--ip=127.0.0.1",
    # News, checks for a newer version and the list of extensions would call out; a lab works without a network.
    "--LabApp.news_url=None",
    f"--LabApp.app_settings_dir={DEFAULTS}",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
    # Whoever is root here, as in a container, has chosen so; the server refuses otherwise.
    "--allow-root",
)
PortOption = Annotated[int, typer.Option("--port", help="Port on this machine.")]


@app.command("lab", epilog="Example: retention lab --shop uk_gift_shop")
def lab(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    port: PortOption = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Another folder than notebooks/, such as the shop's own.")
    ] = None,
) -> None:
    """Open JupyterLab in notebooks/ with the shop chosen. It listens on this machine alone and asks no other."""
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.notebooks.files import notebook_files, notebook_folder
    from pipelines.notebooks.trust import trust
    from pipelines.shop import Shop
    from pipelines.snapshots import newest_snapshot

    opened = Shop.open(shop)
    opens = notebook_folder() if folder is None else folder.expanduser().resolve()
    if opens is None or not opens.is_dir():
        told = (
            "no folder notebooks/ beside the program; use a checkout"
            if opens is None
            else f"no folder {opens}"
        )
        raise LabError(f"There is {told}, or name one with --folder.")
    root = find_lake_folder(opened.name, lake)
    try:
        newest_snapshot(Lake.open(root, opened.name))
    except LakeError as error:
        typer.echo(f"{error} Until then notebooks find nothing to read.", err=True)
    trust(notebook_files())
    chosen = {"RETENTION_SHOP": str(opened.folder), "RETENTION_LAKE": str(root)}
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={opens}", f"--port={port}", *QUIET]
    _serve([*command, *([] if browser else ["--no-browser"])], os.environ | chosen, opens)


@app.command("dev", epilog="Example: RETENTION_SHOPS=uk_gift_shop retention dev --port 3000")
def dev(port: PortOption = 3000, lake: LakeOption = None) -> None:
    """Open Dagster's page on every shop of $RETENTION_SHOPS, with schedules and asset checks."""
    from pipelines.definitions import shops_of_the_deployment
    from pipelines.lake import Lake, find_lake_folder
    from pipelines.run import prepare_dagster_home
    from pipelines.shop import Shop

    shops = [Shop.open(name) for name in shops_of_the_deployment()]
    if lake is not None and len(shops) > 1:
        raise LakeError("--lake names one lake, and $RETENTION_SHOPS names several shops. Leave --lake out.")
    root = find_lake_folder(shops[0].name, lake)
    Lake.make(root, shops[0].name)
    home = prepare_dagster_home(root)
    environment = os.environ | {"DAGSTER_HOME": str(home)} | ({"RETENTION_LAKE": str(root)} if lake else {})
    command = [sys.executable, "-m", "dagster", "dev", "-m", "pipelines.definitions", "-a", "defs"]
    _serve([*command, "-h", "127.0.0.1", "-p", str(port)], environment, Path.cwd())


def _serve(command: list[str], environment: dict[str, str], folder: Path) -> NoReturn:
    """Become the server, so that whoever stops this process stops it."""
    os.chdir(folder)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(command[0], command, environment)
