"""Timezone and currency: what orders say of where they were placed, and nothing where they say nothing."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.connect.whereabouts import Hints, guess_currency, guess_zone

NOTHING = pl.Series([None], dtype=pl.String)


Cells = list[str | None] | None


def hints(countries: Cells = None, currencies: Cells = None, times: Cells = None) -> Hints:
    def series(cells: Cells) -> pl.Series:
        return pl.Series(cells or [None], dtype=pl.String)

    return Hints(series(countries), series(currencies), series(times))


def test_a_column_tells_the_currency() -> None:
    found = guess_currency(hints(currencies=["eur", "EUR", "USD", "?", None], countries=["GB"]))
    assert (found.value, found.reason) == ("EUR", "the currency of 67 % of the order lines")


def test_a_sign_at_the_amounts_or_a_name_tells_the_currency() -> None:
    assert guess_currency(Hints(NOTHING, NOTHING, NOTHING, ["GBP"])).value == "GBP"
    assert guess_currency(Hints(NOTHING, NOTHING, NOTHING, ["EUR", "GBP"])).value is None
    assert guess_currency(Hints(NOTHING, NOTHING, NOTHING, ["$"])).value is None
    for header in ("Price (EUR)", "unit_price_eur", "Total €"):
        assert guess_currency(Hints(NOTHING, NOTHING, NOTHING, [], [header])).value == "EUR"
    assert guess_currency(Hints(NOTHING, NOTHING, NOTHING, [], ["All prices"])).value is None


def test_the_country_of_most_orders_tells_both() -> None:
    orders = hints(countries=["United Kingdom", "UK", "GB", "France", None])
    assert guess_currency(orders).value == "GBP"
    assert guess_zone(orders, None).value == "Europe/London"
    assert "75 % of the order lines have the country GB" in guess_zone(orders, None).reason


def test_no_country_has_most_of_the_orders() -> None:
    orders = hints(countries=["GB", "FR", "DE"])
    assert (guess_currency(orders).value, guess_zone(orders, None).value) == (None, None)


def test_a_country_of_several_zones_stands_for_where_most_people_live_or_for_nothing() -> None:
    assert guess_zone(hints(countries=["US"]), None).value == "America/New_York"
    assert guess_zone(hints(countries=["RU"]), None).value is None


def test_offsets_tell_the_zone_and_go_before_the_country() -> None:
    times: list[str | None] = ["2026-01-05 10:00:00+01:00", "2026-07-05 10:00:00 +0200"]
    assert guess_zone(hints(times=times), None).value == "Europe/Berlin"
    assert guess_zone(hints(times=times, countries=["France"]), None).value == "Europe/Paris"
    assert guess_zone(hints(times=times, countries=["Japan"]), None).value == "Europe/Berlin"


def test_times_in_utc_tell_nothing() -> None:
    assert guess_zone(hints(times=["2026-01-05T10:00:00Z"]), None).value is None
    assert guess_zone(hints(times=["2026-01-05T10:00:00Z"], countries=["DE"]), None).value == "Europe/Berlin"


@pytest.mark.parametrize(
    ("currency", "zone"), [("GBP", "Europe/London"), ("EUR", None), ("XOF", None), (None, None)]
)
def test_a_currency_of_one_country_tells_its_zone(currency: str | None, zone: str | None) -> None:
    assert guess_zone(hints(), currency).value == zone


@given(
    st.lists(st.integers(0, 365 * 24), min_size=1, max_size=20),
    st.sampled_from(
        ["Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Sydney"]
    ),
)
@settings(max_examples=40, deadline=None)
def test_the_zone_found_shows_every_time_as_delivered(hours: list[int], zone: str) -> None:
    moments = [datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hour) for hour in hours]
    found = guess_zone(
        hints(times=[str(moment.astimezone(ZoneInfo(zone))) for moment in moments]), None
    ).value
    if found is None:
        assert zone == "Europe/London", "only in its winter do times look like UTC"
    else:
        for moment in moments:
            assert (
                moment.astimezone(ZoneInfo(found)).utcoffset()
                == moment.astimezone(ZoneInfo(zone)).utcoffset()
            )
