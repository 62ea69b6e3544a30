"""What all orders say together: their first day, and order numbers and products that are no sales.

The rows are read as a run reads them, whole. What such orders mean is for the shop to say: what is found here becomes
suggestions.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.connect.words import words, words_in
from pipelines.ingest.values import local_day, readable, typed
from pipelines.shop import Shop
from pipelines.sources.arrivals import Arrival, reading

MOSTLY = 0.99
"""Share of an order number's lines that must take back before the number looks like a return."""
MOST_SUGGESTIONS = 20
SHORT_WORD = 4
_PREFIX = "^([A-Za-z]{1,3})[-_ ]?[0-9]"
_SPECIAL = re.compile(r"[.^$*+?{}()|\[\]\\]")
_NO_NUMBER = r"^(?:[^0-9]*|\p{L}{3,}[_\- ].*)$"
"""Product numbers without a digit, or with a word before it."""


@dataclass(frozen=True, slots=True)
class Prefix:
    """Order numbers that begin with the same letters."""

    letters: str
    lines: int
    taking_back: int
    below_zero: int

    @property
    def is_return(self) -> bool:
        """Whether such orders take goods back."""
        return self.taking_back >= MOSTLY * self.lines

    @property
    def is_adjustment(self) -> bool:
        """Whether most such orders have a price below zero."""
        return self.below_zero * 2 > self.lines


@dataclass(frozen=True, slots=True)
class NoMerchandise:
    """Product numbers that look like something else than goods: one, or all that begin with a word."""

    pattern: str
    name: str
    kind: str
    lines: int


@dataclass(frozen=True)
class History:
    """What the orders' files hold.

    Attributes
    ----------
    first_day, last_day
        Of orders, in the shop's timezone; None where no time can be read.
    lines, unreadable
        How many rows there are, and how many of them have no time that can be read.
    """

    first_day: date | None = None
    last_day: date | None = None
    lines: int = 0
    unreadable: int = 0
    prefixes: tuple[Prefix, ...] = ()
    no_merchandise: tuple[NoMerchandise, ...] = ()


def read_history(shop: Shop, arrivals: Iterable[Arrival]) -> History:
    """Read all orders once for their days and once for what looks like no sale.

    Raises
    ------
    DeliveryError
        A file cannot be read to its end.
    """
    found = History()
    for arrival in arrivals:
        with reading(arrival.path):
            found = _together(found, _of_one(shop, arrival.rows()))
    return found


def _of_one(shop: Shop, rows: pl.LazyFrame) -> History:
    ordered_at = next(column for column in delivered_columns("orders") if column.name == "ordered_at")
    day = local_day(pl.col("ordered_at"), shop.zone)
    days = typed(rows.select("ordered_at"), (ordered_at,), shop.zone).select(
        day.min().alias("first"),
        day.max().alias("last"),
        pl.len(),
        (~pl.col(readable("ordered_at")) | pl.col("ordered_at").is_null()).sum().alias("unreadable"),
    )
    first, last, lines, unreadable = days.collect(engine="streaming").row(0)
    return History(first, last, lines, unreadable, _prefixes(rows, lines), _no_merchandise(rows))


def _prefixes(rows: pl.LazyFrame, lines: int) -> tuple[Prefix, ...]:
    counts = (
        rows.select(
            pl.col("order_id").str.extract(_PREFIX).alias("letters"),
            pl.col("quantity").str.starts_with("-").alias("back"),
            pl.col("unit_price").str.starts_with("-").alias("below"),
        )
        .filter(pl.col("letters").is_not_null())
        .group_by("letters")
        .agg(pl.len(), pl.col("back").sum(), pl.col("below").sum())
        .collect(engine="streaming")
    )
    found = (Prefix(*row) for row in counts.sort("letters").iter_rows())
    return tuple(one for one in found if one.lines < lines and (one.is_return or one.is_adjustment))


def _no_merchandise(rows: pl.LazyFrame) -> tuple[NoMerchandise, ...]:
    counts = (
        rows.select(pl.col("product_id").str.strip_chars(), pl.col("product_name").fill_null(""))
        .filter(pl.col("product_id").str.contains(_NO_NUMBER))
        .group_by("product_id")
        .agg(pl.len(), pl.col("product_name").max())
        .sort("len", "product_id", descending=[True, False])
        .head(200)
        .collect(engine="streaming")
    )
    found: list[NoMerchandise] = []
    for product_id, lines, name in counts.iter_rows():
        if kind := _kind_of(product_id, name):
            found = _added(found, NoMerchandise(_pattern(product_id), name or product_id, kind, lines))
    return tuple(found)


def _kind_of(product_id: str, name: str) -> str | None:
    kinds = words()["lines"].items()
    by_number = (kind for kind, names in kinds if words_in(product_id, names))
    # Short words say nothing in a name: a gift bag is merchandise.
    by_name = (kind for kind, names in kinds if words_in(name, [n for n in names if len(n) > SHORT_WORD]))
    return next(by_number, next(by_name, None))


def _pattern(product_id: str) -> str:
    """Match this product number only, or all that begin with its word if a number follows that."""
    begins = re.match(r"[^\W\d]{3,}[_-](?=\d)", product_id)
    escaped = _SPECIAL.sub(r"\\\g<0>", begins[0] if begins else product_id)
    return f"^{escaped}" if begins else f"^{escaped}$"


def _added(found: Iterable[NoMerchandise], more: NoMerchandise) -> list[NoMerchandise]:
    """Add lines to what has the same pattern."""
    every = {one.pattern: one for one in found}
    before = every.get(more.pattern)
    every[more.pattern] = replace(before, lines=before.lines + more.lines) if before else more
    return sorted(every.values(), key=lambda one: (-one.lines, one.pattern))


def _together(one: History, other: History) -> History:
    firsts = [day for day in (one.first_day, other.first_day) if day]
    lasts = [day for day in (one.last_day, other.last_day) if day]
    letters = {prefix.letters for prefix in (*one.prefixes, *other.prefixes)}
    no_merchandise = list(one.no_merchandise)
    for product in other.no_merchandise:
        no_merchandise = _added(no_merchandise, product)
    return History(
        min(firsts, default=None),
        max(lasts, default=None),
        one.lines + other.lines,
        one.unreadable + other.unreadable,
        tuple(
            _sum([p for p in (*one.prefixes, *other.prefixes) if p.letters == name])
            for name in sorted(letters)
        ),
        tuple(no_merchandise[:MOST_SUGGESTIONS]),
    )


def _sum(prefixes: list[Prefix]) -> Prefix:
    counts = ([getattr(p, count) for p in prefixes] for count in ("lines", "taking_back", "below_zero"))
    return Prefix(prefixes[0].letters, *(sum(each) for each in counts))
