"""Who has gone since a list was made, held against asking every person by hand."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.delivery.departures import LOOKED_AT, Remembered, _work_out, departed, is_stale
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.published_shops import AS_OF, NIGHT, MemoryLake, rows_of
from tests.pipelines.small_shops import write_shop

PEOPLE = [f"customer-number-{number}" for number in range(6)]
DAYS = st.sampled_from([AS_OF - timedelta(days=1), AS_OF, AS_OF + timedelta(days=1)])
WHO = st.sampled_from(PEOPLE)
CHANNELS = st.sampled_from(["email", "sms", "all"])
CAMPAIGN = {"as_of": AS_OF, "channel": "email"}

facts = st.fixed_dictionaries(
    {
        "orders": st.lists(st.tuples(WHO, DAYS, st.booleans()), max_size=4),
        "suppressions": st.lists(
            st.tuples(WHO, st.sampled_from(["objection", "unsubscribed", "bounced"]), CHANNELS), max_size=3
        ),
        "consents": st.lists(st.tuples(WHO, CHANNELS, st.booleans()), max_size=5),
        "customers": st.sets(WHO),
        "merged": st.dictionaries(WHO, WHO, max_size=2),
    }
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return write_shop(tmp_path_factory.mktemp("shop"), more="[consent]\nwhen_not_delivered = 'allow'\n")


def frames(told: Mapping[str, Any]) -> dict[str, pl.DataFrame]:
    """The tables that say so."""
    return {
        "orders": rows_of(
            "orders",
            [
                {"order_id": str(n), "customer_key": who, "order_day": day, "is_valid": valid}
                for n, (who, day, valid) in enumerate(told["orders"])
            ],
        ),
        "suppressions": rows_of(
            "suppressions",
            [{"customer_key": who, "kind": kind, "channel": at} for who, kind, at in told["suppressions"]],
        ),
        "consents": rows_of(
            "consents",
            [{"customer_key": who, "channel": at, "is_granted": yes} for who, at, yes in told["consents"]],
        ),
        "customers": rows_of("customers", [{"customer_key": who} for who in sorted(told["customers"])]),
        "identity_map": rows_of(
            "identity_map", [{"own_key": was, "customer_key": now} for was, now in told["merged"].items()]
        ),
    }


def by_hand(told: Mapping[str, Any], allows: bool) -> set[str]:
    """Ask person by person."""
    gone: set[str] = set()
    for person in PEOPLE:
        now = told["merged"].get(person, person)
        has_ordered = any(who == now and day > AS_OF and valid for who, day, valid in told["orders"])
        is_closed = any(
            who == now and (kind == "objection" or at in ("email", "all"))
            for who, kind, at in told["suppressions"]
        )
        decided = [(at, yes) for who, at, yes in told["consents"] if who == now and at in ("email", "all")]
        refused = any(not yes for _, yes in decided)
        granted = ("email", True) in decided or allows
        if has_ordered or is_closed or now not in told["customers"] or refused or not granted:
            gone.add(person)
    return gone


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(told=facts, allows=st.booleans())
def test_those_are_gone_whom_asking_everybody_finds(
    shop: Shop, tmp_path: Path, told: Mapping[str, Any], allows: bool
) -> None:
    asked = (
        shop
        if allows
        else shop.model_copy(
            update={"consent": shop.consent.model_copy(update={"when_not_delivered": "deny"})}
        )
    )
    rows_path = tmp_path / "file.rows.parquet"
    pl.DataFrame({"customer_key": PEOPLE}).write_parquet(rows_path)
    lake = MemoryLake(tmp_path, frames(told), AS_OF)
    # Every table has another version than the run saw.
    snapshot = Snapshot("s", "r", AS_OF, NIGHT, dict.fromkeys(LOOKED_AT, 0), "", "")
    gone = _work_out(asked, lake, snapshot, CAMPAIGN, rows_path)
    assert set(gone) == by_hand(told, allows)


def test_tables_that_are_as_the_run_saw_them_are_not_asked_again(shop: Shop, tmp_path: Path) -> None:
    told = {"orders": [(PEOPLE[0], AS_OF + timedelta(days=1), True)], "suppressions": [], "merged": {}}
    lake = MemoryLake(tmp_path, frames(told | {"consents": [], "customers": set()}), AS_OF)
    rows_path = tmp_path / "file.rows.parquet"
    pl.DataFrame({"customer_key": PEOPLE}).write_parquet(rows_path)
    same = Snapshot("s", "r", AS_OF, NIGHT, {}, shop.settings_hash(), "")
    # Orders after the list's day count also where the run knew them: it may have been for an earlier day.
    assert _work_out(shop, lake, same, CAMPAIGN, rows_path).to_list() == [PEOPLE[0]]


def test_settings_that_became_stricter_hold_at_once(shop: Shop, tmp_path: Path) -> None:
    told = {"orders": [], "suppressions": [], "consents": [], "customers": set(PEOPLE), "merged": {}}
    lake = MemoryLake(tmp_path, frames(told), AS_OF)
    rows_path = tmp_path / "file.rows.parquet"
    pl.DataFrame({"customer_key": PEOPLE}).write_parquet(rows_path)
    snapshot = Snapshot("s", "r", AS_OF, NIGHT, {}, shop.settings_hash(), "")
    stricter = shop.model_copy(
        update={"consent": shop.consent.model_copy(update={"when_not_delivered": "deny"})}
    )
    assert departed(shop, lake, snapshot, CAMPAIGN, rows_path).is_empty()
    assert set(departed(stricter, lake, snapshot, CAMPAIGN, rows_path)) == set(PEOPLE)


@pytest.mark.parametrize(
    ("newest", "hours", "is_old"),
    [
        (date(2024, 5, 31), 0, False),
        (date(2024, 5, 29), 0, False),
        (date(2024, 5, 28), 0, True),
        (date(2024, 5, 29), 24, True),
        (None, 0, True),
    ],
)
def test_data_are_too_old_when_the_day_before_lies_too_far_behind(
    shop: Shop, newest: date | None, hours: int, is_old: bool
) -> None:
    now = NIGHT + timedelta(hours=hours)
    assert is_stale(shop, newest, now) == is_old
    assert not is_stale(shop.model_copy(update={"sample": True}), newest, now)


def test_the_day_is_the_shops_own(shop: Shop) -> None:
    # Half past eleven in London in summer is half past ten in UTC.
    before, after = (datetime(2024, 6, 1, hour, 30, tzinfo=UTC) for hour in (22, 23))
    assert (is_stale(shop, date(2024, 5, 29), before), is_stale(shop, date(2024, 5, 29), after)) == (
        False,
        True,
    )


def test_what_was_worked_out_is_remembered_for_the_latest_only() -> None:
    made: list[int] = []

    def make(number: int) -> int:
        made.append(number)
        return number

    kept: Remembered[int] = Remembered(2)
    for number in (1, 2, 1, 3, 1, 2):
        assert kept.get(number, lambda number=number: make(number)) == number
    assert made == [1, 2, 3, 2]


def test_what_failed_is_tried_again() -> None:
    kept: Remembered[int] = Remembered(2)
    with pytest.raises(ZeroDivisionError):
        kept.get("a", lambda: 1 // 0)
    assert kept.get("a", lambda: 7) == 7


def test_a_lake_without_tables_has_nobody(shop: Shop, tmp_path: Path) -> None:
    rows_path = tmp_path / "file.rows.parquet"
    pl.DataFrame({"customer_key": []}, schema={"customer_key": pl.String}).write_parquet(rows_path)
    snapshot = Snapshot("s", "r", AS_OF, NIGHT, dict.fromkeys(LOOKED_AT, 0), "", "")
    assert departed(shop, Lake(tmp_path), snapshot, CAMPAIGN, rows_path).is_empty()
