"""The command line's frame: the application that commands are added to, and options that many share."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="retention",
    help="From a shop's orders, returns and surveys to retention numbers, predictions and lists.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)

ShopOption = Annotated[
    str,
    typer.Option(
        "--shop",
        envvar="RETENTION_SHOP",
        help="Folder or shop.toml, a name in $RETENTION_SHOPS_DIR, or a bundled sample.",
    ),
]
LakeOption = Annotated[
    Path | None,
    typer.Option(
        "--lake", help="Folder of the tables. Default: $RETENTION_LAKE, else lake/SHOP beside workspace.yaml."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]

DEFAULT_SHOP = "uk_gift_shop"
