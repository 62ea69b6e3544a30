"""How a delivery writes dates and numbers, found out from all of its values, and the same in canonical text.

03/04/2026 and 1,234 mean different things in different files. The evidence is the file itself; what it leaves open
stays unreadable, so that the contract sets it aside. What typing reads by itself stays as delivered. Turning canonical
text into typed values is `pipelines.ingest.values`' business.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, TypeVar
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import Column
from pipelines.settings import Layout
from pipelines.sources.currencies import currencies_meant
from pipelines.sources.date_conventions import (
    DateEvidence,
    decided_order,
    in_iso,
    is_canonical,
    with_date_evidence,
)
from pipelines.sources.number_conventions import (
    NumberEvidence,
    decided_point,
    has_point,
    in_plain_digits,
    is_plain,
    is_surely_plain,
    with_number_evidence,
)

DATES, NUMBERS = ("moment", "day"), ("money", "number", "count", "small_count")
"""Kinds of columns whose text may be written in several ways."""

PROBED_ROWS = 1_000
Evidence = TypeVar("Evidence", DateEvidence, NumberEvidence)


@dataclass(frozen=True, slots=True)
class Conventions:
    """What a delivery's own values say of how it is written.

    Attributes
    ----------
    dates, decimal
        None where nothing needs deciding or nothing decides it.
    notes
        What was decided by what evidence, or what stays open, in words for people.
    rewritten
        Columns whose text is not canonical as delivered.
    serials
        Those of them that hold a spreadsheet's day numbers.
    currencies
        Currencies and signs that stand beside numbers.
    keeps_currencies
        Numbers with a currency stay as delivered: there are several, and no column says which row has which.
    """

    dates: Literal["day first", "month first"] | None = None
    decimal: Literal[".", ","] | None = None
    notes: tuple[str, ...] = ()
    rewritten: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    currencies: tuple[str, ...] = ()
    keeps_currencies: bool = False


def find_conventions(rows: pl.LazyFrame, columns: tuple[Column, ...], layout: Layout) -> Conventions:
    """Look at every value of the columns that hold times, days and numbers.

    One cheap pass finds the columns that need a closer look, which most deliveries have none of.
    """
    odd = _odd_columns(rows, columns)
    if not odd:
        return Conventions()
    dates = [column for column in odd if column.kind in DATES]
    odd_numbers = [column for column in odd if column.kind in NUMBERS]
    # Numbers that are plain may still tell what those that are not mean.
    numbers = [column for column in columns if column.kind in NUMBERS and odd_numbers]
    if odd_numbers and layout.decimal != "," and _all_have_points(rows, odd_numbers, numbers):
        numbers = []
    counts = _counts(
        rows, dates, numbers, brings_currency=any(column.name == "currency" for column in columns)
    )
    date_counts = {c.name: _of(counts, c.name, DateEvidence) for c in dates}
    number_counts = {c.name: _of(counts, c.name, NumberEvidence) for c in numbers}
    order, order_note = decided_order(_sum(DateEvidence, date_counts.values()), layout.dates)
    point, point_note = decided_point(_sum(NumberEvidence, number_counts.values()), layout.decimal)
    serials = frozenset(name for name, found in date_counts.items() if found.is_serial)
    currencies = currencies_meant(mark for c in numbers for mark in counts[f"{c.name}__mark"])
    keeps_currencies = len(currencies) > 1 and not counts["currency"]
    rewritten = {*date_counts, *(name for name, found in number_counts.items() if _changes(found, point))}
    notes = (
        order_note,
        *(f"{name} holds a spreadsheet's day numbers" for name in sorted(serials)),
        point_note,
        _currency_note(currencies, keeps_currencies),
    )
    return Conventions(
        dates=order,
        decimal=point,
        notes=tuple(note for note in notes if note),
        rewritten=frozenset(rewritten),
        serials=serials,
        currencies=currencies,
        keeps_currencies=keeps_currencies,
    )


def in_canonical_text(
    rows: pl.LazyFrame, columns: tuple[Column, ...], conventions: Conventions, zone: ZoneInfo | None
) -> pl.LazyFrame:
    """Write times as ISO 8601, numbers with a decimal point and no separators; the rest stays as delivered.

    ``zone`` is that of times without an offset where it is not the shop's: such times get their offset.
    """
    frame = rows
    for column in columns:
        name, is_rewritten = column.name, column.name in conventions.rewritten
        if column.kind in NUMBERS and is_rewritten:
            drops_marks = not conventions.keeps_currencies
            frame = in_plain_digits(frame, name, conventions.decimal, drops_marks=drops_marks)
        if column.kind in DATES and (is_rewritten or (column.kind == "moment" and zone is not None)):
            is_serial = name in conventions.serials
            frame = in_iso(frame, name, column.kind, conventions.dates, zone, is_serial=is_serial)
    return frame


def _odd_columns(rows: pl.LazyFrame, columns: tuple[Column, ...]) -> list[Column]:
    """Find the columns that hold a value which is not plainly canonical."""
    plain = [
        (is_canonical(c.name, c.kind) if c.kind in DATES else is_surely_plain(c.name)).all().alias(c.name)
        for c in columns
        if c.kind in DATES + NUMBERS
    ]
    if not plain:
        return []
    found = rows.select(plain).collect(engine="streaming").row(0, named=True)
    return [column for column in columns if not found.get(column.name, True)]


def _all_have_points(rows: pl.LazyFrame, odd: list[Column], numbers: list[Column]) -> bool:
    """Whether all numbers are plain and some say that a point begins their fraction: then 1.234 is no thousand."""
    plain = pl.all_horizontal(is_plain(column.name).all() for column in odd)
    tells = pl.any_horizontal(has_point(column.name).any() for column in numbers)
    # Where numbers are not plain the first rows mostly show it, and spare a pass.
    if not rows.head(PROBED_ROWS).select(plain.alias("all")).collect(engine="streaming").item():
        return False
    return bool(rows.select((plain & tells).alias("all")).collect(engine="streaming").item())


def _counts(
    rows: pl.LazyFrame, dates: list[Column], numbers: list[Column], *, brings_currency: bool
) -> dict[str, Any]:
    """Count what speaks for what in one pass: ``<column>__<count>``, ``<column>__mark`` and ``currency``."""
    has_currency = pl.col("currency").is_not_null().any() if brings_currency else pl.lit(False)
    counts = [has_currency.alias("currency")]
    needed = [column.name for column in (*dates, *numbers)]
    frame = rows.select(*needed, *(["currency"] if brings_currency else []))
    for column in dates:
        frame = with_date_evidence(frame, column.name)
        counts += [pl.col(f"{column.name}__{field.name}").sum() for field in fields(DateEvidence)]
    for column in numbers:
        frame = with_number_evidence(frame, column.name)
        counts += [pl.col(f"{column.name}__{field.name}").sum() for field in fields(NumberEvidence)]
        counts.append(pl.col(f"{column.name}__mark").drop_nulls().unique().implode())
    return frame.select(counts).collect(engine="streaming").row(0, named=True)


def _of(counts: Mapping[str, Any], column: str, kind: type[Evidence]) -> Evidence:
    return kind(**{field.name: counts[f"{column}__{field.name}"] for field in fields(kind)})


def _sum(kind: type[Evidence], found: Iterable[Evidence]) -> Evidence:
    each = list(found)
    return kind(**{field.name: sum(getattr(one, field.name) for one in each) for field in fields(kind)})


def _changes(found: NumberEvidence, point: str | None) -> bool:
    return found.odd > 0 or (found.lone_point > 0 and point != ".")


def _currency_note(currencies: tuple[str, ...], keeps: bool) -> str:
    if not currencies:
        return ""
    told = f"numbers stand beside {', '.join(currencies)}"
    return (
        f"{told} and no column says the currency: they are set aside. Map a currency column"
        if keeps
        else told
    )
