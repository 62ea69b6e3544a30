"""The ways in which files write a date, each turned into year-month-day with the rest of the text as it was.

Only the order of the parts is settled here. What a file's values say about that order, and what a clock time and an
offset look like in the end, is `pipelines.sources.date_conventions`' business.
"""

import unicodedata
from typing import Literal

import polars as pl

Order = Literal["day first", "month first"]

TIME = (
    r"(?:(?:\s*[T,]\s*|\s+(?:-\s+)?(?:(?:at|um|à|om|alle|ore|a las)\s+)?)"
    r"(?<hour>[0-9]{1,2})[:h](?<minute>[0-9]{2})(?::(?<second>[0-9]{2})(?:[.,](?<fraction>[0-9]{1,9}))?)?"
    r"(?:\s*(?<half>[AaPp])\.?[Mm]\.?)?(?:\s*(?:Uhr|h))?"
    r"(?:\s*(?:(?:UTC|GMT)?(?<offset>[+-][0-9]{2}(?::?[0-9]{2})?)|(?<utc>Z|UTC|GMT)))?(?:\s*\([^)]*\))?)?"
)
"""What may follow a date: a clock time, half of the day, offset and the zone's name in brackets."""

_SEPARATOR = r"[/.\-]\s?"
_TO_TWELVE = r"0?[1-9]|1[0-2]"
_OVER_TWELVE = r"1[3-9]|2[0-9]|3[01]"
_TO_THIRTY_ONE = rf"{_TO_TWELVE}|{_OVER_TWELVE}"
_YEAR = "[0-9]{4}|[0-9]{2}"
_REST = "|[^0-9].*"


def _numeric(first: str, second: str) -> str:
    return rf"^({first}){_SEPARATOR}({second}){_SEPARATOR}({_YEAR})({_REST})$"


def _with_time(first: str, second: str) -> str:
    return rf"^(?:{first}){_SEPARATOR}(?:{second}){_SEPARATOR}(?:{_YEAR})(?:$|[T, ])"


DAY_FIRST = _with_time(_OVER_TWELVE, _TO_TWELVE)
MONTH_FIRST = _with_time(_TO_TWELVE, _OVER_TWELVE)
EITHER = _with_time(_TO_TWELVE, _TO_TWELVE)
SAME = "^(?:" + "|".join(rf"0?{part}{_SEPARATOR}0?{part}" for part in range(1, 13)) + rf"){_SEPARATOR}"
"""Day and month are the same number, so their order does not matter."""
DOTTED = r"^[0-9]{1,2}\.\s?[0-9]{1,2}\."

FIXED_WIDTH = r"^[0-9]{2}[/.\-][0-9]{2}[/.\-][0-9]{4}(?: (?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?)?$"
"""The commonest form besides ISO 8601, whose parts are found by their place."""

_YEAR_FIRST = rf"^([0-9]{{4}}){_SEPARATOR}([0-9]{{1,2}}){_SEPARATOR}([0-9]{{1,2}})({_REST})$"
_TOGETHER = rf"^((?:19|20)[0-9]{{2}})(0[1-9]|1[0-2])([0-2][0-9]|3[01])({_REST})$"
_ALL_TOGETHER = (
    r"^((?:19|20)[0-9]{2})(0[1-9]|1[0-2])([0-2][0-9]|3[01])T?([0-2][0-9])([0-5][0-9])([0-5][0-9])(Z?)$"
)
_WEEKDAY = r"^(?:\p{L}{2,10}\.?,?\s+)?"
_DAY_THEN_NAME = (
    rf"{_WEEKDAY}(?<day>[0-9]{{1,2}})(?:st|nd|rd|th|er|º|°)?[\s.\-/]*(?:(?:de|of)\s+)?"
    rf"(?<month>\p{{L}}{{3,10}})[\s.,\-/]*(?:(?:de|del)\s+)?(?<year>{_YEAR})(?<rest>{_REST})$"
)
_NAME_THEN_DAY = (
    rf"{_WEEKDAY}(?<month>\p{{L}}{{3,10}})[\s.\-]*(?<day>[0-9]{{1,2}})(?:st|nd|rd|th)?"
    rf"[\s,\-]+(?<year>[0-9]{{4}})(?<rest>{_REST})$"
)

_NAMES = (
    "january jan januar jänner jän janvier janv enero ene januari gennaio gen",
    "february feb februar feber février févr fév febrero februari febbraio",
    "march mar märz mär mrz maerz mars marzo maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo mei maggio mag",
    "june jun juni juin junio giugno giu",
    "july jul juli juillet juil julio luglio lug",
    "august aug août agosto ago augustus",
    "september sep sept septembre septiembre setiembre settembre set",
    "october oct oktober okt octobre octubre ottobre ott",
    "november nov novembre noviembre",
    "december dec dezember dez décembre déc diciembre dic dicembre",
)


def _without_accents(word: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


MONTHS = {
    form: str(number)
    for number, names in enumerate(_NAMES, start=1)
    for name in names.split()
    for form in (name, _without_accents(name))
}
"""English, German, French, Spanish, Dutch and Italian names of months -> their number."""


def from_fixed_width(text: pl.Expr, order: Order | None) -> pl.Expr:
    """Write 31/12/2026 09:59 as YYYY-MM-DD HH:MM:SS; null where text is not such a time in this order."""
    if order is None:
        return pl.lit(None, pl.String)
    first, second = text.str.slice(0, 2), text.str.slice(3, 2)
    month, day = (second, first) if order == "day first" else (first, second)
    date = pl.concat_str(text.str.slice(6, 4), pl.lit("-"), month, pl.lit("-"), day)
    is_date = text.str.contains(FIXED_WIDTH) & date.str.to_date("%Y-%m-%d", strict=False).is_not_null()
    return pl.when(is_date).then(pl.concat_str(date, with_seconds(text.str.slice(10))))


def with_seconds(clock: pl.Expr) -> pl.Expr:
    """Complete what follows a date: nothing, hours and minutes, or more, with the blank before it."""
    return (
        pl.when(clock == "")
        .then(pl.lit(" 00:00:00"))
        .when(clock.str.len_bytes() == len(" 09:59"))
        .then(pl.concat_str(clock, pl.lit(":00")))
        .otherwise(clock)
    )


def year_month_day(rows: pl.LazyFrame, column: str, order: Order | None) -> pl.LazyFrame:
    """Put the parts of dates in order: year-month-day and what follows; text in no known form stays as it is.

    A date that can be read both ways as different days is put in order only where ``order`` is given.
    """
    # Staged, because the streaming engine computes an expression as often as it is used.
    lettered, day_first, name_first = (
        f"{column}__{what}" for what in ("lettered", "day_first", "name_first")
    )
    dated = pl.coalesce(_named(day_first), _named(name_first), _numbered(pl.col(column), order))
    # Two digits mean what they mean to POSIX: 69 to 99 are of the last century.
    dated = dated.str.replace("^([0-5][0-9]|6[0-8])-", "20${1}-").str.replace("^([0-9]{2})-", "19${1}-")
    return (
        rows.with_columns(pl.when(pl.col(column).str.contains(r"\p{L}{3}")).then(column).alias(lettered))
        .with_columns(
            pl.col(lettered).str.extract_groups(_DAY_THEN_NAME).alias(day_first),
            pl.col(lettered).str.extract_groups(_NAME_THEN_DAY).alias(name_first),
        )
        .with_columns(dated.alias(column))
        .drop(lettered, day_first, name_first)
    )


def _numbered(text: pl.Expr, order: Order | None) -> pl.Expr:
    ordered = text
    if order is None:
        ordered = (
            pl.when(text.str.contains(SAME))
            .then(text.str.replace(_numeric(_TO_TWELVE, _TO_TWELVE), "${3}-${2}-${1}${4}"))
            .otherwise(text)
        )
    first = _TO_THIRTY_ONE if order == "day first" else _OVER_TWELVE
    second = _TO_THIRTY_ONE if order == "month first" else _OVER_TWELVE
    return (
        ordered.str.replace(_numeric(first, _TO_TWELVE), "${3}-${2}-${1}${4}")
        .str.replace(_numeric(_TO_TWELVE, second), "${3}-${1}-${2}${4}")
        .str.replace(_YEAR_FIRST, "${1}-${2}-${3}${4}")
        .str.replace(_ALL_TOGETHER, "${1}-${2}-${3} ${4}:${5}:${6}${7}")
        .str.replace(_TOGETHER, "${1}-${2}-${3}${4}")
    )


def _named(column: str) -> pl.Expr:
    part = pl.col(column).struct
    month = (
        part.field("month").str.to_lowercase().replace_strict(MONTHS, default=None, return_dtype=pl.String)
    )
    dash = pl.lit("-")
    return pl.concat_str(part.field("year"), dash, month, dash, part.field("day"), part.field("rest"))
