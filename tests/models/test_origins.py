"""Origins follow each other without overlapping and leave enough history."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.origins import MOST_ORIGINS, default_horizon, origins

FIRST = date(2018, 1, 1)


@given(st.integers(2, 3_000), st.integers(1, 400))
def test_origins_are_one_horizon_apart_and_have_two_before_them(history: int, horizon: int) -> None:
    as_of = FIRST + timedelta(history)
    if horizon >= history:
        with pytest.raises(ValueError, match=f"horizon of {horizon} days cannot be tested"):
            origins(FIRST, as_of, horizon)
        return
    found = origins(FIRST, as_of, horizon)
    assert 1 <= len(found) <= MOST_ORIGINS
    assert [(as_of - cut).days for cut in found] == [horizon * (place + 1) for place in range(len(found))]
    assert all((cut - FIRST).days >= 2 * horizon for cut in found[1:])


@pytest.mark.parametrize(("history", "horizon", "count"), [(738, 184, 2), (400, 100, 2), (2_000, 365, 3)])
def test_the_default_horizon_gives_at_least_two_origins(history: int, horizon: int, count: int) -> None:
    as_of = FIRST + timedelta(history)
    assert default_horizon(FIRST, as_of) == horizon
    assert len(origins(FIRST, as_of, horizon)) == count
