"""Where a shop is: its timezone and currency, guessed from its orders, with the reason for people.

Days and months are the shop's own, so a wrong zone moves orders across midnight: what is said here is a guess that a
person reads.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl

from pipelines.connect.samples import Sample
from pipelines.connect.words import country_code, currency_of, words, zones_of
from pipelines.sources.currencies import CODES, SIGNS

MOST = 0.5
"""Share of the orders that must go to one country before it is taken for the shop's."""
MOST_TIMES = 2_000


@dataclass(frozen=True, slots=True)
class Whereabout:
    """A value and why it was chosen; None where nothing tells."""

    value: str | None
    reason: str


@dataclass(frozen=True)
class Hints:
    """What orders say of where they were placed.

    Attributes
    ----------
    countries, currencies
        Cells of these columns as delivered.
    times
        Times in canonical text.
    marks
        Currencies beside numbers.
    headers
        Names of the columns that hold amounts.
    """

    countries: pl.Series
    currencies: pl.Series
    times: pl.Series
    marks: Sequence[str] = ()
    headers: Sequence[str] = ()


def hints_of(orders: Sequence[Sample]) -> Hints:
    """Gather what the first rows of all sources of orders say."""

    def cells(column: str) -> pl.Series:
        return pl.concat([sample.rows[column] for sample in orders])

    amounts = ("unit_price", "discount")
    headers = [
        sample.guess.mapping[name] for sample in orders for name in amounts if name in sample.guess.mapping
    ]
    marks = [mark for sample in orders for mark in sample.conventions.currencies]
    return Hints(cells("country"), cells("currency"), cells("ordered_at"), marks, headers)


def guess_currency(hints: Hints) -> Whereabout:
    """Guess the currency from a column of currencies, marks at numbers, names of columns, or the country."""
    codes = hints.currencies.str.strip_chars().str.to_uppercase().drop_nulls()
    found = _commonest(codes.filter(codes.is_in(list(CODES))))
    if found:
        code, share = found
        return Whereabout(code, f"the currency of {100 * share:.0f} % of the order lines")
    if len(marks := set(hints.marks) & CODES) == 1:
        return Whereabout(marks.pop(), "it stands beside the amounts")
    told = {code for header in hints.headers for code in _codes_in(header)}
    if len(told) == 1:
        return Whereabout(told.pop(), "names of columns say so")
    country = main_country(hints)
    if country and (code := currency_of(country[0])):
        return Whereabout(code, f"{100 * country[1]:.0f} % of the order lines have the country {country[0]}")
    return Whereabout(None, "no column, sign or country tells the currency")


def guess_zone(hints: Hints, currency: str | None) -> Whereabout:
    """Guess the timezone from the offsets of times, the country of most orders, or the currency."""
    offsets = _offsets(hints.times)
    country = main_country(hints)
    of_country = zones_of(country[0]) if country else []
    if any(offset for _, offset in offsets):
        fitting = [zone for zone in (*of_country, *words()["usual_zones"]["names"]) if _agrees(zone, offsets)]
        if fitting:
            seen = ", ".join(sorted({_written(offset) for _, offset in offsets}))
            return Whereabout(fitting[0], f"times of orders carry its offsets ({seen})")
    if country and _is_clear(country[0], of_country):
        return Whereabout(
            of_country[0], f"{100 * country[1]:.0f} % of the order lines have the country {country[0]}"
        )
    countries = words()["currencies"].get(currency, ())
    if len(countries) == 1 and _is_clear(countries[0], zones_of(countries[0])):
        return Whereabout(zones_of(countries[0])[0], f"amounts are in {currency}")
    return Whereabout(None, "no offset, country or currency tells the timezone")


def _is_clear(country: str, zones: Sequence[str]) -> bool:
    return len(zones) == 1 or country in words()["main_zones"]


def main_country(hints: Hints) -> tuple[str, float] | None:
    """Give the country of most orders, as a two-letter code, and its share; None where none has most."""
    cells = hints.countries.drop_nulls()
    codes = {cell: code for cell in cells.unique() if (code := country_code(cell))}
    found = _commonest(cells.replace_strict(codes, default=None, return_dtype=pl.String).drop_nulls())
    return found if found and found[1] >= MOST else None


def _commonest(values: pl.Series) -> tuple[str, float] | None:
    if not values.len():
        return None
    counts = values.alias("value").value_counts(sort=True)
    return counts["value"][0], counts["count"][0] / values.len()


def _codes_in(header: str) -> Iterable[str]:
    """Find currencies in a column's name: "Price (EUR)", "unit_price_gbp", "Total €"."""
    parts = {part.upper() for part in re.split(r"[^A-Za-z]+", header)}
    yield from parts & CODES - {"ALL", "TOP", "TRY", "CUP", "MOP", "PEN", "SOS"}
    yield from (SIGNS[sign] for sign in SIGNS if not sign.isalpha() and sign in header)


def _offsets(times: pl.Series) -> list[tuple[datetime, timedelta]]:
    """Give local times with the offset that they carry, one a day and offset."""
    parts = times.drop_nulls().str.extract_groups(
        r"^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d).*?(Z|[+-]\d\d:?\d\d)$"
    )
    frame = parts.struct.unnest().drop_nulls().unique(["1", "3"]).sort("1", "3").head(MOST_TIMES)
    return [
        (datetime.fromisoformat(f"{day} {clock}"), _read(offset)) for day, clock, offset in frame.iter_rows()
    ]


def _read(offset: str) -> timedelta:
    if offset == "Z":
        return timedelta()
    sign = -1 if offset[0] == "-" else 1
    return sign * timedelta(hours=int(offset[1:3]), minutes=int(offset[-2:]))


def _written(offset: timedelta) -> str:
    minutes = round(offset.total_seconds() / 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"


def _agrees(zone: str, offsets: Sequence[tuple[datetime, timedelta]]) -> bool:
    """Whether clocks in a zone stood so; in the hour that comes twice either offset will do."""
    there = ZoneInfo(zone)
    return all(
        offset in (local.replace(tzinfo=there, fold=fold).utcoffset() for fold in (0, 1))
        for local, offset in offsets
    )
