"""Two finished runs side by side: what their headline numbers, champions and lists are, and which tables changed.

Each run is read through the versions that its snapshot names; a version that is not kept any more leaves a gap, never
another run's number. Whether a change is more than chance is said by the report (`pipelines.report.changes`).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Final

import polars as pl

from data_contracts import table_names
from pipelines.errors import LakeError
from pipelines.explore.whole_frames import WholeFrame
from pipelines.report import words
from pipelines.snapshots import Snapshot

if TYPE_CHECKING:
    from pipelines.explore.opened import Opened

GONE: Final = "not kept any more"
SCHEMA: Final = {
    "what": pl.String, "a": pl.Float64, "b": pl.Float64, "difference": pl.Float64, "in_words": pl.String,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Numbers:
    """One run's numbers.

    Attributes
    ----------
    counts, shares
        Numbers by what they count; a share is written as per cent. None where nobody can know.
    names
        Texts, such as which model was published.
    gone
        Groups of numbers whose tables are not kept any more.
    """

    counts: dict[str, float | None] = field(default_factory=dict[str, float | None])
    shares: dict[str, float | None] = field(default_factory=dict[str, float | None])
    names: dict[str, str] = field(default_factory=dict[str, str])
    gone: list[str] = field(default_factory=list[str])


def compared(lab: Opened, a: date | str, b: date | str | None = None) -> WholeFrame:
    """Lay two runs side by side; see `pipelines.lab.Lab.compare`."""
    found = lab.lake.scan("snapshots").sort("as_of", "finished_at").collect()
    if found.height < 2:
        raise LakeError(
            f"{lab.lake.root} has one finished run so far ({lab.snapshot.snapshot_id}), so there is none to compare "
            "it with. The next `retention run` makes one."
        )
    first = _snapshot(found, a)
    second = lab.snapshot if b is None else _snapshot(found, b)
    one, other = (_numbers(_opened(lab, snapshot)) for snapshot in (first, second))
    rows = [
        *_side_by_side(one.counts, other.counts, words.number),
        *_side_by_side(one.shares, other.shares, words.percent),
        *_named(one.names, other.names),
        *_tables(lab, first, second),
        *((group, None, None, None, GONE) for group in dict.fromkeys([*one.gone, *other.gone])),
    ]
    return WholeFrame(rows, schema=SCHEMA, orient="row")


def _snapshot(found: pl.DataFrame, wanted: date | str) -> Snapshot:
    """Find a run by its id, or the newest of a day."""
    of = found.filter(
        (pl.col("snapshot_id") == str(wanted)) | (pl.col("as_of").cast(pl.String) == str(wanted))
    )
    if of.is_empty():
        last = ", ".join(found["snapshot_id"].tail(5))
        raise LakeError(f"There is no finished run {str(wanted)!r}. The last ones: {last}.")
    row = of.tail(1).row(0, named=True)
    return Snapshot(**{**row, "versions": json.loads(row["versions"])})


def _opened(lab: Opened, snapshot: Snapshot) -> Opened:
    return type(lab)(lab.shop, lab.lake, snapshot.as_of, snapshot)


def _numbers(lab: Opened) -> Numbers:
    numbers = Numbers()
    for group, add in _GROUPS.items():
        try:
            add(lab, numbers)
        except LakeError:
            numbers.gone.append(group)
    return numbers


def _headline(lab: Opened, numbers: Numbers) -> None:
    from pipelines.report.numbers import headline

    orders, returns, purchases = (lab.read(name) for name in ("orders", "returns", "purchases"))
    seen = headline(orders, returns, purchases, lab.as_of, lab.shop.history_start)
    numbers.counts.update(
        {
            "customers": seen.customers,
            "valid orders": seen.orders,
            f"net revenue, {lab.shop.currency}": seen.net,
            "orders without a customer": seen.orders_without,
        }
    )
    numbers.shares["repeat purchase rate"] = seen.repeat.rate
    numbers.shares["year on year retention"] = seen.year.rate if seen.year else None


def _stages(lab: Opened, numbers: Numbers) -> None:
    rows = lab.read("customer_profile").group_by("stage").len().sort("stage").collect()
    numbers.counts.update({f"stage {words.stage_name(stage)}": count for stage, count in rows.iter_rows()})


def _champions(lab: Opened, numbers: Numbers) -> None:
    rows = lab.read("champions").select("quantity", "model").sort("quantity").collect()
    numbers.names.update({f"champion for {quantity}": model for quantity, model in rows.iter_rows()})


def _lists(lab: Opened, numbers: Numbers) -> None:
    rows = lab.read("campaign_lists").select("name", "deliverable", "held_out").sort("name").collect()
    for name, deliverable, held_out in rows.iter_rows():
        told = {f"list {name}: in the file": deliverable, f"list {name}: held out": held_out}
        numbers.counts.update(told)


_GROUPS: Final[dict[str, Callable[[Opened, Numbers], None]]] = {
    "headline numbers": _headline,
    "stages": _stages,
    "champions": _champions,
    "lists": _lists,
}

_Row = tuple[str, float | None, float | None, float | None, str]


def _side_by_side(
    one: dict[str, float | None], other: dict[str, float | None], said: Callable[[float | None], str]
) -> list[_Row]:
    rows: list[_Row] = []
    for what in dict.fromkeys([*one, *other]):
        a, b = one.get(what), other.get(what)
        difference = None if a is None or b is None else b - a
        rows.append((what, a, b, difference, f"{said(a)} → {said(b)}"))
    return rows


def _named(one: dict[str, str], other: dict[str, str]) -> list[_Row]:
    return [
        (what, None, None, None, f"{one.get(what, 'none')} → {other.get(what, 'none')}")
        for what in dict.fromkeys([*one, *other])
    ]


def _tables(lab: Opened, first: Snapshot, second: Snapshot) -> list[_Row]:
    """Rows of each table that has another version in the second run, of all days."""
    rows: list[_Row] = []
    for name in table_names():
        before, after = first.versions.get(name), second.versions.get(name)
        if before == after:
            continue
        a, b = (_height(lab, name, version) for version in (before, after))
        difference = None if a is None or b is None else b - a
        told = " → ".join(_rows_told(version, count) for version, count in ((before, a), (after, b)))
        rows.append((f"rows of table {name}", a, b, difference, told))
    return rows


def _height(lab: Opened, name: str, version: int | None) -> int | None:
    if version is None:
        return None
    try:
        return lab.lake.scan(name, version=version).select(pl.len()).collect().item()
    except LakeError:
        return None


def _rows_told(version: int | None, count: int | None) -> str:
    if version is None:
        return "no table"
    return f"{GONE if count is None else words.number(count)} (version {version})"
