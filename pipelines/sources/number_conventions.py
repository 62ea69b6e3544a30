"""How a delivery writes amounts and numbers: what parts whole from fraction, and plain decimal text.

From text to text, never through floats. A number that can be read in one way only is read so, whatever the file's
others are like; only 1,234 and 1.234 need the file to decide. Reading the plain text is `pipelines.ingest.values`'
business, dates are `pipelines.sources.date_conventions`'.
"""

from dataclasses import dataclass
from typing import Literal

import polars as pl

from pipelines.sources.currencies import MARK
from pipelines.sources.date_conventions import bare

Point = Literal[".", ","]

UNDECIDED = "?"
"""Stands after a 1.234 that typing would read although nothing says how."""

ASK_POINT = 'Say decimal = "," or "." in the source\'s layout'

_BLANK = "[ \u00a0\u2009\u202f'’]"
_MINUS = "[-\u2212\u2013]"
_PLAIN = r"^\s*(?:[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)?\s*$"
_SURELY_PLAIN = r"^\s*(?:[-+]?[0-9]+(?:\.(?:[0-9]{1,2}|[0-9]{4,}))?)?\s*$"
_MORE_THAN_DIGITS = rf"[^0-9.,+()\u2212\u2013\-{_BLANK[1:]}"
_MARK_BEFORE = rf"^({_MINUS}|[+(])?\s*({MARK})\s*({_MINUS})?\s*([0-9.,])"
_MARK_AFTER = rf"([0-9])\s*({MARK})\s*({_MINUS}|\))?$"


def _written_with(point: str, separator: str) -> str:
    # Indian groups, 12,34,567, are written with commas only.
    smallest = 2 if separator == "," else 3
    groups = rf"[1-9][0-9]{{0,2}}(?:{separator}[0-9]{{{smallest},3}})*{separator}[0-9]{{3}}"
    blanks = f"[1-9][0-9]{{0,2}}(?:{_BLANK}[0-9]{{3}})+"
    number = f"(?:(?:[0-9]+|{groups}|{blanks})(?:{point}[0-9]+)?|{point}[0-9]+)"
    return rf"^(?:(?:{_MINUS}|\+)?\s?{number}|{number}\s?{_MINUS}|\(\s?{number}\s?\))$"


_WITH_POINT, _WITH_COMMA = _written_with(r"\.", ","), _written_with(",", r"\.")


@dataclass(frozen=True, slots=True)
class NumberEvidence:
    """How many values speak for what.

    Attributes
    ----------
    odd
        Values that are no plain number.
    with_comma, with_point
        Values with a fraction or thousands that can be read with a decimal comma or point only.
    lone_comma, lone_point
        Values such as 1,234 and 1.234, which can be read both ways.
    """

    odd: int = 0
    with_comma: int = 0
    with_point: int = 0
    lone_comma: int = 0
    lone_point: int = 0


def is_surely_plain(column: str) -> pl.Expr:
    """Whether typing reads a value as it stands and no other reading is possible, or it is blank."""
    return pl.col(column).str.contains(_SURELY_PLAIN)


def has_point(column: str) -> pl.Expr:
    """Whether a plain number has a fraction that can be no thousands: 12.5, not 1.234."""
    return pl.col(column).str.contains(_SURELY_PLAIN) & pl.col(column).str.contains(".", literal=True)


def is_plain(column: str) -> pl.Expr:
    """Whether typing reads a value as it stands, or it is blank."""
    return pl.col(column).str.contains(_PLAIN)


def with_number_evidence(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Add a flag ``<column>__<count>`` for each count of `NumberEvidence`, and the currency ``<column>__mark``."""
    number, point, comma = (pl.col(f"{column}__{part}") for part in ("number", "point", "comma"))
    flags = {
        "odd": ~is_plain(column),
        "with_comma": comma & ~point,
        "with_point": point & ~comma,
        "lone_comma": point & comma & number.str.contains(",", literal=True),
        "lone_point": point & comma & number.str.contains(".", literal=True),
    }
    marked = pl.col(f"{column}__marked")
    mark = pl.coalesce(marked.str.extract(_MARK_BEFORE, 2), marked.str.extract(_MARK_AFTER, 2))
    return _with_readings(rows, column, drops_marks=True).with_columns(
        mark.alias(f"{column}__mark"), *(flag.alias(f"{column}__{count}") for count, flag in flags.items())
    )


def decided_point(found: NumberEvidence, told: Point | None) -> tuple[Point | None, str]:
    """Decide what 1,234 and 1.234 mean, and say why in words for people; no words for plain numbers."""
    lone = found.lone_comma + found.lone_point
    names = {".": "point", ",": "comma"}
    if told is not None:
        return (
            told,
            f"numbers have a decimal {names[told]}, as the settings say ({lone:,} need it)" if lone else "",
        )
    if found.with_comma and found.with_point:
        return None, (
            f"numbers contradict each other: {found.with_comma:,} can only have a decimal comma, "
            f"{found.with_point:,} only a decimal point" + (f"; {_set_aside(lone)}" if lone else "")
        )
    if found.with_comma or found.with_point:
        point: Point = "," if found.with_comma else "."
        evidence = found.with_comma or found.with_point
        words = f"numbers have a decimal {names[point]}: {evidence:,} cannot be read otherwise"
        words += f", those such as 1,234 or 1.234 follow them ({lone:,})" if lone else ""
        is_usual = point == "." and not found.lone_comma
        return point, "" if is_usual else words
    return None, f"nothing in the file tells a decimal comma from a point: {_set_aside(lone)}" if lone else ""


def _set_aside(lone: int) -> str:
    return f"those such as 1,234 or 1.234 are set aside ({lone:,}). {ASK_POINT}"


def in_plain_digits(
    rows: pl.LazyFrame, column: str, point: Point | None, *, drops_marks: bool = True
) -> pl.LazyFrame:
    """Rewrite a column of numbers; what is no number stays as it is.

    Parameters
    ----------
    point
        How 1,234 and 1.234 are read; None leaves them unreadable.
    drops_marks
        Whether a currency beside the number may go.
    """
    value, number = pl.col(column), pl.col(f"{column}__number")
    with_point, with_comma = pl.col(f"{column}__point"), pl.col(f"{column}__comma")
    stays = is_plain(column)
    is_lone = with_point & with_comma & number.str.contains("[.,]")
    sign = pl.when(number.str.contains(rf"{_MINUS}|\(")).then(pl.lit("-")).otherwise(pl.lit(""))
    by_point = pl.concat_str(sign, number.str.replace_all("[^0-9.]", ""))
    by_comma = pl.concat_str(sign, number.str.replace_all("[^0-9,]", "").str.replace(",", ".", literal=True))
    if point is None:
        lone = pl.when(stays).then(pl.concat_str(value, pl.lit(UNDECIDED))).otherwise(value)
    else:
        lone = by_comma if point == "," else pl.when(stays).then(value).otherwise(by_point)
    plain = (
        pl.when(is_lone)
        .then(lone)
        .when(stays)
        .then(value)
        .when(with_comma)
        .then(by_comma)
        .when(with_point)
        .then(by_point)
        .otherwise(value)
    )
    parts = [f"{column}__{part}" for part in ("marked", "number", "point", "comma")]
    return _with_readings(rows, column, drops_marks=drops_marks).with_columns(plain.alias(column)).drop(parts)


def _with_readings(rows: pl.LazyFrame, column: str, *, drops_marks: bool) -> pl.LazyFrame:
    """Add the number without its currency, and whether a decimal point and a decimal comma make sense of it."""
    marked, number = f"{column}__marked", f"{column}__number"
    unmarked = (
        pl.col(marked).str.replace(_MARK_BEFORE, "${1}${3}${4}").str.replace(_MARK_AFTER, "${1}${3}")
        if drops_marks
        else pl.col(marked)
    )
    # Staged, because the streaming engine computes an expression as often as it is used.
    return (
        rows.with_columns(bare(column).alias(number))
        .with_columns(pl.when(pl.col(number).str.contains(_MORE_THAN_DIGITS)).then(number).alias(marked))
        .with_columns(pl.coalesce(unmarked, number).alias(number))
        .with_columns(
            pl.col(number).str.contains(_WITH_POINT).alias(f"{column}__point"),
            pl.col(number).str.contains(_WITH_COMMA).alias(f"{column}__comma"),
        )
    )
