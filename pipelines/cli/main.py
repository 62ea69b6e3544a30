"""Run the command line, and tell faults: 0 is success, 1 a fault that the message explains, 2 wrong usage."""

import errno
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any, NoReturn

import typer

from data_contracts import ContractError
from pipelines.cli import (  # noqa: F401  # each adds its commands
    backtest,
    check,
    init,
    lists,
    notebooks,
    portal,
    privacy,
    read,
    results,
    run,
    serve,
    simulate,
)
from pipelines.cli.app import app
from pipelines.errors import LabError

# Typer may bring a Click of its own, so the class is asked of Typer and not of Click.
WRONG_USAGE: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")


NO_SPACE = (
    "No space left on device",
    "Disk quota exceeded",
    "File too large",
    "database or disk is full",
    "disk I/O error",
)
"""What the system and SQLite say when nothing more can be written."""


def main() -> NoReturn:
    """Run the command line."""
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
        usage: Any = error
        usage.show()
        return usage.exit_code
    known = next(
        (cause for cause in _causes(error) if isinstance(cause, LabError | ContractError | ModelError)), None
    )
    if any(_is_full_disk(cause) for cause in _causes(error)):
        _tell(
            "There is no space left where the lake or its temporary files lie, or the disk fails. The newest finished "
            "run is as it was. Free some space and run again."
        )
        return 1
    if known is not None:
        _tell(str(known))
        return 1
    log = Path(tempfile.gettempdir()) / f"retention-fault-{os.getpid()}.log"
    log.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    _tell(
        f"An unexpected fault: {type(error).__name__}. The newest finished run is as it was. Details: {log}"
    )
    return 1


def _is_full_disk(error: BaseException) -> bool:
    """Whether a fault comes from a disk or quota without space; libraries tell it as a number or in words."""
    is_number = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return is_number or any(words in str(error) for words in NO_SPACE)


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
