"""The lists that come with the program: settings like a shop's own, kept as data beside this file.

A shop takes them with ``ready_lists = true`` or by name, and replaces one by a list of its own of the same name.
"""

import tomllib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from pipelines.settings.lists import SegmentList

__all__ = ["ready_lists"]


def ready_lists(names: Sequence[str] | None = None) -> tuple[SegmentList, ...]:
    """Give the ready lists, in their order, or those of these names.

    Raises
    ------
    ValueError
        There is no ready list of a name.
    """
    known = _all()
    if names is None:
        return tuple(known.values())
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"there is no ready list {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(entry for name, entry in known.items() if name in names)


@cache
def _all() -> dict[str, SegmentList]:
    text = files("pipelines.settings").joinpath("ready_lists.toml").read_text(encoding="utf-8")
    entries = (SegmentList.model_validate(entry) for entry in tomllib.loads(text)["lists"])
    return {entry.name: entry for entry in entries}
