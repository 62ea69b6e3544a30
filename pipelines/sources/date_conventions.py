"""How a delivery writes times and days: what tells day from month, and every known form as ISO 8601.

What typing reads by itself stays as delivered, so that a value has the same text in every file. The forms themselves
are `pipelines.sources.date_forms`', numbers `pipelines.sources.number_conventions`'.
"""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import polars as pl
from polars.expr.struct import ExprStructNameSpace

from pipelines.sources.date_forms import (
    DAY_FIRST,
    DOTTED,
    EITHER,
    FIXED_WIDTH,
    MONTH_FIRST,
    SAME,
    TIME,
    Order,
    from_fixed_width,
    with_seconds,
    year_month_day,
)

_FULL = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_LOCAL = f"{_FULL}(?:[ T](?:{_CLOCK}|[0-9]{{2}}:[0-9]{{2}}))?"
_ABSOLUTE = f"{_FULL}[ T]{_CLOCK}(?:Z| ?[+-][0-9]{{2}}:?[0-9]{{2}})"
_ORDERED = rf"^(?<year>[0-9]{{4}})-(?<month>[0-9]{{1,2}})-(?<day>[0-9]{{1,2}}){TIME}$"
_CLOCK_COUNT = r"^[1-3][0-9]{9}(?:[0-9]{3}|\.[0-9]{1,9})?$"
"""Seconds or milliseconds since 1970, from 2001 to 2096."""
_MILLISECONDS = "^[0-9]{13}$"
_SERIAL = r"^[2-7][0-9]{4}(?:\.[0-9]+)?$"
"""Days since 1899-12-30 as spreadsheets count them, from 1954 to 2119."""
_MOMENT = "%Y-%m-%d %H:%M:%S%.f"
ASK_ORDER = 'Say dates = "day first" or "month first" in the source\'s layout'


@dataclass(frozen=True, slots=True)
class DateEvidence:
    """How many values speak for what.

    Attributes
    ----------
    given
        Values that are not blank.
    day_first, month_first
        Values that cannot be read otherwise.
    either, dotted
        Values that can be read both ways as different days; how many of those are parted by dots.
    serials
        Values that may be a spreadsheet's day number.
    """

    given: int = 0
    day_first: int = 0
    month_first: int = 0
    either: int = 0
    dotted: int = 0
    serials: int = 0

    @property
    def is_serial(self) -> bool:
        """Whether a column of such values holds a spreadsheet's day numbers: all of them must be such."""
        return self.serials == self.given > 0


def is_canonical(column: str, kind: str, zone: ZoneInfo | None = None) -> pl.Expr:
    """Whether typing reads a value as it stands, or it is blank; with ``zone``, only with an offset of its own."""
    forms = _FULL if kind == "day" else _ABSOLUTE if zone else f"{_LOCAL}|{_ABSOLUTE}"
    return pl.col(column).str.contains(rf"^\s*(?:{forms})?\s*$")


def with_date_evidence(rows: pl.LazyFrame, column: str) -> pl.LazyFrame:
    """Add a flag ``<column>__<count>`` for each count of `DateEvidence`: what each value is evidence for."""

    def of(part: str) -> pl.Expr:
        return pl.col(f"{column}__{part}")

    small = {part: of(part).is_between(pl.lit("01"), pl.lit("12")) for part in ("first", "second")}
    large = {part: of(part).is_between(pl.lit("13"), pl.lit("31")) for part in ("first", "second")}
    differs = small["first"] & small["second"] & (of("first") != of("second"))
    flags = {
        "given": of("text") != "",
        "day_first": (large["first"] & small["second"]) | of("other").str.contains(DAY_FIRST),
        "month_first": (small["first"] & large["second"]) | of("other").str.contains(MONTH_FIRST),
        "either": differs | (of("other").str.contains(EITHER) & ~of("other").str.contains(SAME)),
        "serials": of("other").str.contains(_SERIAL),
    }
    # Staged, because the streaming engine computes an expression as often as it is used.
    return (
        rows.with_columns(bare(column).alias(f"{column}__text"))
        .with_columns(of("text").str.contains(FIXED_WIDTH).alias(f"{column}__fixed"))
        .with_columns(
            pl.when(of("fixed")).then(of("text").str.slice(0, 2)).alias(f"{column}__first"),
            pl.when(of("fixed")).then(of("text").str.slice(3, 2)).alias(f"{column}__second"),
            pl.when(~of("fixed")).then(of("text")).alias(f"{column}__other"),
        )
        .with_columns(flag.alias(f"{column}__{count}") for count, flag in flags.items())
        .with_columns((of("either") & of("text").str.contains(DOTTED)).alias(f"{column}__dotted"))
    )


def decided_order(found: DateEvidence, told: Order | None) -> tuple[Order | None, str]:
    """Decide what 03/04/2026 means, and say why in words for people; no words where nothing needs deciding."""
    open_ones = f"those such as 03/04/2026 are set aside ({found.either:,}). {ASK_ORDER}"
    if told is not None:
        return (
            told,
            f"dates are {told}, as the settings say ({found.either:,} need it)" if found.either else "",
        )
    if found.day_first and found.month_first:
        return None, (
            f"dates contradict each other: {found.day_first:,} can only be day first, {found.month_first:,} only "
            f"month first" + (f"; {open_ones}" if found.either else "")
        )
    if found.day_first or found.month_first:
        order: Order = "day first" if found.day_first else "month first"
        words = f"dates are {order}: {found.day_first or found.month_first:,} cannot be read otherwise"
        return order, words + (
            f", those such as 03/04/2026 follow them ({found.either:,})" if found.either else ""
        )
    if found.either and found.either == found.dotted:
        return "day first", (
            f"dates are day first: {found.either:,} are written with dots, as day first is; nothing else tells"
        )
    return None, f"nothing in the file tells day from month: {open_ones}" if found.either else ""


def in_iso(
    rows: pl.LazyFrame,
    column: str,
    kind: str,
    order: Order | None,
    zone: ZoneInfo | None,
    *,
    is_serial: bool = False,
) -> pl.LazyFrame:
    """Rewrite a column of kind moment or day; what is no date in any known form stays as it is."""
    odd, known, rest, parts = (f"{column}__{what}" for what in ("odd", "known", "rest", "parts"))
    counted = _from_serial(pl.col(odd)) if is_serial else _from_clock_count(pl.col(odd))
    swift = pl.coalesce(counted, from_fixed_width(pl.col(odd), order), _from_iso(pl.col(odd)))
    found = (
        # Staged, because the streaming engine computes an expression as often as it is used.
        rows.with_columns(pl.when(~is_canonical(column, kind, zone)).then(bare(column)).alias(odd))
        .with_columns(swift.alias(known))
        .with_columns(pl.when(pl.col(known).is_null()).then(odd).alias(rest))
        .pipe(year_month_day, rest, order)
        .with_columns(pl.col(rest).str.extract_groups(_ORDERED).alias(parts))
        .with_columns(pl.coalesce(known, _from_parts(pl.col(parts).struct)).alias(known))
    )
    written = _day(pl.col(known)) if kind == "day" else _moment(pl.col(known), zone)
    return found.with_columns(pl.coalesce(written, column).alias(column)).drop(odd, known, rest, parts)


def bare(column: str) -> pl.Expr:
    """Text without blanks around it and the apostrophe that keeps spreadsheets from reading it."""
    return pl.col(column).str.strip_chars().str.strip_prefix("'").str.strip_chars()


def _from_iso(text: pl.Expr) -> pl.Expr:
    """Write local times that typing reads with a blank and seconds."""
    local = pl.when(text.str.contains(f"^(?:{_LOCAL})$")).then(text)
    return pl.concat_str(
        local.str.slice(0, 10), with_seconds(local.str.slice(10).str.replace("T", " ", literal=True))
    )


def _from_parts(part: ExprStructNameSpace) -> pl.Expr:
    """Write year, month, day, clock time and offset as one text, which need not be a time yet."""
    fraction = pl.concat_str(pl.lit("."), part.field("fraction").str.head(6))
    offset = part.field("offset").str.replace("^([+-][0-9]{2}):?([0-9]{2})?$", "${1}:${2}")
    pieces = (
        part.field("year"),
        pl.lit("-"),
        part.field("month").str.zfill(2),
        pl.lit("-"),
        part.field("day").str.zfill(2),
        pl.lit(" "),
        _hour(part).fill_null("00"),
        pl.lit(":"),
        part.field("minute").fill_null("00"),
        pl.lit(":"),
        part.field("second").fill_null("00"),
        fraction.fill_null(""),
        pl.when(part.field("utc").is_not_null())
        .then(pl.lit("+00:00"))
        .otherwise(offset.str.replace(":$", ":00"))
        .fill_null(""),
    )
    return pl.concat_str(*pieces)


def _hour(part: ExprStructNameSpace) -> pl.Expr:
    """Hour of 24 as two digits; an hour that no half of a day has makes no time."""
    hour, half = part.field("hour").cast(pl.Int64), part.field("half").str.to_lowercase()
    of_24 = hour % 12 + pl.when(half == "p").then(12).otherwise(0)
    return (
        pl.when(half.is_null())
        .then(part.field("hour").str.zfill(2))
        .when(hour.is_between(1, 12))
        .then(of_24.cast(pl.String).str.zfill(2))
        .when(hour.is_not_null())
        .then(pl.lit("99"))
    )


def _day(text: pl.Expr) -> pl.Expr:
    day = text.str.slice(0, 10)
    return pl.when(day.str.to_date("%Y-%m-%d", strict=False).is_not_null()).then(day)


def _moment(text: pl.Expr, zone: ZoneInfo | None) -> pl.Expr:
    has_offset = text.str.contains(r"[+-][0-9]{2}:[0-9]{2}$")
    absolute, local = pl.when(has_offset).then(text), pl.when(~has_offset).then(text)
    at = local.str.to_datetime(_MOMENT, strict=False, time_unit="us")
    is_time = absolute.str.to_datetime(f"{_MOMENT}%z", strict=False, time_unit="us").is_not_null()
    if zone is None:
        return pl.when(is_time | at.is_not_null()).then(text)
    return pl.when(is_time).then(absolute).otherwise(_with_offset(at, zone))


def _with_offset(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    """Write local times with their zone's offset: the first of two, or moved forward by what the clock skips."""
    first = _at_first(local, zone)
    day_before = _at_first(pl.when(first.is_null()).then(local).dt.offset_by("-1d"), zone)
    forward = day_before.dt.convert_time_zone("UTC").dt.offset_by("24h").dt.convert_time_zone(zone.key)
    return pl.coalesce(first, forward).dt.to_string(f"{_MOMENT}%:z")


def _at_first(local: pl.Expr, zone: ZoneInfo) -> pl.Expr:
    return local.dt.replace_time_zone(zone.key, ambiguous="earliest", non_existent="null")


def _from_clock_count(value: pl.Expr) -> pl.Expr:
    count = pl.when(value.str.contains(_CLOCK_COUNT)).then(value).cast(pl.Decimal(28, 9), strict=False)
    scale = pl.when(value.str.contains(_MILLISECONDS)).then(1_000).otherwise(1_000_000)
    return (count * scale).cast(pl.Int64).cast(pl.Datetime("us", "UTC")).dt.to_string(f"{_MOMENT}%:z")


def _from_serial(value: pl.Expr) -> pl.Expr:
    days = pl.when(value.str.contains(_SERIAL)).then(value).cast(pl.Float64, strict=False)
    # Sheets hold 15 digits: a millisecond is the finest that comes back as it went in.
    since = pl.duration(milliseconds=(days * 86_400_000).round().cast(pl.Int64))
    return (pl.datetime(1899, 12, 30, time_unit="us") + since).dt.to_string(_MOMENT)
