"""Which of a file's columns is which of ours: what shop.toml says, then what the format knows by itself.

Columns match by name. What stands in them is `conventions`' and the contract's business.
"""

from pathlib import Path

from data_contracts.dictionary import delivered_columns
from pipelines.errors import DeliveryError, ShopError
from pipelines.settings import Source
from pipelines.sources.reader import Format

NAMES_SHOWN, NAME_SHOWN = 40, 40


def values_of(source_format: Format, source: Source) -> dict[str, str]:
    """Give the values that stand on every row, the shop's before the format's."""
    return {**source_format.values.get(source.table, {}), **source.values}


def mapping_of(source_format: Format, source: Source, path: Path, have: list[str]) -> dict[str, str]:
    """Say which of the file's columns is which of ours; a shop's own mapping goes before its format's.

    Parameters
    ----------
    have
        Names of the file's columns, and of those that its format adds.

    Raises
    ------
    ShopError
        The settings map a column that the table does not have, or leave out one that it needs.
    DeliveryError
        The file lacks a column that is mapped or needed.
    """
    canonical = delivered_columns(source.table)
    names = {column.name for column in canonical}
    named = {**source.columns, **source.values}
    if strangers := sorted(set(named) - names):
        raise ShopError(
            f"Source {source.name} maps {', '.join(strangers)}, which table {source.table} does not have. "
            f"It has: {', '.join(sorted(names))}."
        )
    known = source_format.columns.get(source.table, {})
    if not known and source_format.columns and not source.columns:
        raise ShopError(
            f"Source {source.name}: {source_format.title} brings no table {source.table} by itself; it brings "
            f"{', '.join(source_format.columns)}. Name another table or map the columns."
        )
    by_format = {
        ours: next(name for name in candidates if name in have)
        for ours, candidates in known.items()
        if ours not in named and any(name in have for name in candidates)
    }
    mapping = {**by_format, **source.columns}
    given = {*mapping, *values_of(source_format, source)}
    if lacking := [c.name for c in canonical if c.required and c.name not in given]:
        told = [f"{name} ({' or '.join(known[name])})" for name in lacking if name in known]
        if told:
            raise DeliveryError(
                f"{path} is not {source_format.title} as known here: it has no column for {', '.join(told)} "
                f"(source {source.name}). It has: {_shown(have)}. Map it in shop.toml or correct the file."
            )
        raise ShopError(f"Source {source.name} does not say which column holds {', '.join(lacking)}.")
    wanted = [*mapping.values(), *([source.split_by] if source.split_by else [])]
    if missing := [name for name in wanted if name not in have]:
        raise DeliveryError(
            f"{path} has no column {', '.join(repr(name) for name in missing)} (source {source.name}). "
            f"It has: {_shown(have)}. Correct the mapping in shop.toml or the file."
        )
    return mapping


def _shown(names: list[str]) -> str:
    """Names of columns for a message: what is no text is a dot, and no more than fits a screen."""
    short = [
        "".join(c if c.isprintable() else "·" for c in name[:NAME_SHOWN]) for name in names[:NAMES_SHOWN]
    ]
    more = [f"and {len(names) - NAMES_SHOWN} more"] if len(names) > NAMES_SHOWN else []
    return ", ".join([*short, *more])
