"""Claims 1 and 2: the simulation against people drawn one by one, and its inputs against composed costs."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.claims import Facts, Status
from models.claims.retained_profit import (
    Base,
    Inputs,
    RetentionChange,
    Simulated,
    equal_change,
    findings,
    profit_inputs,
    simulate_base,
    simulate_retention,
)
from models.purchases import BetaGeo, ModifiedBetaGeo
from pipelines.simulate.parameters import PLACED, Parameters
from tests.models.claims.composed_relations import Row, day, facts_of, order
from tests.pipelines.simulate.blocks import block

MODEL = ModifiedBetaGeo.from_parameters(
    {"r": 0.8, "alpha": 50.0, "a": 1.0, "b": 3.0}, log_covariance=np.diag([0.01, 0.01, 0.02, 0.02])
)
FIVE = RetentionChange(amount=0.05)
FIVE_POINTS = RetentionChange(amount=0.05, is_points=True)


def _simulate(change: RetentionChange, **others: Any) -> Simulated:
    inputs = {"margin": 0.4, "draws": 0, **others}
    return simulate_retention(MODEL, 50.0, 60.0, change=change, **inputs)


def _lift(found: Simulated) -> float:
    assert found.lift is not None
    return found.lift.value


def _drawn_repeats(stay: float, horizon: float, discount: float, people: int = 60_000) -> float:
    """Mean discounted repeat orders of people drawn one by one: rate, chance to leave, and every order."""
    generator = np.random.default_rng(1)
    r, alpha, a, b = 0.8, 50.0, 1.0, 3.0
    rate = generator.gamma(r, 1 / alpha, people)
    leaving = generator.beta((a + b) * (1 - stay), (a + b) * stay, people)
    now, worth = np.zeros(people), np.zeros(people)
    is_customer = generator.random(people) >= leaving
    while is_customer.any():
        now = now + generator.exponential(1.0, people) / rate
        is_customer &= now <= horizon
        worth += np.where(is_customer, (1 + discount) ** (-now / 365), 0.0)
        is_customer &= generator.random(people) >= leaving
    return float(worth.mean())


@pytest.mark.parametrize("change", [FIVE, FIVE_POINTS])
def test_orders_are_those_of_people_drawn_one_by_one(change: RetentionChange) -> None:
    found = _simulate(change, horizon_days=1_825, annual_discount=0.10)
    assert found.stay_before == 0.75
    assert found.stay_after == pytest.approx(0.80 if change.is_points else 0.7875)
    assert found.orders_before - 1 == pytest.approx(_drawn_repeats(0.75, 1_825, 0.10), rel=0.03)
    assert found.orders_after - 1 == pytest.approx(_drawn_repeats(found.stay_after, 1_825, 0.10), rel=0.03)


def _simulated_repeats(stay: float, seed: int) -> tuple[float, pl.DataFrame]:
    """Repeat order days within two years of a simulated shop's first year of customers, and all by day 730.

    The simulator's people leave more after a late parcel or a bad return, have seasons, campaigns and a loyalty
    programme: much that the fitted model does not know.
    """
    numbers = Parameters()
    leaving = replace(numbers.buying, leaving_a=4.7 * (1 - stay), leaving_b=4.7 * stay)
    orders = block(6_000, days=1_100, seed=seed, numbers=replace(numbers, buying=leaving)).histories.orders
    is_real = (orders.standing == PLACED) & (orders.at < 1_100)
    days = pl.DataFrame({"who": orders.who[is_real], "day": np.floor(orders.at[is_real])}).unique()
    days = days.with_columns(first=pl.col("day").min().over("who"))
    early = days.filter((pl.col("first") < 365) & (pl.col("day") - pl.col("first") <= 730))
    summary = (
        days.filter(pl.col("day") <= 730)
        .group_by("who")
        .agg(frequency=pl.len() - 1.0, last=pl.col("day").max(), first=pl.col("first").first())
        .select("frequency", recency=pl.col("last") - pl.col("first"), T=730 - pl.col("first"))
    )
    return early.height / early["who"].n_unique() - 1, summary


def test_a_simulated_shop_with_more_retention_sells_what_the_simulation_foretold() -> None:
    stay, seeds = 3.6 / 4.7, (1, 2, 3)
    before = np.mean([_simulated_repeats(stay, seed)[0] for seed in seeds])
    after = np.mean([_simulated_repeats(1.05 * stay, seed)[0] for seed in seeds])
    model = ModifiedBetaGeo().fit(_simulated_repeats(stay, 1)[1])
    found = simulate_retention(
        model, 0.0, 1.0, change=FIVE, margin=1.0, horizon_days=730, annual_discount=0.0, draws=0
    )
    assert _lift(found) == pytest.approx(after / before - 1, abs=0.08)


def test_profit_is_margin_times_revenue_less_the_costs_that_stay() -> None:
    found = _simulate(FIVE, fixed_costs=3.0, acquisition_cost=7.0)
    repeats = found.orders_before - 1, found.orders_after - 1
    before, after = (0.4 * (50 + 60 * number) - 10 for number in repeats)
    assert (found.profit_before, found.profit_after) == pytest.approx((before, after))
    assert _lift(found) == pytest.approx(after / before - 1)
    assert found.costs == pytest.approx(0.6 * (50 + 60 * repeats[0]) + 10)
    assert found.worth is not None and found.worth.value == pytest.approx(
        (after - before) / (0.1 * found.costs)
    )


def test_with_no_cost_but_the_goods_the_margin_does_not_matter() -> None:
    assert _lift(_simulate(FIVE, margin=0.1)) == pytest.approx(_lift(_simulate(FIVE, margin=0.9)))


def test_the_more_stands_fixed_the_more_retention_lifts_what_is_left() -> None:
    lifts = [_lift(_simulate(FIVE, fixed_costs=costs)) for costs in (0.0, 10.0, 20.0)]
    assert lifts == sorted(lifts)


def test_five_percent_more_staying_is_five_percent_more_who_come_back_in_a_year() -> None:
    found = _simulate(FIVE)
    assert found.repurchase_after / found.repurchase_before == pytest.approx(1.05)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.0, 0.3), st.floats(0.0, 0.3), st.booleans())
def test_more_retention_never_brings_less(small: float, more: float, is_points: bool) -> None:
    one = _simulate(RetentionChange(amount=small, is_points=is_points))
    other = _simulate(RetentionChange(amount=small + more, is_points=is_points))
    assert one.profit_after <= other.profit_after * (1 + 1e-9)
    assert one.stay_after <= 0.999
    assert one.profit_before == other.profit_before


def test_no_change_changes_nothing_and_has_no_width() -> None:
    found = _simulate(RetentionChange(amount=0.0), draws=30)
    assert found.lift == pytest.approx((0.0, 0.0, 0.0))


def test_a_change_beyond_everybody_staying_is_cut_and_said() -> None:
    found = _simulate(RetentionChange(amount=0.5))
    assert found.is_cut and found.stay_after == 0.999
    assert not _simulate(FIVE).is_cut


def test_a_shop_without_profit_has_no_lift() -> None:
    assert _simulate(FIVE, acquisition_cost=10_000).lift is None


def test_the_interval_holds_the_number_and_is_the_same_every_time() -> None:
    found = _simulate(FIVE, draws=100)
    assert found.lift is not None and found.lift.low is not None and found.lift.high is not None
    assert found.lift.low < found.lift.value < found.lift.high
    assert found == _simulate(FIVE, draws=100)
    unsure = ModifiedBetaGeo.from_parameters(MODEL.params_)
    without = simulate_retention(unsure, 50, 60, change=FIVE, margin=0.4)
    assert without.lift is not None and without.lift.low is None


def test_the_equal_change_is_worth_as_much_as_the_cost_cut() -> None:
    simulate = partial(_simulate, fixed_costs=2.0)
    amount = equal_change(simulate, 0.75)
    assert amount is not None
    worth = simulate(RetentionChange(amount=amount)).worth
    assert worth is not None and worth.value == pytest.approx(1.0, abs=1e-3)
    assert equal_change(partial(_simulate, margin=0.02), 0.75) is None


def test_known_customers_are_simulated_from_what_each_has_done() -> None:
    frequency, recency, age = np.array([0.0, 3.0, 8.0]), np.array([0.0, 200.0, 390.0]), np.array([400.0] * 3)
    base = Base((frequency, recency, age), np.array([40.0, 50.0, 90.0]))
    found = simulate_base(MODEL, base, change=FIVE, margin=0.4, draws=0)
    frame = pl.DataFrame({"frequency": frequency, "recency": recency, "T": age})
    revenue = float(MODEL.expected_purchases(frame, 365) @ base.spend)
    assert found.profit_before == pytest.approx(0.4 * revenue)
    # Alive as before, but from now on with a prior that leaves less.
    changed = ModifiedBetaGeo.from_parameters({"r": 0.8, "alpha": 50.0, "a": 4 * 0.2125, "b": 4 * 0.7875})
    alive = MODEL.probability_alive(frame) / changed.probability_alive(frame)
    after = float((alive * changed.expected_purchases(frame, 365)) @ base.spend)
    assert found.profit_after == pytest.approx(0.4 * after)
    assert 0 < _lift(found) < _lift(_simulate(FIVE))


def _shop(size: int = 600) -> list[Row]:
    """People who come back at their own rate until they leave."""
    generator = np.random.default_rng(3)
    orders: list[Row] = []
    for number in range(size):
        at, rate = int(generator.integers(0, 600)), generator.gamma(1.0, 1 / 60)
        while at <= 900:
            orders.append(order(f"o{len(orders)}", f"c{number}", at, net=40))
            if generator.random() < 0.3:
                break
            at += 1 + int(generator.exponential(1 / rate))
    return orders


def _costs(orders: list[Row], *, as_of: int) -> list[Row]:
    """Goods for 30 of each 40, 1,000 of other costs, 600 for search and 50 for a campaign to customers."""
    sold = sum(as_of - 365 < (row["order_day"] - day(0)).days <= as_of for row in orders)
    return [
        {"day": day(as_of), "kind": "cogs", "amount": Decimal(30 * sold), "campaign": None},
        {"day": day(as_of), "kind": "other", "amount": Decimal(1_000), "campaign": None},
        {"day": day(as_of), "kind": "campaign", "amount": Decimal(600), "campaign": "search"},
        {"day": day(as_of), "kind": "campaign", "amount": Decimal(50), "campaign": "win back"},
        {"day": day(as_of - 365), "kind": "cogs", "amount": Decimal(10**6), "campaign": None},
    ]


def test_inputs_are_those_of_the_costs() -> None:
    orders = _shop()
    assigned = [{"campaign": "win back", "customer_key": "c1", "assigned_day": day(700)}]
    facts = facts_of(orders=orders, costs=_costs(orders, as_of=800), campaign_assignments=assigned)
    inputs = profit_inputs(facts, day(800))
    assert isinstance(inputs, Inputs)
    first = {}
    for row in orders:
        first.setdefault(row["customer_key"], row["order_day"])
    won = sum(day(435) < on <= day(800) for on in first.values())
    assert inputs.margin == pytest.approx(0.25)
    assert inputs.acquisition_cost == pytest.approx(600 / won)
    assert inputs.fixed_costs_a_new_customer == pytest.approx(1_050 / won)
    assert (inputs.first_spend, inputs.repeat_spend) == (40.0, 40.0)
    assert isinstance(inputs.model, ModifiedBetaGeo)


def test_findings_of_a_shop_with_costs_have_numbers_and_intervals() -> None:
    orders = _shop()
    found = findings(facts_of(orders=orders, costs=_costs(orders, as_of=800)), day(800))
    assert [row.claim for row in found] == [1] * 4 + [2] * 4
    for row in found:
        assert row.number is not None and row.low is not None and row.high is not None
        assert row.low <= row.number <= row.high
        assert "come back within a year" in row.says
    assert "25% of net revenue" in found[0].definition


def test_a_stored_model_is_taken_before_one_is_fitted() -> None:
    stored = pl.LazyFrame(
        {
            "as_of": [day(800), day(900)],
            "fitted_as_of": [day(790), day(890)],
            "model": ["bg_nbd_gamma_gamma"] * 2,
            "parameters": [
                BetaGeo.from_parameters({"r": r, "alpha": 50.0, "a": 1.0, "b": 3.0}).to_json()
                for r in (0.5, 0.9)
            ],
        }
    )
    facts = facts_of({"margin": 0.3}, orders=_shop(200))
    inputs = profit_inputs(Facts({**facts.tables, "purchase_models": stored}, facts.options), day(800))
    assert isinstance(inputs, Inputs)
    assert inputs.model.params_["r"] == 0.5


def test_without_costs_and_margin_the_claims_cannot_be_tested() -> None:
    found = findings(facts_of(orders=_shop(200)), day(800))
    assert [(row.claim, row.status, row.needs) for row in found] == [
        (1, Status.CANNOT_BE_TESTED, ("costs",)),
        (2, Status.CANNOT_BE_TESTED, ("costs",)),
    ]


def test_a_shop_where_nobody_came_back_cannot_tell() -> None:
    orders = [order(f"o{number}", f"c{number}", number) for number in range(300)]
    found = findings(facts_of({"margin": 0.5}, orders=orders), day(800))
    assert {row.status for row in found} == {Status.CANNOT_TELL}
    assert {row.n for row in found} == {0}
