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
TRUE, FALSE = ["true", "yes", "y", "1", "t"], ["false", "no", "n", "0", "f"]
LOCAL_FORMATS = (
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
)


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
    trimmed = raw.with_columns(pl.col(column.name).str.strip_chars().replace("", None) for column in columns)
    read = trimmed.with_columns(_read(column, zone).alias(f"{column.name}__read") for column in columns)
    others = [column for column in columns if column.kind != "text"]
    return (
        read.with_columns(
            *(
                (pl.col(c.name).is_null() | pl.col(f"{c.name}__read").is_not_null()).alias(readable(c.name))
                for c in others
            ),
            *(_clock_change(c.name, zone).alias(f"{c.name}__time") for c in others if c.kind == "moment"),
        )
        .with_columns(pl.col(f"{column.name}__read").alias(column.name) for column in columns)
        .drop(f"{column.name}__read" for column in columns)
    )


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
            with_offset = value.str.replace("Z$", "+00:00").str.replace(" ([+-])", "$1").str.replace("T", " ")
            absolute = with_offset.str.to_datetime("%Y-%m-%d %H:%M:%S%.f%z", strict=False, time_unit="us")
            return (
                pl.when(value.str.contains(OFFSET))
                .then(absolute.dt.convert_time_zone("UTC"))
                .otherwise(_to_utc(_local(column.name), zone))
            )
        case _:
            return value


def _local(column: str) -> pl.Expr:
    value = pl.col(column)
    return pl.coalesce(
        value.str.to_datetime(form, strict=False, time_unit="us", exact=True) for form in LOCAL_FORMATS
    )


def _to_utc(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    first = _at_first(local, zone)
    # A skipped time, read on the clock of the day before, comes out later by as much as the clock skips: an
    # hour, half of one on Lord Howe Island, a whole day on Samoa in 2011.
    forward = _at_first(local.dt.offset_by("-1d"), zone).dt.convert_time_zone("UTC").dt.offset_by("24h")
    return pl.coalesce(first.dt.convert_time_zone("UTC"), forward)


def _at_first(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    return local.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")


def _clock_change(column: str, zone: ZoneInfo) -> pl.Expr:
    local = pl.when(~pl.col(column).str.contains(OFFSET)).then(_local(column))
    first = _at_first(local, zone)
    unambiguous = local.dt.replace_time_zone(zone.key, ambiguous="null", non_existent="null")
    return (
        pl.when(local.is_not_null() & first.is_null())
        .then(pl.lit("skipped"))
        .when(local.is_not_null() & unambiguous.is_null())
        .then(pl.lit("twice"))
    )
