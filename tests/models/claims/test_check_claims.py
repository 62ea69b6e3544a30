"""All claims together: every one is answered for any shop, and a claim holds by one rule."""

from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data_contracts import table
from models.claims import CLAIMS, Claimed, Facts, Sense, Status, Unit, check_claims, status_of

AS_OF = date(2024, 5, 31)
ENDS = st.floats(-10, 10)


def figure(low: float, high: float, sense: Sense) -> Claimed:
    return Claimed(low=low, high=high, sense=sense, unit=Unit.TIMES)


@given(st.tuples(ENDS, ENDS).map(sorted), st.tuples(ENDS, ENDS).map(sorted), st.sampled_from(Sense))
def test_a_claim_holds_where_every_number_of_the_interval_keeps_it(
    ends: list[float], interval: list[float], sense: Sense
) -> None:
    claimed = figure(ends[0], ends[1], sense)

    def keeps(value: float) -> bool:
        return {
            Sense.AT_LEAST: value >= ends[0],
            Sense.AT_MOST: value <= ends[1],
            Sense.ABOUT: ends[0] <= value <= ends[1],
        }[sense]

    status = status_of(claimed, *interval)
    # Between its ends an interval may still lie around all that is claimed.
    kept = [keeps(value) for value in (interval[0], interval[1])]
    around = sense is Sense.ABOUT and interval[0] < ends[0] and interval[1] > ends[1]
    if all(kept):
        assert status is Status.HOLDS
    elif any(kept) or around:
        assert status is Status.CANNOT_TELL
    else:
        assert status is Status.DOES_NOT_HOLD


def test_without_an_interval_nobody_can_tell() -> None:
    assert status_of(figure(1, 1, Sense.AT_LEAST), None, None) is Status.CANNOT_TELL


@pytest.mark.parametrize("has_orders", [True, False])
def test_every_claim_is_answered_for_a_shop_that_has_nothing(has_orders: bool) -> None:
    names = ["orders", "purchases", "returns", "order_lines"] if has_orders else []
    facts = Facts({name: table(name).empty().lazy() for name in names})
    rows = check_claims(facts, AS_OF)
    assert dict(rows.schema) == dict(table("claims").schema)
    assert set(rows["claim"]) == {claim.number for claim in CLAIMS}
    assert not rows.select(pl.struct("claim", "part").is_duplicated().any()).item()
    told = [rows[name].is_not_null() for name in ("claimed_low", "claimed_high", "sense", "unit")]
    assert told[0].any() and all((one == told[0]).all() for one in told)
    assert rows["claimed_by"].drop_nulls().to_list()[0] == "Bain & Company"
    assert set(rows["status"]) <= {"cannot tell", "cannot be tested"}
    assert all(rows["says"].str.len_chars() > 20)
    assert all(rows["definition"].str.len_chars() > 20)
