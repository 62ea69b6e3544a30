"""Which reference pages there are, and where they stand: each beside the code that it is made from."""

from collections.abc import Mapping
from pathlib import Path

from pipelines.reference.commands import commands_page
from pipelines.reference.settings import settings_page
from pipelines.reference.tables import tables_page

__all__ = ["pages"]

_ROOT = Path(__file__).resolve().parent.parent.parent


def pages() -> Mapping[Path, str]:
    """Text of every page by its file."""
    return {
        _ROOT / "pipelines" / "cli" / "COMMANDS.md": commands_page(),
        _ROOT / "data_contracts" / "TABLES.md": tables_page(),
        _ROOT / "pipelines" / "settings" / "SETTINGS.md": settings_page(),
    }
