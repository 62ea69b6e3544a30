"""What is known of each customer's first valid order: the attributes that cohorts are broken down by.

Channel, country, use of a discount, whether something came back, and the answer to the survey about it are
one value a customer. Products and categories are not: a first order of three products makes its customer
one of three groups, so these stand in a table of their own, and their groups do not add up to everybody.

Two of the attributes, `returned` and `survey_score`, become known after the order. They are told as of a
day like everything else, and a customer can move from "no" to "yes" as days pass. Who buys again soon has
had more time to return or to answer, so such a break-down describes; it does not say what causes what.

What does not belong here: any rate (`models.cohorts`), and attributes of later orders.
"""

from __future__ import annotations

from datetime import date

import polars as pl

__all__ = [
    "ATTRIBUTES",
    "GOODS",
    "MOST_FREQUENT",
    "NO_ANSWER",
    "OTHER",
    "first_order_attributes",
    "first_order_goods",
    "first_orders",
]

ATTRIBUTES = ("channel", "country", "discount_used", "returned", "survey_score")
"""Columns of `first_order_attributes` to break down by."""

GOODS = ("product", "category")
"""Columns of `first_order_goods` to break down by."""

MOST_FREQUENT = 10
"""Values shown of an attribute that can have thousands; the rest is `OTHER` (ours).

Ten values of ten years by month are 200,000 rows of the cohort table.
"""

OTHER = "other"
NO_ANSWER = "no answer"

_PROMOTER, _PASSIVE = 9, 7


def first_orders(orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Find the first valid order of each customer.

    Parameters
    ----------
    orders
        order_id, customer_key, ordered_at, order_day, channel, country, discount, is_valid.
    as_of
        Last day included.

    Returns
    -------
    LazyFrame
        One row per customer, in no particular order: customer_key, order_id (of two orders of one instant
        the smaller), channel, country (null where not delivered), discount_used ("yes" or "no").
    """
    valid = orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    ).select("customer_key", "ordered_at", "order_id", "channel", "country", "discount")
    first = valid.group_by("customer_key").agg(pl.col("ordered_at").min())
    return (
        valid.join(first, on=["customer_key", "ordered_at"], how="semi")
        .group_by("customer_key")
        .agg(
            pl.col("order_id").min(),
            *(pl.col(name).min_by("order_id") for name in ("channel", "country", "discount")),
        )
        .select(
            "customer_key",
            "order_id",
            "channel",
            "country",
            discount_used=_yes_or_no((pl.col("discount") > 0).fill_null(False)),
        )
    )


def first_order_attributes(
    firsts: pl.LazyFrame, returns: pl.LazyFrame, survey_answers: pl.LazyFrame, as_of: date
) -> pl.LazyFrame:
    """Give the attributes of which each first order has one, as known by `as_of`.

    Parameters
    ----------
    firsts
        From `first_orders` of the same day.
    returns
        order_id, kind, returned_day, refunded_day: goods of an order are back from the day of their return
        (else of the refund) on.
    survey_answers
        order_id, kind, score, answered_at, answered_day: the last answer to the NPS question about that
        order. Answers that name no order speak of none.
    as_of
        Last day included; later returns and answers change nothing.

    Returns
    -------
    LazyFrame
        One row per customer: customer_key and `ATTRIBUTES`. channel and country: one of the `MOST_FREQUENT`
        or `OTHER`, null where not delivered; discount_used and returned: "yes" or "no"; survey_score:
        "promoter" (9-10), "passive" (7-8), "detractor" (0-6) or `NO_ANSWER`.
    """
    is_back = (pl.col("kind") == "merchandise") & (pl.coalesce("returned_day", "refunded_day") <= as_of)
    back = returns.filter(is_back & pl.col("order_id").is_not_null()).select("order_id").unique()
    score = pl.col("score")
    band = (
        pl.when(score >= _PROMOTER)
        .then(pl.lit("promoter"))
        .when(score >= _PASSIVE)
        .then(pl.lit("passive"))
        .when(score.is_not_null())
        .then(pl.lit("detractor"))
        .otherwise(pl.lit(NO_ANSWER))
    )
    answers = survey_answers.filter(
        (pl.col("kind") == "nps") & score.is_between(0, 10) & (pl.col("answered_day") <= as_of)
    )
    # Two answers of one instant: the lower one, so that it is no matter of luck.
    last = pl.col("answered_at") == pl.col("answered_at").max().over("order_id")
    scores = answers.filter(last).group_by("order_id").agg(score.min())
    return (
        firsts.join(back.with_columns(_is_back=pl.lit(True)), on="order_id", how="left")
        .join(scores, on="order_id", how="left")
        .pipe(_with_most_frequent, "channel")
        .pipe(_with_most_frequent, "country")
        .select(
            "customer_key",
            "channel",
            "country",
            "discount_used",
            returned=_yes_or_no(pl.col("_is_back").fill_null(False)),
            survey_score=band,
        )
    )


def first_order_goods(firsts: pl.LazyFrame, order_lines: pl.LazyFrame) -> pl.LazyFrame:
    """Give the products and categories of each first order.

    Parameters
    ----------
    firsts
        From `first_orders`.
    order_lines
        order_id, kind, product_id, category; merchandise only counts.

    Returns
    -------
    LazyFrame
        One row per customer, product and category of the first order: customer_key and `GOODS`, each one of
        the `MOST_FREQUENT` among first orders or `OTHER`, null where not delivered.
    """
    lines = order_lines.filter(pl.col("kind") == "merchandise").select(
        "order_id", "category", product="product_id"
    )
    return (
        lines.join(firsts.select("order_id", "customer_key"), on="order_id")
        .select("customer_key", *GOODS)
        .pipe(_with_most_frequent, "product")
        .pipe(_with_most_frequent, "category")
        .unique()
    )


def _with_most_frequent(frame: pl.LazyFrame, name: str) -> pl.LazyFrame:
    """Put `OTHER` for values that are not among the most frequent; of equally frequent ones by name."""
    most = (
        frame.filter(pl.col(name).is_not_null())
        .group_by(name)
        .len()
        .sort(["len", name], descending=[True, False])
        .head(MOST_FREQUENT)
        .select(name, _kept=name)
    )
    kept = pl.when(pl.col(name).is_not_null()).then(pl.col("_kept").fill_null(OTHER))
    return frame.join(most, on=name, how="left").with_columns(kept.alias(name)).drop("_kept")


def _yes_or_no(condition: pl.Expr) -> pl.Expr:
    return pl.when(condition).then(pl.lit("yes")).otherwise(pl.lit("no"))
