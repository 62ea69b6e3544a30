"""Training rows: labels against loops over orders, and nothing known after as_of. All shops are composed."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.errors import NotEnoughDataError
from models.features import features
from models.training_rows import LABELS, training_cuts, training_rows
from tests.models.shops import OPENED, Shop, shops

# Shops of four customers hold too little for a purchase model, and say so.
pytestmark = pytest.mark.filterwarnings("ignore::models.errors.ApproximationWarning")

FEW = settings(max_examples=15, deadline=None)
HORIZON = 20
AS_OF = OPENED + timedelta(200)


def _with_an_early_order(shop: Shop) -> Shop:
    first = {"order_id": "first", "customer_key": "c0", "order_day": OPENED, "is_valid": True}
    return Shop(
        (*shop.order_rows, {**first, "gross": Decimal(20), "discount": Decimal(0)}),
        shop.line_rows,
        shop.return_rows,
    )


def _slow_label(shop: Shop, customer: str, cut: date) -> tuple[bool, float]:
    end = cut + timedelta(HORIZON)
    own = [
        order
        for order in shop.order_rows
        if order["customer_key"] == customer and order["is_valid"] and cut < order["order_day"] <= end
    ]
    net = sum((order["gross"] - order["discount"] for order in own), Decimal(0))
    ids = {order["order_id"] for order in own}
    for row in shop.return_rows:
        known_on = row["refunded_day"] or row["returned_day"]
        is_refund = row["kind"] == "merchandise" and row["outcome"] != "exchange" and row["order_id"] in ids
        if is_refund and known_on is not None and known_on <= end:
            net -= row["amount"]
    return bool(own), float(net)


@FEW
@given(shops(max_orders=20))
def test_each_cut_has_its_features_and_what_happened_next(shop: Shop) -> None:
    shop = _with_an_early_order(shop)
    rows = training_rows(AS_OF, horizon_days=HORIZON, orders=shop.orders, returns=shop.returns)
    for cut in training_cuts(OPENED, AS_OF, HORIZON):
        own = rows.filter(pl.col("cut") == cut)
        assert_frame_equal(
            own.drop("cut", "bought", "net"),
            features(cut, horizon_days=HORIZON, orders=shop.orders, returns=shop.returns).collect(),
            check_row_order=False,
        )
        for customer, bought, net in own.select("customer_key", "bought", "net").iter_rows():
            assert (bought, pytest.approx(net)) == _slow_label(shop, customer, cut)


@FEW
@given(shops(max_orders=20, days=300))
def test_nothing_dated_after_as_of_changes_a_row(shop: Shop) -> None:
    shop = _with_an_early_order(shop)
    known = shop.known_by(AS_OF)
    assert_frame_equal(
        training_rows(
            AS_OF,
            horizon_days=HORIZON,
            orders=shop.orders,
            returns=shop.returns,
            order_lines=shop.order_lines,
        ),
        training_rows(
            AS_OF,
            horizon_days=HORIZON,
            orders=known.orders,
            returns=known.returns,
            order_lines=known.order_lines,
        ),
    )


@given(st.integers(1, 400), st.integers(0, 3000), st.integers(3, 8))
def test_cuts_are_ordered_and_the_last_horizon_ends_at_as_of(horizon: int, history: int, most: int) -> None:
    as_of = OPENED + timedelta(history)
    if history < horizon + 118:
        with pytest.raises(NotEnoughDataError, match=f"there are {history}"):
            training_cuts(OPENED, as_of, horizon, max_cuts=most)
        return
    cuts = training_cuts(OPENED, as_of, horizon, max_cuts=most)
    steps = {(later - earlier).days for earlier, later in pairwise(cuts)}
    assert 3 <= len(cuts) <= most
    assert len(steps) == 1
    assert steps.pop() >= min(14, horizon)
    assert cuts[-1] + timedelta(horizon) == as_of
    assert cuts[0] >= OPENED + timedelta(90)


def test_horizons_stay_apart_where_the_history_has_room() -> None:
    cuts = training_cuts(date(2020, 1, 1), date(2024, 1, 1), 365)
    assert all((later - earlier).days >= 365 for earlier, later in pairwise(cuts))


def test_a_sample_is_the_same_at_each_call_and_whole_at_each_cut() -> None:
    orders = pl.LazyFrame(
        {
            "order_id": [f"o{number}" for number in range(300)],
            "customer_key": [f"c{number}" for number in range(300)],
            "order_day": [OPENED] * 300,
        }
    ).with_columns(
        channel=pl.lit("web"),
        country=pl.lit("GB"),
        is_valid=pl.lit(True),
        gross=pl.lit(Decimal(5), pl.Decimal(18, 4)),
        discount=pl.lit(Decimal(0), pl.Decimal(18, 4)),
    )
    drawn = [
        training_rows(AS_OF, horizon_days=HORIZON, seed=seed, max_customers=40, orders=orders)
        for seed in (1, 1, 2)
    ]
    assert drawn[0].equals(drawn[1])
    assert not drawn[0].equals(drawn[2])
    assert drawn[0].group_by("cut").len()["len"].unique().to_list() == [40]
    assert drawn[0].columns[: len(LABELS)] == list(LABELS)


def test_no_orders_is_a_plain_error() -> None:
    with pytest.raises(NotEnoughDataError, match="no valid order of a known customer"):
        training_rows(AS_OF, horizon_days=HORIZON, orders=Shop().orders)


def test_too_few_cuts_or_no_horizon_is_refused() -> None:
    with pytest.raises(ValueError, match="got 0 and 6"):
        training_cuts(OPENED, AS_OF, 0)
    with pytest.raises(ValueError, match="got 20 and 2"):
        training_cuts(OPENED, AS_OF, 20, max_cuts=2)
