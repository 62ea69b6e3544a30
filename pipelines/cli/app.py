"""The command line's frame: options that many commands share, and how faults are told.

0 is success, 1 a fault that the message explains, 2 wrong usage.
"""

import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from data_contracts import ContractError
from pipelines.errors import LabError

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
# Typer may bring a Click of its own, so the class is asked of Typer and not of Click.
WRONG_USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


def main() -> NoReturn:
    """Run the command line."""
    from pipelines.cli import lists, read, run, serve  # noqa: F401  # each adds its commands

    warnings.simplefilter("ignore")
    try:
        code = app(standalone_mode=False)
    except typer.Abort:
        _tell("Stopped.")
        sys.exit(1)
    except KeyboardInterrupt:
        _tell("Stopped. The newest finished run is as it was; run again to go on.")
        sys.exit(1)
    except Exception as error:
        sys.exit(_explain(error))
    # Outside its standalone mode the frame returns the code of an Exit, and nothing of a command that ends.
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: Exception) -> int:
    """Tell a fault in plain words and return the exit code."""
    from models.errors import ModelError

    if isinstance(error, WRONG_USAGE):
        error.show()
        return error.exit_code
    known = next(
        (cause for cause in _causes(error) if isinstance(cause, LabError | ContractError | ModelError)), None
    )
    if known is not None:
        _tell(str(known))
        return 1
    log = Path(tempfile.gettempdir()) / f"retention-fault-{os.getpid()}.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    _tell(
        f"An unexpected fault: {type(error).__name__}. The newest finished run is as it was. Details: {log}"
    )
    return 1


def _causes(error: BaseException) -> list[BaseException]:
    """An error and everything that led to it; Dagster wraps what a step raises."""
    found: list[BaseException] = []
    current: BaseException | None = error
    while current is not None and current not in found:
        found.append(current)
        current = getattr(current, "user_exception", None) or current.__cause__ or current.__context__
    return found


def _tell(message: str) -> None:
    typer.echo(message, err=True)
