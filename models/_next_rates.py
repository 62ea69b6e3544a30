"""Rates of pairs of products: how often the second follows the first, and how often chance would have it.

What does not belong here: which products and customers are looked at, and which pairs are kept (`models.bought_next`).
"""

from __future__ import annotations

from typing import Final

import polars as pl

from models.intervals import wilson_interval

__all__ = ["CODES", "counts_together", "rated", "rates_alone"]

CODES: Final = 2**16
"""Room for the numbers of products beside a customer's identity."""
_ERROR_SHARE: Final = 0.05
_PARTS: Final = 2**32
"""Rates are added up as whole numbers of such parts, so that the order of rows changes nothing."""


def rates_alone(firsts: pl.LazyFrame, people: pl.LazyFrame) -> pl.LazyFrame:
    """Of each product: how many bought it and came back after, and at what rate it is bought after the first day."""
    is_later, came_back = pl.col("day") > pl.col("first_day"), pl.col("day") < pl.col("last_day")
    bought = firsts.group_by("code").agg(
        buyers=came_back.sum().cast(pl.Int64),
        later=is_later.sum().cast(pl.Int64),
        at_once=(~is_later).sum().cast(pl.Int64),
    )
    could = pl.col("everybody") - pl.col("at_once")
    return (
        bought.join(people.select(everybody=pl.len().cast(pl.Int64)), how="cross")
        .select("code", "buyers", base_rate=pl.when(could > 0).then(pl.col("later") / could))
        .collect(engine="streaming")
        .lazy()
    )


def counts_together(firsts: pl.LazyFrame) -> pl.LazyFrame:
    """Of each two products: how many bought the next one after the first, and how many had it by then."""
    first = firsts.filter(pl.col("day") < pl.col("last_day")).select("identity", "code", "day")
    other = firsts.select("identity", next_code="code", next_day="day")
    is_next = pl.col("next_day") > pl.col("day")
    pair = pl.col("code") * CODES + pl.col("next_code")
    return (
        first.join(other, on="identity")
        .filter(pl.col("code") != pl.col("next_code"))
        .select(pair=pair, is_next=is_next)
        .group_by("pair")
        .agg(customers=pl.col("is_next").sum().cast(pl.Int64), had=(~pl.col("is_next")).sum().cast(pl.Int64))
        .select("customers", "had", code=pl.col("pair") // CODES, next_code=pl.col("pair") % CODES)
        .collect(engine="streaming")
        .lazy()
    )


def rated(pairs: pl.LazyFrame, alone: pl.LazyFrame, *, compared: int) -> pl.LazyFrame:
    """Rate of each pair, what was to be expected of it, and a bound that holds for all pairs at once.

    How much more the first product's buyers go on to buy is the ratio of all next products they bought to those
    expected at the base rates of what they did not have yet: indirect standardisation, as in Breslow & Day (1987),
    Statistical Methods in Cancer Research II, section 2.3. The bound is Bonferroni's: where no product leads to any
    other, about one shop in forty has a pair that passes it.
    """
    # A product that all had from their first day on has no rate, and nothing is expected of it.
    parts = (pl.col("base_rate").fill_null(0.0) * _PARTS).round().cast(pl.Int128)
    base = alone.select(next_code="code", base_rate="base_rate", parts=parts)
    together = pairs.join(base, on="next_code")
    everything = alone.select(sum_of_parts=parts.sum())
    activity = (
        together.group_by("code")
        .agg(
            bought=pl.col("customers").sum(),
            had=(pl.col("had").cast(pl.Int128) * pl.col("parts")).sum(),
        )
        .join(alone.select("code", "buyers", own=parts), on="code")
        .join(everything, how="cross")
        .select(
            "code",
            "buyers",
            activity=pl.col("bought")
            * _PARTS
            / (pl.col("buyers") * (pl.col("sum_of_parts") - pl.col("own")) - pl.col("had")),
        )
    )
    n = pl.col("buyers") - pl.col("had")
    interval = wilson_interval(pl.col("customers"), pl.col("n"))
    surely = wilson_interval(
        pl.col("customers"), pl.col("n"), confidence=1 - _ERROR_SHARE / max(compared, 1)
    ).low
    expected = pl.col("expected_rate")
    return (
        together.join(activity, on="code")
        .with_columns(n=n, expected_rate=pl.col("base_rate") * pl.col("activity"))
        .filter(pl.col("customers") > 0)
        .with_columns(rate=pl.col("customers") / pl.col("n"), low=interval.low, high=interval.high)
        .with_columns(
            lift=pl.col("rate") / expected,
            lift_low=pl.col("low") / expected,
            lift_high=pl.col("high") / expected,
            lift_surely=surely / expected,
        )
    )
