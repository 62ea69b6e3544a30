"""Guessing passwords gets slower and slower, by name and by address, and never for long for those who know theirs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from pipelines.records.database import open_database, reading
from pipelines.records.tables import attempts
from pipelines.records.throttle import ADDRESS, FORGOTTEN, NAME, Patience, Throttle

NOW = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)


@pytest.fixture
def throttle(tmp_path: Path) -> Throttle:
    return Throttle(open_database(tmp_path))


def test_each_failure_doubles_the_wait_up_to_the_longest(throttle: Throttle) -> None:
    waits: list[int] = []
    now = NOW
    for _ in range(20):
        assert throttle.begin("ann", "10.0.0.1", now) == 0
        wait = throttle.begin("ann", "10.0.0.2", now)
        waits.append(wait)
        now += timedelta(seconds=wait)
    free = [0] * (NAME.free // 2)
    assert waits[: len(free)] == free
    later = [wait for wait in waits if wait]
    assert later[:4] == [1, 2, 4, 8]
    assert max(later) == NAME.longest.total_seconds()


def test_many_names_from_one_address_are_slowed_down_too(throttle: Throttle) -> None:
    for number in range(ADDRESS.free + 1):
        assert throttle.begin(f"name {number}", "10.0.0.1", NOW) == 0
    assert throttle.begin("another", "10.0.0.1", NOW) == 1
    assert throttle.begin("another", "10.0.0.2", NOW) == 0


def test_success_forgets_the_name_but_not_what_else_came_from_the_address(throttle: Throttle) -> None:
    for number in range(ADDRESS.free):
        throttle.begin(f"guess {number}", "10.0.0.1", NOW)
    # Who has an account cannot buy free guesses at others' by signing in between.
    assert throttle.begin("ann", "10.0.0.1", NOW) == 0
    throttle.succeeded("ann", "10.0.0.1", NOW)
    assert throttle.begin("one more", "10.0.0.1", NOW) == 0
    assert throttle.begin("and another", "10.0.0.1", NOW) == 1


def test_an_honest_person_is_never_stopped(throttle: Throttle) -> None:
    for _ in range(50):
        assert throttle.begin("ann", "10.0.0.1", NOW) == 0
        throttle.succeeded("ann", "10.0.0.1", NOW)


def test_guesses_at_the_same_time_count_all(tmp_path: Path) -> None:
    throttles = [Throttle(open_database(tmp_path)) for _ in range(4)]
    with ThreadPoolExecutor(16) as pool:
        waits = list(pool.map(lambda n: throttles[n % 4].begin("ann", f"10.0.0.{n}", NOW), range(40)))
    assert waits.count(0) == NAME.free + 1


def test_failures_are_forgotten_after_a_day(throttle: Throttle) -> None:
    for _ in range(NAME.free + 1):
        throttle.begin("ann", "10.0.0.1", NOW)
    assert throttle.begin("ann", "10.0.0.1", NOW) > 0
    later = NOW + FORGOTTEN + timedelta(seconds=1)
    assert throttle.begin("ann", "10.0.0.1", later) == 0
    with reading(throttle.engine) as connection:
        assert [row.failures for row in connection.execute(select(attempts))] == [1, 1]


def test_what_was_typed_as_a_name_is_not_kept(throttle: Throttle, tmp_path: Path) -> None:
    throttle.begin("my password by mistake", "10.0.0.1", NOW)
    throttle.engine.dispose()
    for path in tmp_path.iterdir():
        assert b"by mistake" not in path.read_bytes()
        assert b"10.0.0.1" not in path.read_bytes()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10), st.integers(0, 10_000))
def test_waits_never_fall_and_never_exceed_the_longest(free: int, failures: int) -> None:
    patience = Patience(free)
    assert patience.wait(failures) <= patience.wait(failures + 1) <= patience.longest
    assert (patience.wait(failures) == timedelta(0)) == (failures <= free)
