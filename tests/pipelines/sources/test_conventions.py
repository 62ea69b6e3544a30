"""Conventions: whatever way a date or amount is written, it reads back as the same value, or it is set aside."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from data_contracts.dictionary import Column, Privacy
from pipelines.ingest.values import typed
from pipelines.settings import Layout
from pipelines.sources.conventions import Conventions, find_conventions, in_canonical_text
from pipelines.sources.currencies import currencies_meant
from pipelines.sources.date_forms import MONTHS

BERLIN = ZoneInfo("Europe/Berlin")
UTC_ZONE = ZoneInfo("UTC")
PLAIN, POINT, COMMA = Layout(), Layout(decimal="."), Layout(decimal=",")


def column(name: str, kind: str) -> Column:
    return Column(name, kind, "A value.", "", Privacy.NONE, False)


def canonical(
    kind: str, values: Sequence[str | None], layout: Layout = PLAIN, zone: ZoneInfo | None = None
) -> tuple[list[str | None], Conventions]:
    frame = pl.LazyFrame({"value": values}, schema={"value": pl.String})
    columns = (column("value", kind),)
    found = find_conventions(frame, columns, layout)
    written = in_canonical_text(frame, columns, found, zone).collect(engine="streaming")
    assert written.columns == ["value"]
    return written["value"].to_list(), found


def values_of(kind: str, texts: list[str | None], zone: ZoneInfo = UTC_ZONE) -> list[object]:
    frame = pl.LazyFrame({"value": texts}, schema={"value": pl.String})
    return typed(frame, (column("value", kind),), zone).collect()["value"].to_list()


def read(
    kind: str, values: Sequence[str | None], layout: Layout = PLAIN, zone: ZoneInfo = UTC_ZONE
) -> list[object]:
    return values_of(kind, canonical(kind, values, layout)[0], zone)


# Dates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("31/12/2026", "2026-12-31 00:00:00"),
        ("31.12.2026 09:59", "2026-12-31 09:59:00"),
        ("31-12-2026 09:59:07", "2026-12-31 09:59:07"),
        ("31.12.26", "2026-12-31 00:00:00"),
        ("31/12/69", "1969-12-31 00:00:00"),
        ("31. 12. 2026, 9:59", "2026-12-31 09:59:00"),
        ("31/12/2026 9:59 PM", "2026-12-31 21:59:00"),
        ("31/12/2026 12:05:09 a.m.", "2026-12-31 00:05:09"),
        ("12/31/2026 12:05 PM", "2026-12-31 12:05:00"),
        ("12/31/2026 9:05:00 AM +02:00", "2026-12-31 07:05:00"),
        ("2026/5/3", "2026-05-03 00:00:00"),
        ("2026.05.03 9:59", "2026-05-03 09:59:00"),
        ("2026-05-03T09:59:00+0200", "2026-05-03 07:59:00"),
        ("2026-05-03 09:59:00 UTC", "2026-05-03 09:59:00"),
        ("2026-05-03T09:59Z", "2026-05-03 09:59:00"),
        ("2026-05-03 09:59:00+02", "2026-05-03 07:59:00"),
        ("2026-05-03 09:59:00,25", "2026-05-03 09:59:00.250000"),
        ("20260503", "2026-05-03 00:00:00"),
        ("20260503 09:59", "2026-05-03 09:59:00"),
        ("20260503T095907Z", "2026-05-03 09:59:07"),
        ("20260503095907", "2026-05-03 09:59:07"),
        ("3 Mai 2026", "2026-05-03 00:00:00"),
        ("May 3, 2026", "2026-05-03 00:00:00"),
        ("May 3rd 2026 at 9:59 pm", "2026-05-03 21:59:00"),
        ("03-May-26", "2026-05-03 00:00:00"),
        ("3. März 2026 um 14:30 Uhr", "2026-03-03 14:30:00"),
        ("1er août 2026", "2026-08-01 00:00:00"),
        ("3 de mayo de 2026 14:30", "2026-05-03 14:30:00"),
        ("zo 3 mei 2026", "2026-05-03 00:00:00"),
        ("3 maggio 2026, 14h30", "2026-05-03 14:30:00"),
        ("Sunday, May 3, 2026", "2026-05-03 00:00:00"),
        ("Sun, 03 May 2026 09:59:00 +0200", "2026-05-03 07:59:00"),
        ("Sun May 03 2026 09:59:00 GMT+0200 (CEST)", "2026-05-03 07:59:00"),
        ("1714550000", "2024-05-01 07:53:20"),
        ("1714550000.25", "2024-05-01 07:53:20.250000"),
        ("1714550000123", "2024-05-01 07:53:20.123000"),
        ("'31/12/2026", "2026-12-31 00:00:00"),
        ("\u00a031/12/2026  ", "2026-12-31 00:00:00"),
    ],
)  # fmt: skip
def test_a_date_is_read_in_the_ways_that_exports_write_it(text: str, utc: str) -> None:
    expected = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    # Beside values of another form as well, so that forms may mix within a column.
    assert read("moment", [text, "2026-05-01 10:00:00", None, "n/a"]) == [
        expected, datetime(2026, 5, 1, 10, tzinfo=UTC), None, None
    ]  # fmt: skip
    assert read("day", [text])[0] == expected.date() or "+" in text


@pytest.mark.parametrize(
    "text",
    [
        "31/02/2026", "2026-02-30 10:00", "32/12/2026", "13/13/2026", "0/5/2026", "31/12/2026 25:00", "31/12/2026 9",
        "31/12/2026 13:00 PM", "31/12/2026 0:30 AM", "31/12/126", "May 2026", "3 Floreal 2026", "yesterday", "12:30",
        "20261331", "45413", "171455000", "31/12/2026 10:00 +99:99", "1/2/3/4", "-", "'", "31/12/2026 or so",
    ],
)  # fmt: skip
def test_what_is_no_date_stays_as_delivered(text: str) -> None:
    written, _ = canonical("moment", [text, "31/12/2026"])
    assert written == [text, "2026-12-31 00:00:00"]


def test_what_typing_reads_by_itself_stays_as_delivered() -> None:
    values: list[str | None] = ["2026-05-01", "2026-05-01T10:00", "2026-05-01 10:00:00.5", "2026-05-01T10:00:00Z",
                                " 2026-05-01 10:00:00 +0200", "", None]  # fmt: skip
    written, found = canonical("moment", values)
    assert written == values
    assert found == Conventions()
    assert canonical("moment", [*values, "31/12/2026"])[0][:-1] == values


@pytest.mark.parametrize(
    ("values", "order", "says"),
    [
        (
            ["03/04/2026", "13/04/2026", "05/05/2026"],
            "day first",
            "1 cannot be read otherwise, .* follow them \\(1\\)",
        ),
        (["03/04/2026", "04/13/26 1:00 PM"], "month first", "1 cannot be read otherwise"),
        (
            ["03/04/2026", "13/04/2026", "04/13/2026"],
            None,
            "contradict .* 1 can only be day first, 1 only month first",
        ),
        (
            ["03/04/2026", "2026-04-13"],
            None,
            "nothing in the file tells day from month: .* set aside \\(1\\)",
        ),
        (["03.04.2026", "05.05.2026"], "day first", "1 are written with dots"),
        (["03.04.2026", "03/04/2026"], None, "nothing in the file tells"),
    ],
)
def test_evidence_in_the_file_tells_day_from_month(
    values: list[str | None], order: str | None, says: str
) -> None:
    written, found = canonical("moment", values)
    assert found.dates == order
    assert re.search(says, "\n".join(found.notes))
    if order is None:
        assert written[0] == values[0]
    else:
        assert written[0] == ("2026-04-03 00:00:00" if order == "day first" else "2026-03-04 00:00:00")


def test_equal_day_and_month_are_read_without_evidence() -> None:
    written, found = canonical("day", ["05/05/2026", "5.5.26"])
    assert (written, found.dates, found.notes) == (["2026-05-05"] * 2, None, ())


def test_evidence_of_one_column_counts_for_the_others() -> None:
    frame = pl.LazyFrame(
        {"ordered": ["03/04/2026"], "updated": ["14/04/2026"], "paid": [None]},
        schema_overrides={"paid": pl.String},
    )
    columns = (column("ordered", "moment"), column("updated", "moment"), column("paid", "day"))
    found = find_conventions(frame, columns, Layout())
    assert found.rewritten == {"ordered", "updated"}
    row = in_canonical_text(frame, columns, found, None).collect().row(0)
    assert row == ("2026-04-03 00:00:00", "2026-04-14 00:00:00", None)


def test_settings_go_before_evidence_and_leave_what_is_clear() -> None:
    written, found = canonical("day", ["03/04/2026", "13/04/2026"], Layout(dates="month first"))
    assert (written, found.dates) == (["2026-03-04", "2026-04-13"], "month first")
    assert found.notes == ("dates are month first, as the settings say (1 need it)",)


def test_day_numbers_of_spreadsheets_count_only_where_all_values_are_such() -> None:
    written, found = canonical("moment", ["45413", "45413.4159722222", "45413.000011574", None])
    assert written == ["2024-05-01 00:00:00", "2024-05-01 09:59:00", "2024-05-01 00:00:01", None]
    assert found.notes == ("value holds a spreadsheet's day numbers",)
    assert canonical("day", ["45413.9"])[0] == ["2024-05-01"]
    assert canonical("moment", ["45413", "2024-05-01"])[0] == ["45413", "2024-05-01"]


@pytest.mark.parametrize(
    ("text", "with_offset"),
    [
        ("2024-10-27 02:30:00", "2024-10-27 02:30:00+02:00"),
        ("27/10/2024 02:30", "2024-10-27 02:30:00+02:00"),
        ("2024-03-31 02:30", "2024-03-31 03:30:00+02:00"),
        ("2024-03-31", "2024-03-31 00:00:00+01:00"),
        ("2024-03-31T02:30:00Z", "2024-03-31T02:30:00Z"),
        ("31/12/2025 9:00 pm +05:30", "2025-12-31 21:00:00+05:30"),
        ("1714550000", "2024-05-01 07:53:20+00:00"),
        ("n/a", "n/a"),
    ],
)
def test_a_source_in_another_zone_has_its_times_offset(text: str, with_offset: str) -> None:
    assert canonical("moment", [text], zone=BERLIN)[0] == [with_offset]


ZONES = [
    "Europe/Berlin",
    "Pacific/Auckland",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "UTC",
]
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31)).map(lambda t: t.replace(microsecond=0))  # noqa: DTZ001


@given(TIMES, st.sampled_from(ZONES))
@settings(max_examples=60, deadline=None)
@example(datetime(2011, 12, 30, 10), "Pacific/Apia")  # noqa: DTZ001
def test_a_time_with_its_zones_offset_is_the_time_that_typing_reads_in_that_zone(
    local: datetime, zone: str
) -> None:
    text = f"{local:%d.%m.%Y %H:%M:%S}"
    written, _ = canonical("moment", [text], Layout(dates="day first"), ZoneInfo(zone))
    assert values_of("moment", written) == values_of("moment", [f"{local}"], ZoneInfo(zone))


WRITERS = {
    "day first": [
        "{t.day:02}/{t.month:02}/{t.year} {clock}",
        "{t.day}.{t.month}.{t.year}, {clock}",
        "{t.day}-{t.month}-{yy} {clock}",
        "{t.day}/{t.month}/{yy} {half_clock}",
        "{t.day:02}.{t.month:02}.{t.year} {clock}+00:00",
    ],
    "month first": [
        "{t.month:02}/{t.day:02}/{t.year} {clock}",
        "{t.month}/{t.day}/{yy} {half_clock}",
        "{t.month}-{t.day}-{t.year} {clock} UTC",
    ],
    None: [
        "{t.year}/{t.month}/{t.day} {clock}",
        "{t:%Y%m%d%H%M%S}",
        "{unix}",
        "{unix}000",
        "{t.day} {name} {t.year} {clock}",
        "{name} {t.day}, {t.year} {half_clock}",
        "{t.day:02}-{name}-{yy} {clock}",
        "{t:%Y-%m-%dT%H:%M:%SZ}",
        "{t.day}. {name} {t.year}, {clock}",
    ],
}
MOMENTS = st.datetimes(datetime(2001, 9, 10), datetime(2037, 12, 31))  # noqa: DTZ001


@given(
    st.lists(st.tuples(MOMENTS, st.integers(0, 13)), min_size=1),
    st.sampled_from(["day first", "month first"]),
    st.randoms(use_true_random=False),
)
@settings(max_examples=60, deadline=None)
def test_times_however_written_and_mixed_read_back_to_the_second(times, order, random) -> None:
    forms = [*WRITERS[order], *WRITERS[None]]
    texts, expected = [], []
    for t, pick in times:
        half_clock = f"{(t.hour + 11) % 12 + 1}:{t:%M:%S} {'AM' if t.hour < 12 else 'PM'}"
        name = random.choice([name for name, number in MONTHS.items() if number == str(t.month)])
        texts.append(
            forms[pick % len(forms)].format(
                t=t, clock=f"{t:%H:%M:%S}", yy=f"{t:%y}", half_clock=half_clock, name=name.title(),
                unix=int(t.replace(tzinfo=UTC).timestamp()),
            )
        )  # fmt: skip
        expected.append(t.replace(microsecond=0, tzinfo=UTC))
    written, _ = canonical("moment", texts, Layout(dates=order))
    assert values_of("moment", written) == expected
    assert canonical("moment", written)[0] == written
    days, _ = canonical("day", texts, Layout(dates=order))
    assert values_of("day", days) == [moment.date() for moment in expected]


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 12, 31)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_the_order_is_decided_as_by_trying_both(days: list[date]) -> None:
    texts = [f"{day:%d/%m/%Y}" for day in days]
    written, found = canonical("day", texts)
    ambiguous = [day for day in days if day.day <= 12 and day.day != day.month]
    decisive = [day for day in days if day.day > 12]
    assert found.dates == ("day first" if decisive else None)
    for day, text, canonical_text in zip(days, texts, written, strict=True):
        assert canonical_text == (text if day in ambiguous and not decisive else day.isoformat())


# Numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12,50", "12.50"), ("-0,5", "-0.5"), (",5", ".5"), ("1.234,56", "1234.56"), ("1.234.567", "1234567"),
        ("1 234,50", "1234.50"), ("1\u00a0234\u00a0567,5", "1234567.5"), ("1\u202f234,5", "1234.5"),
        ("1'234,5", "1234.5"), ("€ 12,50", "12.50"), ("€-12,50", "-12.50"), ("-€12,50", "-12.50"),
        ("12,50 €", "12.50"), ("EUR12,50", "12.50"), ("12,50 EUR-", "-12.50"), ("12,50-", "-12.50"),
        ("\u221212,50", "-12.50"), ("(12,50)", "-12.50"), ("(€ 12,50)", "-12.50"), ("+12,50", "12.50"),
        ("'12,50", "12.50"), (" 12,50 ", "12.50"), ("0,125", "0.125"), ("1234,567", "1234.567"),
        ("1 234,567", "1234.567"), ("7 €", "7"), ("12.50", "12.50"), ("1,234.50", "1234.50"),
        ("1,234,567", "1234567"), ("12,34,567.5", "1234567.5"), ("1,234", "1.234"), ("1.234", "1234"),
        ("-1.234", "-1234"),
    ],
)  # fmt: skip
def test_a_number_is_read_in_the_ways_that_exports_write_it(text: str, plain: str) -> None:
    assert canonical("money", [text, "n/a", None], COMMA)[0] == [plain, "n/a", None]


@pytest.mark.parametrize(
    "text",
    ["19%", "12,50,", "1,2,3", "1.23.456", "12 50", "--5,0", "(5,0", "-5,0-", "1.234,5.6", "€", "5,0 PCS", "12,5 EURO",
     "1e3,5", "٣,٥", "1 23,5", "0 123,5", ",", "5,-"],
)  # fmt: skip
def test_what_is_no_number_is_left_alone(text: str) -> None:
    assert canonical("money", [text, "1,5"], COMMA)[0] == [text, "1.5"]


@pytest.mark.parametrize(
    "text", ["12.50", "1e3", "-0.5", ".5", "5.", " 7 ", "+2.5", "12.345678", "", None, "1.0"]
)
def test_a_plain_number_stays_as_delivered(text: str | None) -> None:
    written, found = canonical("money", [text])
    assert (written, found.notes) == ([text], ())


@pytest.mark.parametrize(
    ("values", "point", "written", "says"),
    [
        (["1,234", "12,5"], ",", ["1.234", "12.5"], "decimal comma: 1 cannot be .* follow them \\(1\\)"),
        (["1.234", "12,5"], ",", ["1234", "12.5"], "decimal comma"),
        (["1,234", "12.5"], ".", ["1234", "12.5"], "decimal point"),
        (["1.234", "12.5"], None, ["1.234", "12.5"], ""),
        (["1,234"], None, ["1,234"], "nothing in the file tells .* set aside \\(1\\)"),
        (["1.234"], None, ["1.234?"], "nothing in the file tells .* set aside \\(1\\)"),
        (["1,234", "1.234", "5"], None, ["1,234", "1.234?", "5"], "set aside \\(2\\)"),
        (["1,234", "1.234", "1,5", "1.5"], None, ["1,234", "1.234?", "1.5", "1.5"], "contradict .* 1 .* comma, 1 only"),
    ],
)  # fmt: skip
def test_evidence_in_the_file_tells_what_parts_a_fraction(
    values: list[str | None], point: str | None, written: list[str], says: str
) -> None:
    found_text, found = canonical("money", values)
    assert (found_text, found.decimal) == (written, point)
    assert re.search(says, "\n".join(found.notes))
    assert bool(found.notes) == bool(says)


def test_plain_numbers_of_one_column_tell_what_those_of_another_mean() -> None:
    frame = pl.LazyFrame({"quantity": ["1,234"], "price": ["12.50"]})
    columns = (column("quantity", "count"), column("price", "money"))
    found = find_conventions(frame, columns, Layout())
    assert found.rewritten == {"quantity"}
    assert in_canonical_text(frame, columns, found, None).collect().row(0) == ("1234", "12.50")


def test_amounts_in_several_currencies_are_set_aside_unless_a_column_says_which() -> None:
    amounts: list[str | None] = ["$12.50", "12.50 EUR", "3.00"]
    written, found = canonical("money", amounts)
    assert (written, found.currencies) == (amounts, ("$", "EUR"))
    assert "numbers stand beside $, EUR and no column says the currency" in found.notes[0]
    frame = pl.LazyFrame({"value": amounts, "currency": ["USD", "EUR", "EUR"]})
    columns = (column("value", "money"), column("currency", "text"))
    told = find_conventions(frame, columns, Layout())
    assert in_canonical_text(frame, columns, told, None).collect()["value"].to_list() == [
        "12.50",
        "12.50",
        "3.00",
    ]


def test_one_currency_may_have_several_marks() -> None:
    assert canonical("money", ["€12.50", "12.50 EUR"])[0] == ["12.50", "12.50"]
    assert currencies_meant(["$", "US$", "CA$"]) == ("$", "CAD", "USD")
    assert currencies_meant(["¥", "kr"]) == ("kr", "¥")


def obvious(text: str, point: str) -> Decimal | None:
    """Read a number digit group by digit group, as one would explain it to a child."""
    body = text.strip().removeprefix("'").strip().replace("€", "").replace("EUR", "").strip()
    negative = body.startswith(("-", "\u2212", "(")) or body.endswith("-")
    body = body.strip("-\u2212()+ ")
    whole, parted, fraction = body.partition(point)
    whole = whole or ("0" if fraction else "")
    groups = re.split(
        r"[ \u00a0'’]" if not re.search(r"[.,]", whole) else re.escape({".": ",", ",": "."}[point]), whole
    )
    fits = all(group.isascii() and group.isdigit() for group in groups) and (
        len(groups) == 1
        or (len(groups[0]) <= 3 and groups[0][0] != "0" and all(len(group) == 3 for group in groups[1:]))
    )
    if not fits or (parted and not (fraction.isascii() and fraction.isdigit())):
        return None
    number = Decimal("".join(groups) + "." + (fraction or "0"))
    return -number if negative else number


@given(
    st.lists(
        st.tuples(
            st.decimals(min_value=-(10**9), max_value=10**9, places=2),
            st.sampled_from(["", "’", "'", " ", "\u00a0", "other"]),
            st.sampled_from(
                [
                    "{s}{n}",
                    "{n}{s}",
                    "({n})",
                    "€ {s}{n}",
                    "{s}€{n}",
                    "{s}{n} EUR",
                    "'{s}{n}",
                    "{n} EUR{s}",
                    "{u}{n}",
                ]
            ),
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([".", ","]),
)
@settings(max_examples=80, deadline=None)
def test_amounts_however_written_read_back_to_the_last_digit(amounts, point: str) -> None:
    texts, expected = [], []
    for amount, separator, form in amounts:
        between = {".": ",", ",": "."}[point] if separator == "other" else separator
        whole, fraction = f"{abs(amount):,.2f}".split(".")
        sign = "-" if amount < 0 else ""
        text = form.format(
            s=sign, u="\u2212" if sign else "", n=whole.replace(",", between) + point + fraction
        )
        texts.append(text)
        expected.append(-abs(amount) if "(" in text else amount)
    # Two decimals always tell the point, so nothing need be said.
    written, found = canonical("money", texts)
    assert values_of("money", written) == expected == [obvious(text, point) for text in texts]
    assert found.decimal in (point, None)
    assert canonical("money", written, POINT)[0] == written


NUMBER_LIKE = st.from_regex(r"[-+(]?(€ ?)?[0-9.,' ]{1,10}( EUR)?[-)]?", fullmatch=True)


@given(st.lists(NUMBER_LIKE, min_size=1, max_size=60), st.sampled_from([POINT, COMMA]))
@settings(max_examples=30, deadline=None)
def test_no_number_is_read_that_the_obvious_reading_does_not_give(texts: list[str], layout: Layout) -> None:
    told = layout.decimal or "."
    for text, value in zip(texts, read("money", texts, layout), strict=True):
        readings = (obvious(text, point) for point in (told, {".": ",", ",": "."}[told]))
        allowed = {round(reading, 4) for reading in readings if reading is not None}
        # What typing reads by itself, and Indian groups, are no business of the obvious reading.
        if (
            value is not None
            and not re.fullmatch(r"\s*[-+]?(\d+\.|\.\d+)\s*", text)
            and not re.search(r",\d\d,", text)
        ):
            assert value in allowed


# Both -------------------------------------------------------------------------------------------------------------

ANY_TEXT = st.one_of(
    st.none(), st.text(max_size=20), st.from_regex(r"[-+0-9.,:eETZ/ '€]{0,24}", fullmatch=True)
)


@given(st.lists(ANY_TEXT, max_size=60), st.sampled_from([None, BERLIN]))
@settings(max_examples=30, deadline=None)
def test_no_text_whatever_stops_the_finding_and_canonical_text_is_a_fixed_point(values, zone) -> None:
    for kind in ("moment", "day", "money", "count"):
        written, _ = canonical(kind, values, zone=zone)
        assert [value is None for value in written] == [value is None for value in values]
        assert canonical(kind, written, POINT, zone)[0] == [*written]


@given(st.lists(ANY_TEXT, max_size=60))
@settings(max_examples=20, deadline=None)
def test_what_typing_reads_as_delivered_is_read_the_same_afterwards(values) -> None:
    for kind in ("moment", "day", "money", "count"):
        before = values_of(kind, values)
        after = values_of(kind, canonical(kind, values, POINT)[0])
        assert [a for a, b in zip(after, before, strict=True) if b is not None] == [
            b for b in before if b is not None
        ]


def test_a_file_in_canonical_text_is_left_as_it_is() -> None:
    start = datetime(2024, 1, 1, tzinfo=UTC)
    frame = pl.LazyFrame(
        {
            "at": [f"{start + timedelta(hours=hour):%Y-%m-%d %H:%M:%S}" for hour in range(1000)],
            "price": [f"{cents / 100:.2f}" for cents in range(1000)],
        }
    )
    columns = (column("at", "moment"), column("price", "money"))
    found = find_conventions(frame, columns, Layout())
    assert found == Conventions()
    assert in_canonical_text(frame, columns, found, None) is frame


def test_columns_of_other_kinds_are_not_looked_at() -> None:
    frame = pl.LazyFrame({"name": ["1.234,5"], "flag": ["ja"]})
    assert (
        find_conventions(frame, (column("name", "text"), column("flag", "flag")), Layout()) == Conventions()
    )
