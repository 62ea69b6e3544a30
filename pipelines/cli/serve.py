"""`retention lab` and `retention dev`: open JupyterLab or Dagster's page on a shop."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipelines.cli.app import DEFAULT_SHOP, LakeOption, ShopOption, app
from pipelines.errors import LabError, LakeError

PortOption = Annotated[int, typer.Option("--port", help="Port on this machine.")]


@app.command("lab", epilog="Example: retention lab --shop uk_gift_shop")
def lab(
    shop: ShopOption = DEFAULT_SHOP,
    lake: LakeOption = None,
    port: PortOption = 8888,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,
) -> None:
    """Open JupyterLab in notebooks/ with the shop chosen."""
    from pipelines.lake import find_lake_folder
    from pipelines.notebooks import notebook_folder
    from pipelines.shop import Shop

    opened = Shop.open(shop)
    folder = notebook_folder()
    if folder is None:
        raise LabError("There is no folder notebooks/ beside the program. Use a checkout of the project.")
    root = find_lake_folder(opened.name, lake)
    environment = os.environ | {"RETENTION_SHOP": str(opened.folder), "RETENTION_LAKE": str(root)}
    # News and update checks would call out; a lab works without a network.
    quiet = [
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--notebook-dir={folder}",
        f"--port={port}",
        "--ip=127.0.0.1",
        *quiet,
    ]
    _serve([*command, *([] if browser else ["--no-browser"])], environment, folder)


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


def _serve(command: list[str], environment: dict[str, str], folder: Path) -> None:
    """Run a server until it is stopped; its exit code is ours."""
    finished = subprocess.run(command, env=environment, cwd=folder, check=False)
    if finished.returncode:
        raise typer.Exit(1)
