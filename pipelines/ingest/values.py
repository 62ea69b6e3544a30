"""Turn delivered text into typed values, and say of every value whether it could be read.

The one place where money is rounded (to four decimals, half to even) and where local times become UTC. What
follows from a value that cannot be read is decided by the contract.
"""

from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.dictionary import MONEY, Column

OFFSET = r"(?:Z|[+-]\d{2}:?\d{2})$"
"""How a time ends that says its own distance from UTC."""
EXACT_FLOATS = 2.0**53
TRUE = ["true", "yes", "y", "1", "t", "ja", "oui", "sí", "si", "sì", "sim"]
FALSE = ["false", "no", "n", "0", "f", "nein", "nee", "non", "não"]
USUAL_FORM, WHOLE_FORM = "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S%.f"


def readable(column: str) -> str:
    """Name of the flag that says whether a column's value could be read."""
    return f"{column}__readable"


def typed(raw: pl.LazyFrame, columns: tuple[Column, ...], zone: ZoneInfo) -> pl.LazyFrame:
    """Read every text column as its type and add one ``<column>__readable`` flag for each that is not text.

    Blank text is null, and null is always readable: whether a value must be given is the contract's business.
    Times without an offset are the shop's local ones; ``<column>__time`` says 'twice' or 'skipped' where the
    clock change makes them ambiguous or impossible: the first is taken, or they move forward by what the
    clock skips.
    """
    trimmed = raw.with_columns(stripped(pl.col(column.name)) for column in columns)
    moments = [column.name for column in columns if column.kind == "moment"]
    others = [column for column in columns if column.kind != "text"]
    read = (
        trimmed.with_columns(_local(pl.col(name)).alias(f"{name}__local") for name in moments)
        .with_columns(_at_first(pl.col(f"{name}__local"), zone).alias(f"{name}__first") for name in moments)
        .with_columns(_clock_change(name, zone).alias(f"{name}__time") for name in moments)
        .with_columns(_read(column, zone).alias(f"{column.name}__read") for column in others)
    )
    return (
        read.with_columns(
            (pl.col(c.name).is_null() | pl.col(f"{c.name}__read").is_not_null()).alias(readable(c.name))
            for c in others
        )
        .with_columns(pl.col(f"{column.name}__read").alias(column.name) for column in others)
        .drop(f"{column.name}__read" for column in others)
        .drop(f"{name}__{part}" for name in moments for part in ("local", "first"))
    )


def stripped(text: pl.Expr) -> pl.Expr:
    """Text without blanks around it; null where nothing is left."""
    bare = text.str.strip_chars()
    # The engine would gather whole columns for `replace`; a condition it answers row by row.
    return pl.when(bare != "").then(bare)


def local_day(moment: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    """Shop-local calendar day of a UTC moment."""
    return moment.dt.convert_time_zone(zone.key).dt.date()


def day_number(day: pl.Expr) -> pl.Expr:
    """Days from 1970-01-01 to ``day``."""
    return day.cast(pl.Int32)


def _read(column: Column, zone: ZoneInfo) -> pl.Expr:
    value = pl.col(column.name)
    match column.kind:
        case "count":
            # Floats hold whole numbers exactly up to 2^53 only; text that is a plain integer is read as one.
            number = value.cast(pl.Float64, strict=False)
            is_whole = (number == number.round()) & (number.abs() < EXACT_FLOATS)
            return pl.coalesce(
                value.cast(pl.Int64, strict=False),
                pl.when(is_whole).then(number.cast(pl.Int64, strict=False)),
            )
        case "money":
            # From the decimal digits, not through a float; of two neighbours equally near the even one.
            return value.cast(MONEY, strict=False)
        case "number":
            return value.cast(pl.Float64, strict=False)
        case "flag":
            lower = value.str.to_lowercase()
            return pl.when(lower.is_in(TRUE)).then(True).when(lower.is_in(FALSE)).then(False)
        case "day":
            return value.str.to_date("%Y-%m-%d", strict=False)
        case "moment":
            return pl.coalesce(_absolute(value), _to_utc(column.name, zone))
        case _:
            return value


def _only(value: pl.Expr, condition: pl.Expr) -> pl.Expr:
    """Keep a value where it is asked about: what is null is not parsed."""
    return pl.when(condition).then(value)


def _absolute(value: pl.Expr) -> pl.Expr:
    """Read times that say their own distance from UTC."""
    text = _only(value, value.str.contains(OFFSET))
    text = text.str.replace("Z$", "+00:00").str.replace(" ([+-])", "$1").str.replace("T", " ", literal=True)
    read = text.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_unit="us")
    return read.dt.convert_time_zone("UTC")


def _local(value: pl.Expr) -> pl.Expr:
    """Read times that do not; the usual form by itself, which takes a third of the time of all forms."""
    text = _only(value, ~value.str.contains(OFFSET))
    usual = text.str.to_datetime(USUAL_FORM, strict=False, time_unit="us", exact=True)
    rare = _only(text, usual.is_null()).str.replace("T", " ", literal=True)
    colons = rare.str.count_matches(":", literal=True)
    missing = (
        pl.when(colons == 0)
        .then(pl.lit(" 00:00:00"))
        .when(colons == 1)
        .then(pl.lit(":00"))
        .otherwise(pl.lit(""))
    )
    whole = pl.concat_str(rare, missing)
    return pl.coalesce(usual, whole.str.to_datetime(WHOLE_FORM, strict=False, time_unit="us", exact=True))


def _to_utc(column: str, zone: ZoneInfo) -> pl.Expr:
    first, local = pl.col(f"{column}__first"), pl.col(f"{column}__local")
    # A skipped time, read on the clock of the day before, comes out later by as much as the clock skips: an
    # hour, half of one on Lord Howe Island, a whole day on Samoa in 2011.
    skipped = _only(local, first.is_null())
    forward = _at_first(skipped.dt.offset_by("-1d"), zone).dt.convert_time_zone("UTC").dt.offset_by("24h")
    return pl.coalesce(first.dt.convert_time_zone("UTC"), forward)


def _at_first(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    return local.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")


def _clock_change(column: str, zone: ZoneInfo) -> pl.Expr:
    first, local = pl.col(f"{column}__first"), pl.col(f"{column}__local")
    unambiguous = local.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
    return (
        pl.when(local.is_not_null() & first.is_null())
        .then(pl.lit("skipped"))
        .when(local.is_not_null() & unambiguous.is_null())
        .then(pl.lit("twice"))
    )
