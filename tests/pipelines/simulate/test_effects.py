"""What the model says it does is what the draws show, within sampling error."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from pipelines.simulate.baskets import spend_mean
from pipelines.simulate.block import Block
from pipelines.simulate.effects import Effects
from pipelines.simulate.parameters import PLACED, STORE, Parameters
from tests.pipelines.simulate.blocks import block

SE = 4.0
"""Standard errors that a draw may lie off."""


@pytest.fixture(scope="module")
def many() -> Block:
    return block(60_000)


def _told(drawn: Block, numbers: Parameters | None = None) -> dict[str, object]:
    effects = Effects(numbers or Parameters())
    effects.add(drawn)
    return dict(effects.told())


def _next_placed(drawn: Block) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Placed orders of the history, and the time until the same person's next one."""
    orders = drawn.histories.orders
    placed = np.flatnonzero(orders.standing == PLACED)
    by_person = placed[np.lexsort((orders.at[placed], orders.who[placed]))]
    gap = np.full(len(by_person), np.inf)
    same = orders.who[by_person][1:] == orders.who[by_person][:-1]
    gap[:-1][same] = np.diff(orders.at[by_person])[same]
    past = orders.at[by_person] < drawn.clock.end
    return by_person[past], gap[past]


def test_campaigns_do_what_is_told_of_them(many: Block) -> None:
    told = _told(many)["campaigns"]
    assert isinstance(told, list)
    assert len(told) == 4
    for campaign in told:
        sizes = {"delivered": campaign["delivered"], "held_out": campaign["assigned"] - campaign["delivered"]}
        for arm, size in sizes.items():
            true, drawn = campaign[f"p_order_{arm}"], campaign["drawn"][f"p_order_{arm}"]
            assert abs(drawn - true) < SE * np.sqrt(true * (1 - true) / size), (campaign["campaign"], arm)
        # What the lab can see leads to the address that was written to: a little less.
        assert campaign["drawn"]["p_order_seen_delivered"] <= campaign["drawn"]["p_order_delivered"]
    by_name = {campaign["campaign"]: campaign["difference_in_p_order"] for campaign in told}
    assert by_name["newsletter_no_effect"] == 0
    assert by_name["spring_offer"] > by_name["autumn_voucher"] > by_name["winter_reminder"] > 0


def test_a_late_parcel_costs_the_next_order_what_is_told(many: Block) -> None:
    told = _told(many)["late_delivery"]
    assert isinstance(told, dict)
    rows, gap = _next_placed(many)
    orders = many.histories.orders
    rows, gap = rows[orders.channel[rows] != STORE], gap[orders.channel[rows] != STORE]
    came, late = (gap <= 180).astype(float), orders.is_late[rows]
    abroad = many.people.country[orders.who[rows]] > 0
    stratum = 2 * many.clock.december(orders.at[rows]).astype(int) + abroad
    seen = variance = 0.0
    for one in np.unique(stratum):
        with_it, without = came[(stratum == one) & late], came[(stratum == one) & ~late]
        share = len(with_it) / late.sum()
        seen += share * (with_it.mean() - without.mean())
        variance += share**2 * (with_it.var() / len(with_it) + without.var() / len(without))
    assert seen == pytest.approx(told["mean_change_where_it_happened"]["180"], abs=SE * np.sqrt(variance))
    assert seen < -0.03


def test_who_has_a_bad_return_comes_back_less(many: Block) -> None:
    told = _told(many)["bad_return"]
    assert isinstance(told, dict)
    rows, gap = _next_placed(many)
    orders, people = many.histories.orders, many.people
    bad = orders.has_bad_return[rows]
    # People who return more also buy more, so like is compared with like: fifths of the own rate.
    rate = people.rate[orders.who[rows]]
    fifth = np.searchsorted(np.quantile(rate, [0.2, 0.4, 0.6, 0.8]), rate)
    seen = [
        (gap[(fifth == n) & bad] <= 180).mean() - (gap[(fifth == n) & ~bad] <= 180).mean() for n in range(5)
    ]
    weight = np.bincount(fifth[bad], minlength=5) / bad.sum()
    assert weight @ np.array(seen) == pytest.approx(told["mean_change_where_it_happened"]["180"], abs=0.03)


def test_people_leave_at_the_hazard_that_is_told(many: Block) -> None:
    orders = many.histories.orders
    placed = orders.standing == PLACED
    expected, left = -np.expm1(-orders.leaving[placed]), np.isfinite(orders.leaves_at[placed])
    error = np.sqrt((expected * (1 - expected)).sum()) / placed.sum()
    assert left.mean() == pytest.approx(expected.mean(), abs=SE * error)
    assert not np.isfinite(orders.leaves_at[~placed]).any()


def test_members_buy_at_the_multiple_that_is_told_and_others_at_their_own_rate() -> None:
    plain = Parameters()
    drawn = block(30_000, numbers=replace(plain, campaigns=(), buying=replace(plain.buying, same_day=0.0)))
    people, lived, clock = drawn.people, drawn.histories, drawn.clock
    until = np.minimum(lived.leaves_at, clock.horizon)
    joined = np.minimum(lived.joined_at, until)
    orders = lived.orders
    is_first = orders.at <= people.arrival[orders.who]
    as_member = orders.at > lived.joined_at[orders.who]
    for start, end, which, multiple in (
        (people.arrival, joined, ~is_first & ~as_member, 1.0),
        (joined, until, as_member, plain.loyalty.rate_multiplier),
    ):
        expected = (people.rate * (clock.to_pace(end) - clock.to_pace(start))).sum()
        assert which.sum() / expected == pytest.approx(multiple, rel=SE / np.sqrt(which.sum()))
    told = _told(drawn)["loyalty_programme"]
    assert isinstance(told, dict)
    assert told["own_rate_members_over_others"] > 1.3, "who joins bought more anyway"


def test_orders_are_worth_what_spend_mean_tells(many: Block) -> None:
    orders, lines = many.histories.orders, many.histories.lines
    placed = orders.standing == PLACED
    worth = np.bincount(lines.order, lines.net, orders.size)[placed] / 100
    expected = spend_mean(many.people, many.world.catalogue, many.numbers)[orders.who[placed]]
    assert (worth - expected).mean() == pytest.approx(0, abs=SE * worth.std() / np.sqrt(len(worth)))


def test_the_shop_looks_like_one(many: Block) -> None:
    orders = many.histories.orders
    placed = (orders.standing == PLACED) & (orders.at < many.clock.end)
    counts = np.bincount(orders.who[placed], minlength=many.people.size)
    assert 0.3 < (counts >= 2).sum() / (counts >= 1).sum() < 0.6
    december = many.clock.december(orders.at[placed]).mean()
    assert december > 1.3 * 31 / 365.25
    assert 0.05 < orders.is_late[placed].mean() < 0.15
    assert many.histories.lines.is_returned.mean() == pytest.approx(0.15, abs=0.05)


def test_nothing_goes_back_beyond_what_was_paid(many: Block) -> None:
    lines = many.histories.lines
    assert (lines.paid_back <= lines.net).all()
    assert (lines.pieces_back <= lines.pieces).all()
    assert (
        lines.returned_at[lines.is_returned] > many.histories.orders.at[lines.order[lines.is_returned]]
    ).all()
    assert np.isinf(lines.returned_at[~lines.is_returned]).all()


def test_nobody_orders_after_leaving(many: Block) -> None:
    orders, leaves_at = many.histories.orders, many.histories.leaves_at
    assert (orders.at <= leaves_at[orders.who]).all()
    assert (np.diff(orders.at) >= 0).all()
    assert (orders.at < many.clock.horizon).all()
    assert (orders.at >= many.people.arrival[orders.who]).all()
