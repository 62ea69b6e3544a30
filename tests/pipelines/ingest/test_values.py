"""Typed values: exact where they can be read, null and flagged where not, and never an exception."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_contracts.dictionary import MONEY, Column, Privacy
from pipelines.ingest.values import day_number, local_day, typed

LONDON = ZoneInfo("Europe/London")
KINDS = ["count", "money", "number", "flag", "day", "moment", "text"]


def read(kind: str, values: list[str | None], zone: ZoneInfo = LONDON) -> pl.DataFrame:
    column = Column("value", kind, "A value.", "", Privacy.NONE, False)
    return typed(pl.LazyFrame({"value": values}, schema={"value": pl.String}), (column,), zone).collect()


def one(kind: str, value: str, zone: ZoneInfo = LONDON) -> object:
    return read(kind, [value], zone)["value"].item()


@given(st.integers(-(2**63), 2**63 - 1))
@example(2**53 + 1)
@settings(max_examples=100)
def test_a_whole_number_is_read_to_its_last_digit(number: int) -> None:
    assert one("count", str(number)) == number


@given(st.decimals(min_value=-(10**13), max_value=10**13, places=4))
@example(Decimal("99999999999999.9999"))
@example(Decimal("-0.0001"))
@settings(max_examples=100)
def test_money_of_four_decimals_is_read_to_its_last_digit(amount: Decimal) -> None:
    assert one("money", f"{amount:f}") == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0.12344", "0.1234"),
        ("0.12346", "0.1235"),
        ("0.12345", "0.1234"),
        ("0.12355", "0.1236"),
        ("-0.12345", "-0.1234"),
        ("0.00004999999999999999", "0.0000"),
        ("1.1", "1.1000"),
        (" 7 ", "7.0000"),
        ("1e3", "1000.0000"),
        ("1.5E-3", "0.0015"),
        ("+2.5", "2.5000"),
        (".5", "0.5000"),
    ],
)
def test_money_is_rounded_once_on_its_decimal_digits_half_to_even(text: str, amount: str) -> None:
    assert one("money", text) == Decimal(amount)


@given(st.decimals(min_value=-(10**6), max_value=10**6, places=8))
@settings(max_examples=60)
def test_money_rounding_agrees_with_pythons_decimal(amount: Decimal) -> None:
    assert one("money", f"{amount:f}") == amount.quantize(Decimal("0.0001"), rounding="ROUND_HALF_EVEN")


@pytest.mark.parametrize(
    "text",
    ["12.50 GBP", "£5", "1,000.00", "1.000,00", "nan", "inf", "-inf", "1e400", "1e15", "--1", "0x1F", "٣"],
)
@pytest.mark.parametrize("kind", ["money", "count"])
def test_what_is_no_number_is_null_and_flagged(kind: str, text: str) -> None:
    if (kind, text) == ("count", "1e15"):
        assert one(kind, text) == 10**15
        return
    row = read(kind, [text]).row(0, named=True)
    assert row["value"] is None
    assert row["value__readable"] is False


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5.0", 5),
        ("1e3", 1000),
        ("-0.0", 0),
        ("5.5", None),
        ("9223372036854775808", None),
        ("1e300", None),
        ("007", 7),
    ],
)
def test_a_count_is_a_whole_number_however_it_is_written(text: str, number: int | None) -> None:
    assert one("count", text) == number


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", ["", "   ", "\t\n", None])
def test_blank_is_null_and_no_fault(kind: str, text: str | None) -> None:
    row = read(kind, [text]).row(0, named=True)
    assert row["value"] is None
    assert row.get("value__readable", True) is True


@given(
    st.lists(
        st.one_of(st.none(), st.text(), st.from_regex(r"[-+0-9.:eETZ/ ]{0,30}", fullmatch=True)), max_size=20
    )
)
@settings(max_examples=150, deadline=None)
def test_no_text_whatever_stops_the_reading(values: list[str | None]) -> None:
    for kind in KINDS:
        for zone in (LONDON, ZoneInfo("Pacific/Apia")):
            assert read(kind, values, zone).height == len(values)


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("TRUE", True),
        ("Yes", True),
        ("1", True),
        ("f", False),
        ("No", False),
        ("0", False),
        ("maybe", None),
        ("2", None),
    ],
)
def test_yes_and_no_in_the_words_that_exports_use(text: str, flag: bool | None) -> None:
    row = read("flag", [text]).row(0, named=True)
    assert row["value"] is flag
    assert row["value__readable"] is (flag is not None)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-05-01 09:59:00 +0200", "2026-05-01 07:59:00"),
        ("2026-05-01 09:59:00+02:00", "2026-05-01 07:59:00"),
        ("2026-05-01T09:59:00Z", "2026-05-01 09:59:00"),
        ("2026-05-01T09:59:00.250Z", "2026-05-01 09:59:00.25"),
        ("2026-05-01 09:59:00-11:00", "2026-05-01 20:59:00"),
        ("2026-05-01 09:59:00", "2026-05-01 08:59:00"),
        ("2026-05-01T09:59", "2026-05-01 08:59:00"),
        ("2026-05-01 09:59:00.123456", "2026-05-01 08:59:00.123456"),
        ("2026-05-01", "2026-04-30 23:00:00"),
        ("2026-01-01", "2026-01-01 00:00:00"),
    ],
)
def test_a_time_keeps_its_own_offset_and_is_local_without_one(text: str, utc: str) -> None:
    assert one("moment", text) == datetime.fromisoformat(utc).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "01/05/2026",
        "2026-13-01",
        "2026-02-30 10:00:00",
        "2026-05-01 25:00:00",
        "yesterday",
        "1714550000",
        "2026-05-01 09:59:00 +9999",
        "01-05-2026",
    ],
)
def test_a_time_that_is_none_or_ambiguous_is_null_and_flagged(text: str) -> None:
    row = read("moment", [text]).row(0, named=True)
    assert row["value"] is None
    assert row["value__readable"] is False


@pytest.mark.parametrize(
    ("zone", "text", "utc", "says"),
    [
        ("Europe/London", "2024-10-27 01:30:00", "2024-10-27 00:30:00", "twice"),
        ("Europe/London", "2024-10-27 00:59:59", "2024-10-26 23:59:59", None),
        ("Europe/London", "2024-10-27 02:00:00", "2024-10-27 02:00:00", None),
        ("Europe/London", "2024-03-31 01:30:00", "2024-03-31 01:30:00", "skipped"),
        ("Europe/London", "2024-03-31 02:00:00", "2024-03-31 01:00:00", None),
        ("Pacific/Auckland", "2024-01-01 00:30:00", "2023-12-31 11:30:00", None),
        ("Pacific/Auckland", "2024-09-29 02:30:00", "2024-09-28 14:30:00", "skipped"),
        ("Pacific/Pago_Pago", "2024-01-01 23:30:00", "2024-01-02 10:30:00", None),
        # Half an hour is skipped and doubled here.
        ("Australia/Lord_Howe", "2024-10-06 02:15:00", "2024-10-05 15:45:00", "skipped"),
        ("Australia/Lord_Howe", "2024-04-07 01:45:00", "2024-04-06 14:45:00", "twice"),
        # Samoa crossed the date line: the whole day is missing.
        ("Pacific/Apia", "2011-12-30 10:00:00", "2011-12-30 20:00:00", "skipped"),
    ],
)
def test_clock_changes_take_the_first_or_move_forward_by_what_is_skipped(
    zone: str, text: str, utc: str, says: str | None
) -> None:
    row = read("moment", [text], ZoneInfo(zone)).row(0, named=True)
    assert row["value"] == datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert row["value__time"] == says
    assert row["value__readable"] is True


@given(
    st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2037-12-31")).map(
        lambda t: t.replace(microsecond=0)
    ),
    st.sampled_from(
        ["Europe/London", "Pacific/Auckland", "Pacific/Pago_Pago", "Australia/Lord_Howe", "America/Sao_Paulo"]
    ),
)
@settings(max_examples=200, deadline=None)
def test_local_times_agree_with_pythons_own_reading(local: datetime, zone: str) -> None:
    expected = local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)
    assert one("moment", f"{local:%Y-%m-%d %H:%M:%S}", ZoneInfo(zone)) == expected


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Auckland", date(2024, 1, 2)),
        ("Pacific/Pago_Pago", date(2024, 1, 1)),
        ("UTC", date(2024, 1, 1)),
    ],
)
def test_the_day_is_the_shops_and_its_number_counts_from_1970(zone: str, day: date) -> None:
    moment = pl.DataFrame({"at": [datetime(2024, 1, 1, 13, tzinfo=UTC)]})
    found = moment.select(local_day(pl.col("at"), ZoneInfo(zone)).alias("day")).with_columns(
        day_number(pl.col("day")).alias("number")
    )
    assert found.row(0) == (day, (day - date(1970, 1, 1)) // timedelta(days=1))
    assert found.schema["number"] == pl.Int32()


def test_types_are_the_dictionarys() -> None:
    assert read("money", ["1"]).schema["value"] == MONEY
    assert read("moment", ["2024-01-01"]).schema["value"] == pl.Datetime("us", "UTC")
