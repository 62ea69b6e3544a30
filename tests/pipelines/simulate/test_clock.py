"""The simulated shop's time: pace and days are two scales of one thing, and every order has a time that exists."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.simulate.clock import LAST_DAY, TIMEZONE, Clock

CLOCK = Clock.of(730)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1_090), min_size=1, max_size=20))
def test_pace_and_days_lead_back_to_each_other(at: list[float]) -> None:
    days = np.array(at)
    back = CLOCK.from_pace(CLOCK.to_pace(days))
    # An hour that the clock skips comes back as the next one.
    assert (np.abs(back - days) < 1 / 24 + 1e-6).all()
    assert (np.diff(CLOCK.to_pace(np.sort(days))) >= 0).all()


def test_every_hour_of_the_pace_exists_on_the_wall_clock() -> None:
    pace = np.linspace(0, CLOCK.to_pace(np.array([730.0]))[0], 200_000)
    local = CLOCK.moments(CLOCK.from_pace(pace))
    zoned = local.dt.replace_time_zone(TIMEZONE, ambiguous="earliest", non_existent="null")
    assert zoned.null_count() == 0
    changes = local.filter(local.dt.date().is_in([date(2023, 3, 26), date(2024, 3, 31)]))
    assert changes.len() > 100
    assert 2 not in changes.dt.hour()
    assert ZoneInfo(TIMEZONE).key == TIMEZONE


def test_texts_are_moments_written_out() -> None:
    at = np.concatenate([np.random.default_rng(1).uniform(0, 1_200, 1_000), [np.inf, 0.0, 729.999_999]])
    written = CLOCK.texts(at)
    assert written.to_list() == CLOCK.moments(at).dt.strftime("%Y-%m-%d %H:%M:%S").to_list()
    assert written.null_count() == 1
    assert written[-1] == "2024-12-31 23:59:59"


def test_deliveries_cover_the_history_and_end_with_it() -> None:
    for days in (1, 30, 100, 365, 730, 5_000):
        clock = Clock.of(days)
        assert clock.day(clock.end - 0.5) == LAST_DAY
        assert clock.edges[-1] == clock.end
        assert len(clock.edges) <= 8
        assert list(clock.edges) == sorted(set(clock.edges))


def test_december_is_told_by_the_calendar() -> None:
    days = np.arange(730.0)
    told = pl.Series(CLOCK.december(days).astype(bool))
    assert told.to_list() == (CLOCK.days_of(days).dt.month() == 12).to_list()
