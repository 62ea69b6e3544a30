"""Hold-out: stable, salted, of the right size; the detectable lift agrees with published examples."""

from __future__ import annotations

import hashlib
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from models.holdout import assign, campaign_name, lift_by_share, smallest_detectable_lift

SALT = b"a public salt for tests only"
KEYS = pl.Series("customer_key", [f"customer {number}" for number in range(20_000)])


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """RFC 2104 from the bare hash."""
    block = key.ljust(64, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + message).digest()
    return hashlib.sha256(bytes(byte ^ 0x5C for byte in block) + inner).digest()


def test_agrees_with_the_definition_from_the_bare_hash() -> None:
    keys = KEYS.head(500)
    expected = [
        int(hmac_sha256(SALT, f"win_back-2011-Q4\0{key}".encode()).hex(), 16) % 10_000 < 2_500 for key in keys
    ]
    assert assign(keys, salt=SALT, campaign="win_back-2011-Q4", share=0.25).to_list() == expected


@pytest.mark.parametrize("share", [0.0, 0.0001, 0.07, 0.1, 0.5, 1.0])
def test_the_share_is_kept(share: float) -> None:
    held_out = int(assign(KEYS, salt=SALT, campaign="c", share=share).sum())
    # The central 99.99 % of a binomial; the draw is fixed, so this cannot flicker.
    assert binom.ppf(0.00005, len(KEYS), share) <= held_out <= binom.ppf(0.99995, len(KEYS), share)


def test_campaigns_and_salts_draw_independently() -> None:
    one = assign(KEYS, salt=SALT, campaign="one", share=0.3).to_numpy()
    for other in (
        assign(KEYS, salt=SALT, campaign="two", share=0.3).to_numpy(),
        assign(KEYS, salt=SALT[::-1], campaign="one", share=0.3).to_numpy(),
    ):
        assert abs(np.corrcoef(one, other)[0, 1]) < 0.03


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(max_size=8), max_size=20), st.integers(0, 10_000), st.integers(0, 10_000))
def test_an_assignment_depends_on_the_key_alone_and_a_larger_share_only_adds(
    keys: list[str], one: int, other: int
) -> None:
    series = pl.Series("customer_key", keys, dtype=pl.String)
    smaller, larger = (
        assign(series, salt=SALT, campaign="c", share=share / 10_000) for share in sorted((one, other))
    )
    assert not (smaller & ~larger).any()
    backwards = assign(series.reverse(), salt=SALT, campaign="c", share=max(one, other) / 10_000)
    assert backwards.reverse().to_list() == larger.to_list()


@pytest.mark.parametrize("share", [-0.1, 1.1, 0.00005, float("nan"), float("inf")])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(ValueError, match="hold-out share must be 0 to 1"):
        assign(KEYS, salt=SALT, campaign="c", share=share)


def test_a_short_salt_a_nameless_campaign_and_a_missing_key_are_refused() -> None:
    with pytest.raises(ValueError, match="has 5 bytes"):
        assign(KEYS, salt=b"short", campaign="c", share=0.1)
    for campaign in ("", "a\0b"):
        with pytest.raises(ValueError, match="needs a name without NUL"):
            assign(KEYS, salt=SALT, campaign=campaign, share=0.1)
    with pytest.raises(ValueError, match="1 rows have no customer_key"):
        assign(pl.Series(["a", None]), salt=SALT, campaign="c", share=0.1)


@pytest.mark.parametrize(
    ("period", "name"),
    [
        ("week", "win_back-2020-W53"),
        ("month", "win_back-2021-01"),
        ("quarter", "win_back-2021-Q1"),
        ("year", "win_back-2021"),
    ],
)
def test_a_campaign_is_named_by_list_and_period(period: str, name: str) -> None:
    assert campaign_name("win_back", date(2021, 1, 2), period) == name  # pyright: ignore[reportArgumentType]


def test_a_quarter_is_one_campaign() -> None:
    names = [campaign_name("l", date(2011, month, 1)) for month in range(1, 13)]
    assert names == [f"l-2011-Q{quarter}" for quarter in (1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4)]


# The glossary's examples: base 3 %, a tenth held out.
@pytest.mark.parametrize(("customers", "points"), [(5_000, 2.8), (100_000, 0.5)])
def test_smallest_detectable_lift_agrees_with_the_glossary(customers: int, points: float) -> None:
    lift = smallest_detectable_lift(0.03, customers * 9 // 10, customers // 10)
    assert lift is not None
    assert round(100 * lift, 1) == points


def test_smallest_detectable_lift_agrees_with_fleiss_sample_sizes() -> None:
    # Sample size a group for .25 against .40 at 5 % two-sided, 80 %, uncorrected: 151.95 -> 152.
    lift = smallest_detectable_lift(0.25, 152, 152)
    assert lift == pytest.approx(0.15, abs=1e-4)


def test_simulated_campaigns_find_the_smallest_detectable_lift_four_times_in_five() -> None:
    treated, held_out, base = 9_000, 1_000, 0.2
    lift = smallest_detectable_lift(base, treated, held_out)
    assert lift is not None
    rng = np.random.default_rng(7)
    bought = rng.binomial(treated, base + lift, 20_000)
    anyway = rng.binomial(held_out, base, 20_000)
    pooled = (bought + anyway) / (treated + held_out)
    error = np.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / held_out))
    found = np.abs(bought / treated - anyway / held_out) / error > 1.959964
    assert found.mean() == pytest.approx(0.8, abs=0.02)


@settings(max_examples=50, deadline=None)
@given(st.floats(0, 0.9), st.integers(1, 50_000), st.integers(1, 50_000))
def test_more_people_find_smaller_lifts(base: float, treated: int, held_out: int) -> None:
    lift = smallest_detectable_lift(base, treated, held_out)
    more = smallest_detectable_lift(base, 2 * treated, 2 * held_out)
    if lift is not None:
        assert more is not None
        assert 0 < more < lift <= 1 - base + 1e-9


@pytest.mark.parametrize(
    ("base", "treated", "held_out"),
    [(0.03, 5_000, 0), (0.03, 0, 500), (0.99, 45, 5), (1.0, 900, 100), (0, 1, 1)],
)
def test_a_campaign_that_can_show_nothing_says_so(base: float, treated: int, held_out: int) -> None:
    assert smallest_detectable_lift(base, treated, held_out) is None


def test_rates_and_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="base rate"):
        smallest_detectable_lift(1.2, 10, 10)
    with pytest.raises(ValueError, match="Group sizes"):
        smallest_detectable_lift(0.1, -1, 10)
    with pytest.raises(ValueError, match="alpha"):
        smallest_detectable_lift(0.1, 10, 10, power=0.01)


def test_by_share_the_lift_is_smallest_at_half_and_null_where_a_group_is_empty() -> None:
    shares = [0.0, 0.1, 0.3, 0.5, 0.7, 1.0]
    found = lift_by_share(0.05, 2_000, shares)
    assert found["held_out"].to_list() == [0, 200, 600, 1_000, 1_400, 2_000]
    assert (found["held_out"] + found["treated"]).to_list() == [2_000] * len(shares)
    lifts = found["detectable_lift"].to_list()
    assert lifts[0] is None
    assert lifts[-1] is None
    assert lifts[2] == smallest_detectable_lift(0.05, 1_400, 600)
    assert min(lift for lift in lifts if lift is not None) == lifts[3]


def test_by_share_of_nobody_nothing_shows() -> None:
    assert lift_by_share(0.05, 0, [0.1, 0.5])["detectable_lift"].to_list() == [None, None]
    assert lift_by_share(0.05, 0, []).schema == lift_by_share(0.05, 10, [0.1]).schema
