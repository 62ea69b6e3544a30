"""Contact pressure against a plain recomputation; later facts and the order of time."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models.contact_pressure import BUCKETS, FOLLOW_UP_DAYS, WINDOWS, Contacts, contact_pressure, landmark
from models.intervals import wilson

FEW = settings(max_examples=25, deadline=None)
AS_OF = date(2024, 5, 31)
KEYS = [f"c{number}" for number in range(6)]
DAYS = st.integers(-20, 220).map(lambda ago: AS_OF - timedelta(ago))

first_days = st.dictionaries(st.sampled_from(KEYS), DAYS)
contact_days = st.lists(st.tuples(st.sampled_from([*KEYS, "stranger"]), DAYS), max_size=40, unique=True)
gone_days = st.lists(st.tuples(st.sampled_from([*KEYS, "stranger"]), DAYS), max_size=5)


def frame(columns: tuple[str, str], rows: Any) -> pl.LazyFrame:
    return pl.LazyFrame(list(rows), schema={columns[0]: pl.String, columns[1]: pl.Date}, orient="row")


def counted(days: list[tuple[str, date]], end: date, window: int) -> dict[str, int]:
    return Counter(key for key, day in days if end - timedelta(window) < day <= end)


def counts(days: list[tuple[str, date]], end: date, window: int) -> pl.LazyFrame:
    found = counted(days, end, window)
    return pl.LazyFrame(
        list(found.items()), schema={"customer_key": pl.String, "contacts": pl.Int32}, orient="row"
    )


def pressure(
    first: dict[str, date], days: list[tuple[str, date]], gone: list[tuple[str, date]] | None, as_of: date
) -> pl.DataFrame:
    made = contact_pressure(
        frame(("customer_key", "first_order_day"), first.items()),
        {w: Contacts(counts(days, as_of, w), counts(days, landmark(as_of), w)) for w in WINDOWS},
        as_of,
        unsubscribed=None if gone is None else frame(("customer_key", "unsubscribed_day"), gone),
    )
    return conform(made, table("contact_pressure")).collect()


def bucket(times: int) -> str:
    return max((least, name) for name, least in BUCKETS.items() if times >= least)[1]


@FEW
@given(first_days, contact_days, gone_days)
def test_counts_equal_the_recomputation_customer_by_customer(
    first: dict[str, date], days: list[tuple[str, date]], gone: list[tuple[str, date]]
) -> None:
    found = {
        (row["window_days"], row["contacts"]): row for row in pressure(first, days, gone, AS_OF).to_dicts()
    }
    since = AS_OF - timedelta(FOLLOW_UP_DAYS)
    left = {key: min(day for one, day in gone if one == key) for key, _ in gone}
    for window in WINDOWS:
        now, before, unsubscribed = Counter[str](), Counter[str](), Counter[str]()
        for key, day in first.items():
            if day <= AS_OF:
                now[bucket(counted(days, AS_OF, window)[key])] += 1
            if day <= since and left.get(key, date.max) > since:
                name = bucket(counted(days, since, window)[key])
                before[name] += 1
                unsubscribed[name] += left.get(key, date.max) <= AS_OF
        for name in BUCKETS:
            row = found[window, name]
            assert (row["customers"], row["n"], row["unsubscribed"]) == (
                now[name],
                before[name],
                unsubscribed[name],
            )
            if before[name]:
                limits = wilson(unsubscribed[name], before[name])
                assert (row["rate"], row["low"], row["high"]) == (
                    unsubscribed[name] / before[name],
                    *limits,
                )
            else:
                assert (row["rate"], row["low"], row["high"]) == (None, None, None)


@FEW
@given(first_days, contact_days, gone_days)
def test_later_facts_change_nothing(
    first: dict[str, date], days: list[tuple[str, date]], gone: list[tuple[str, date]]
) -> None:
    known = pressure(
        {key: day for key, day in first.items() if day <= AS_OF},
        [row for row in days if row[1] <= AS_OF],
        [row for row in gone if row[1] <= AS_OF],
        AS_OF,
    )
    assert_frame_equal(pressure(first, days, gone, AS_OF), known)


@FEW
@given(first_days, contact_days, gone_days)
def test_every_customer_is_in_one_bucket_of_each_window(
    first: dict[str, date], days: list[tuple[str, date]], gone: list[tuple[str, date]]
) -> None:
    of_window = (
        pressure(first, days, gone, AS_OF).group_by("window_days").agg(pl.col("customers", "share").sum())
    )
    everybody = sum(day <= AS_OF for day in first.values())
    for row in of_window.to_dicts():
        assert row["customers"] == everybody
        assert abs(row["share"] - bool(everybody)) < 1e-9


def test_a_message_on_the_day_of_leaving_is_no_contact_before_it() -> None:
    since = landmark(AS_OF)
    days = [("c0", since + timedelta(3))]
    found = pressure({"c0": date(2023, 1, 1)}, days, [("c0", since + timedelta(3))], AS_OF)
    row = found.filter(window_days=30, contacts="0").to_dicts()[0]
    assert (row["n"], row["unsubscribed"]) == (1, 1)
    assert found.filter(window_days=30, contacts="1")["customers"].to_list() == [1]


def test_what_nobody_can_know_is_null_and_not_nought() -> None:
    found = pressure({"c0": date(2023, 1, 1)}, [], None, AS_OF)
    assert found.select("unsubscribed", "rate", "low", "high").null_count().row(0) == (12,) * 4
    assert found["n"].sum() == 2


def test_nobody_at_all_leaves_every_bucket_empty() -> None:
    found = pressure({}, [], [], AS_OF)
    assert found["contacts"].to_list() == [*BUCKETS, *BUCKETS]
    assert found["customers"].sum() == 0
    assert found["share"].null_count() == found["rate"].null_count() == 12
