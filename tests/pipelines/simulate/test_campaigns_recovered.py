"""Results of simulated campaigns against what is true of them: the lab sees assignments and orders only.

What a run makes of the same shop's files is read out alike; here people are drawn without any file, so that many shops
can be tried.
"""

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from data_contracts import table
from models.campaign_effect import Campaign, campaign_results
from pipelines.simulate.block import Block
from pipelines.simulate.effects import Effects
from pipelines.simulate.parameters import PLACED, Parameters
from pipelines.simulate.people import is_linked
from tests.pipelines.simulate.blocks import block

FIRST_DAY = date(2023, 1, 2)
END = FIRST_DAY + timedelta(729)
SEEDS = range(1, 9)
PEOPLE = 15_000


@pytest.fixture(scope="module")
def read_out() -> list[dict[str, Any]]:
    """Result of the share who ordered, beside the true effect, for every campaign of eight shops."""
    rows: list[dict[str, Any]] = []
    for seed in SEEDS:
        drawn = block(PEOPLE, seed=seed)
        effects = Effects(Parameters())
        effects.add(drawn)
        told = effects.told()["campaigns"]
        truth = {one["campaign"]: one["difference_in_p_order"] for one in told}
        found = campaign_results(
            [_campaign(drawn, number) for number in range(len(drawn.campaigns))],
            _orders(drawn),
            table("returns").empty().lazy(),
            END,
            currency="EUR",
        )
        rows += [
            {**row, "truth": truth[row["campaign"]]}
            for row in found.filter(pl.col("outcome") == "ordered").collect().to_dicts()
        ]
    return rows


def _campaign(drawn: Block, number: int) -> Campaign:
    of = drawn.campaigns[number]
    who = np.flatnonzero(of.is_assigned)
    people = pl.LazyFrame({"who": who, "is_treated": of.is_treated[who]}).select(
        customer_key=pl.col("who").cast(pl.String),
        assignment=pl.when("is_treated").then(pl.lit("deliver")).otherwise(pl.lit("hold_out")),
        started_on=pl.lit(FIRST_DAY + timedelta(int(of.starts_at))),
    )
    name = of.plan.name
    return Campaign(
        name=name, list_name=name, title=name, source="delivered", channel="email",
        window_days=of.plan.window_days, people=people,
    )  # fmt: skip


def _orders(drawn: Block) -> pl.LazyFrame:
    """Orders that lead to the address that was written to: the others are another customer's as far as the lab sees."""
    orders = drawn.histories.orders
    seen = (orders.standing == PLACED) & is_linked(drawn.people, orders.who, orders.channel)
    seen &= orders.at < drawn.clock.end
    rows = np.flatnonzero(seen)
    return pl.LazyFrame({"order_id": rows, "who": orders.who[rows], "day": np.floor(orders.at[rows])}).select(
        pl.col("order_id").cast(pl.String),
        customer_key=pl.col("who").cast(pl.String),
        order_day=pl.lit(FIRST_DAY) + pl.duration(days=pl.col("day").cast(pl.Int64)),
        is_valid=pl.lit(True),
        gross=pl.lit(40).cast(pl.Decimal(18, 4)),
        discount=pl.lit(0).cast(pl.Decimal(18, 4)),
    )


def test_true_effects_lie_within_the_intervals(read_out: list[dict[str, Any]]) -> None:
    assert len(read_out) == 4 * len(SEEDS)
    for low, high in (("low", "high"), ("adjusted_low", "adjusted_high")):
        held = sum(row[low] <= row["truth"] <= row[high] for row in read_out)
        # Of 32 intervals of 95 %, 27 or more hold with a chance of 99.5 %.
        assert held >= 27


def test_a_campaign_without_effect_is_not_said_to_have_one(read_out: list[dict[str, Any]]) -> None:
    verdicts = [row["verdict"] for row in read_out if row["campaign"] == "newsletter_no_effect"]
    # Of 8 tests at 5 % more than 3 are wrong with a chance of 0.04 %.
    assert verdicts.count("too_small") >= len(SEEDS) - 3


def test_the_strongest_campaign_is_found_by_most_shops_and_never_told_as_harm(
    read_out: list[dict[str, Any]],
) -> None:
    verdicts = [row["verdict"] for row in read_out if row["campaign"] == "spring_offer"]
    assert verdicts.count("worked") > len(SEEDS) / 2
    assert "did_harm" not in verdicts


def test_earlier_orders_make_intervals_narrower(read_out: list[dict[str, Any]]) -> None:
    """The first campaign lies in a year that hardly has a past; the later ones have one."""
    later = [row["variance_left"] for row in read_out if row["campaign"] != "spring_offer"]
    assert float(np.mean(later)) < 0.97
