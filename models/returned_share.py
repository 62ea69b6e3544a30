"""Expected returned share: which part of what a customer buys will come back, by their own past and what they buy.

A customer with two orders, one sent back, does not return half of everything. How far their own past is believed is
told by the shop itself: how much orders of one customer differ against how much customers differ (credibility:
Buehlmann & Straub 1970, Bulletin of the Swiss Association of Actuaries 70, 111-133). It is asked three times: how much
of a category comes back; how far somebody keeps to what they bought so far; and how much more or less than others with
the same goods they send back. The product of the last two is the answer.

Only orders that are old enough count (`models.return_window`): a young one has not come back *yet*.

What does not belong here: observed rates (`models.returns`), net spend (`models.summary`).
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final, NamedTuple

import polars as pl

from models._behaviour_features import known_orders
from models.return_window import known_returns, return_window_days

__all__ = ["Credibility", "ReturnHabits", "credibility", "expected_returned_share", "return_habits"]

_UNKNOWN: Final = "unknown"


class Credibility(NamedTuple):
    """How far a group's own share is believed.

    Attributes
    ----------
    overall
        Ratio of all groups together.
    weight_for_half
        Weight at which a group's own and the overall ratio count the same; infinite where groups do not differ, 0 where
        orders of one group do not.
    """

    overall: float
    weight_for_half: float

    def shrunk(self, amount: pl.Expr, weight: pl.Expr) -> pl.Expr:
        """Own ratio of amount to weight, drawn towards the overall one; that one where there is no weight."""
        if self.weight_for_half == float("inf"):
            return pl.lit(self.overall)
        together = weight + self.weight_for_half
        return (
            pl.when(together > 0)
            .then((amount + self.overall * self.weight_for_half) / together)
            .otherwise(self.overall)
        )


class ReturnHabits(NamedTuple):
    """What a shop's orders tell of returns: enough to say of anybody what to expect.

    Attributes
    ----------
    usual
        One row per category: category, usual_share of the value bought.
    overall
        Share of all value, for goods and people nothing is known of.
    keeps_to_goods
        How far somebody keeps to what they bought so far.
    sends_back_more
        How far somebody who sent back more than usual is believed to do so again.
    mature
        Last order day that is judged: later orders may still come back.
    """

    usual: pl.DataFrame
    overall: float
    keeps_to_goods: Credibility
    sends_back_more: Credibility
    mature: date

    def expected(
        self, orders: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
    ) -> pl.DataFrame:
        """Say of these customers what is expected back; see `expected_returned_share`."""
        customers = known_orders(orders, as_of).select("customer_key").unique()
        baskets = _baskets(_parts(orders, order_lines, returns, as_of, self.mature), self.usual, self.overall)
        own = (
            baskets.lazy()
            .group_by("customer_key")
            .agg(pl.col("bought", "returned", "usual").sum())
            .select(
                "customer_key",
                expected_returned_share=(
                    self.keeps_to_goods.shrunk(pl.col("usual"), pl.col("bought"))
                    * self.sends_back_more.shrunk(pl.col("returned"), pl.col("usual"))
                ).clip(0.0, 1.0),
            )
        )
        return (
            customers.join(own, on="customer_key", how="left")
            .with_columns(pl.col("expected_returned_share").fill_null(self.overall))
            .sort("customer_key")
            .collect(engine="streaming")
        )


def return_habits(
    orders: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> ReturnHabits:
    """Learn what orders tell of returns; a sample of whole customers is enough.

    Parameters
    ----------
    orders, order_lines, returns, as_of
        See `expected_returned_share`.
    """
    mature = as_of - timedelta(return_window_days(returns, orders, as_of))
    parts = _parts(orders, order_lines, returns, as_of, mature)
    of_category = credibility(parts, "category", "returned", "bought")
    usual = (
        parts.group_by("category")
        .agg(pl.col("bought", "returned").sum())
        .select("category", usual_share=of_category.shrunk(pl.col("returned"), pl.col("bought")))
    )
    baskets = _baskets(parts, usual, of_category.overall)
    return ReturnHabits(
        usual,
        of_category.overall,
        credibility(baskets, "customer_key", "usual", "bought"),
        credibility(baskets, "customer_key", "returned", "usual"),
        mature,
    )


def expected_returned_share(
    orders: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date
) -> pl.DataFrame:
    """Which part of the value of future orders is expected to come back, of each customer.

    Parameters
    ----------
    orders, order_lines, returns
        Facts; what is dated after `as_of` changes nothing.
    as_of
        Last day included.

    Returns
    -------
    pl.DataFrame
        One row per customer with a valid order by `as_of`, sorted by customer_key: customer_key,
        expected_returned_share (Float64, 0 to 1, of merchandise value). A shop without returns expects 0 of everybody.
    """
    habits = return_habits(orders, order_lines, returns, as_of)
    return habits.expected(orders, order_lines, returns, as_of)


def credibility(orders: pl.DataFrame, group: str, amount: str, weight: str) -> Credibility:
    """Estimate from several orders of each group how far a group's own ratio of amount to weight is believed.

    Parameters
    ----------
    orders
        One row per order, or part of one: the columns `group`, order_id, `amount` and `weight` (Float64, weight > 0
        counts).
    group
        Whose ratios they are.

    Returns
    -------
    Credibility
        From the unbiased estimators of the variance within and between groups (Buehlmann & Straub 1970).
    """
    rows = (
        orders.group_by(group, "order_id")
        .agg(a=pl.col(amount).sum(), w=pl.col(weight).sum())
        .filter(pl.col("w") > 0)
        .with_columns(square=pl.col("a") ** 2 / pl.col("w"))
    )
    groups = rows.group_by(group).agg(pl.col("a", "w", "square").sum(), orders=pl.len())
    all_weight = float(groups["w"].sum())
    overall = float(groups["a"].sum()) / all_weight if all_weight > 0 else 0.0
    spare = rows.height - groups.height
    if spare < 1 or groups.height < 2:
        return Credibility(overall, float("inf"))
    ratio = groups["a"] / groups["w"]
    within = float((groups["square"] - groups["w"] * ratio**2).sum()) / spare
    apart = float((groups["w"] * (ratio - overall) ** 2).sum())
    reach = all_weight - float((groups["w"] ** 2).sum()) / all_weight
    between = (apart - (groups.height - 1) * within) / reach
    return Credibility(overall, max(within, 0.0) / between if between > 0 else float("inf"))


def _parts(
    orders: pl.LazyFrame, order_lines: pl.LazyFrame, returns: pl.LazyFrame, as_of: date, mature: date
) -> pl.DataFrame:
    """Value bought and returned by order and category, of orders old enough to be judged."""
    bought = (
        order_lines.filter((pl.col("kind") == "merchandise") & (pl.col("net") > 0))
        .group_by("order_id", "product_id", "category")
        .agg(bought=pl.col("net").sum().cast(pl.Float64))
        .join(known_orders(orders, mature).select("customer_key", "order_id"), on="order_id")
    )
    back = (
        known_returns(returns, as_of)
        .filter(pl.col("order_id").is_not_null())
        .group_by("order_id", "product_id")
        .agg(returned=pl.col("amount").sum().cast(pl.Float64))
    )
    return (
        bought.join(back, on=["order_id", "product_id"], how="left")
        .group_by("customer_key", "order_id", category=pl.col("category").fill_null(_UNKNOWN))
        .agg(pl.col("bought").sum(), pl.col("returned").fill_null(0.0).sum())
        # More than was bought cannot come back; where it is told, the excess is a matter of matching.
        .with_columns(pl.min_horizontal("returned", "bought"))
        .collect(engine="streaming")
    )


def _baskets(parts: pl.DataFrame, usual: pl.DataFrame, overall: float) -> pl.DataFrame:
    """Each order with what is usually sent back of such goods."""
    return (
        parts.join(usual, on="category", how="left")
        .with_columns(usual=pl.col("bought") * pl.col("usual_share").fill_null(overall))
        .group_by("customer_key", "order_id")
        .agg(pl.col("bought", "returned", "usual").sum())
    )
