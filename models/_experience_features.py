"""Features of what somebody met with: goods sent back, surveys, parcels, tickets; and of what was in the parcels.

One function a table, one row a customer that the table tells something of. Only what was known by `as_of`: an answer
by its day, a parcel once it has arrived, a ticket once opened, a return by its return day (else refund day).

What does not belong here: orders (`models._behaviour_features`), who gets a zero where a table says nothing
(`models.features`).
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.order_events import BAD_REASONS
from models.return_window import known_returns
from models.survey_scores import answers_by, in_scale, invitations_by

__all__ = ["assortment", "goods_returned", "invited", "last_scores", "parcels", "wrote"]

_SCORES = ("nps", "csat")
_SURVEY = ("survey_id", "kind", "customer_key")


def goods_returned(returns: pl.LazyFrame, known: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Value that came back: in all, by the shop's fault, and for other reasons told; days since the last."""
    is_fault, amount = pl.col("reason").str.contains(BAD_REASONS), pl.col("amount")
    zero = pl.lit(0, pl.Decimal(18, 4))
    return (
        known_returns(returns, as_of)
        .join(known.select("order_id", "customer_key"), on="order_id")
        .select(
            "customer_key",
            "known_on",
            returned=amount,
            # A reason not told is neither: null decides nothing.
            returned_fault=pl.when(is_fault).then(amount).otherwise(zero),
            returned_other=pl.when(~is_fault).then(amount).otherwise(zero),
        )
        .group_by("customer_key")
        .agg(
            pl.col("returned", "returned_fault", "returned_other").sum().cast(pl.Float64),
            days_since_last_return=_days_since(pl.col("known_on").max(), as_of),
        )
    )


def last_scores(survey_answers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Last NPS and CSAT score of each customer, and how many days old they are."""
    answers = in_scale(answers_by(survey_answers, as_of)).filter(pl.col("kind").is_in(_SCORES))
    last = (
        # Down to the score, so that two answers of one instant don't make the result a matter of luck.
        answers.sort("answered_at", "survey_id", "order_id", "score")
        .group_by("customer_key", "kind", maintain_order=True)
        .agg(pl.col("score", "answered_day").last())
    )
    of_kind = {kind: pl.col("kind") == kind for kind in _SCORES}
    return last.group_by("customer_key").agg(
        *(
            pl.when(is_it).then("score").max().cast(pl.Float64).alias(f"{k}_last")
            for k, is_it in of_kind.items()
        ),
        *(
            _days_since(pl.when(is_it).then("answered_day").max(), as_of).alias(f"{k}_age_days")
            for k, is_it in of_kind.items()
        ),
    )


def invited(
    survey_invitations: pl.LazyFrame, survey_answers: pl.LazyFrame | None, as_of: date
) -> pl.LazyFrame:
    """Invitations to surveys, and where answers are told those without one."""
    sent = invitations_by(survey_invitations, as_of).filter(pl.col("customer_key").is_not_null())
    count = pl.len().cast(pl.Float64).alias("invitations")
    if survey_answers is None:
        return sent.group_by("customer_key").agg(count)
    answered = answers_by(survey_answers, as_of).select(_SURVEY).unique().with_columns(answered=pl.lit(1))
    return (
        sent.join(answered, on=_SURVEY, how="left", nulls_equal=True)
        .group_by("customer_key")
        .agg(count, invitations_unanswered=pl.col("answered").is_null().sum().cast(pl.Float64))
    )


def parcels(shipments: pl.LazyFrame, known: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Parcels that arrived with a promise, how many were late, and whether the last one was."""
    return (
        shipments.filter(pl.col("is_late").is_not_null() & (pl.col("delivered_day") <= as_of))
        .join(known.select("order_id", "customer_key"), on="order_id")
        .group_by("customer_key", "delivered_day")
        .agg(
            arrived=pl.len(), late=pl.col("is_late").sum(), any_late=pl.col("is_late").max().cast(pl.Float64)
        )
        .group_by("customer_key")
        .agg(
            parcels=pl.col("arrived").sum().cast(pl.Float64),
            late_parcels=pl.col("late").sum().cast(pl.Float64),
            last_parcel_late=pl.col("any_late").max_by("delivered_day"),
        )
    )


def wrote(tickets: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Tickets, those that ask where an order is, and those open at `as_of`.

    A ticket without closing day is open if it is open now; one that was closed, nobody knows when, never is.
    """
    closed = pl.col("closed_day")
    is_open = pl.when(closed.is_null()).then("is_open").otherwise(closed > as_of).fill_null(False)
    return (
        tickets.filter(pl.col("customer_key").is_not_null() & (pl.col("opened_day") <= as_of))
        .select("customer_key", is_wismo=pl.col("is_wismo").fill_null(False), is_open=is_open)
        .group_by("customer_key")
        .agg(
            tickets=pl.len().cast(pl.Float64),
            wismo_tickets=pl.col("is_wismo").sum().cast(pl.Float64),
            open_tickets=pl.col("is_open").sum().cast(pl.Float64),
        )
    )


def assortment(order_lines: pl.LazyFrame, known: pl.LazyFrame) -> pl.LazyFrame:
    """Distinct products and categories, and the category with the highest value (ties: the alphabet's first)."""
    bought = (
        order_lines.filter(pl.col("kind") == "merchandise")
        .select("order_id", "product_id", "category", "net")
        .join(known.select("order_id", "customer_key"), on="order_id")
        .group_by("customer_key", "product_id", "category")
        .agg(pl.col("net").sum())
    )
    products = _distinct(bought, "product_id", "products")
    by_category = (
        bought.filter(pl.col("category").is_not_null())
        .group_by("customer_key", "category")
        .agg(pl.col("net").sum())
    )
    most = by_category.group_by("customer_key").agg(
        categories=pl.len().cast(pl.Float64), net=pl.col("net").max()
    )
    main = (
        by_category.join(most, on=["customer_key", "net"])
        .group_by("customer_key")
        .agg(pl.col("categories").first(), main_category=pl.col("category").min())
    )
    return products.join(main, on="customer_key", how="left")


def _distinct(bought: pl.LazyFrame, column: str, name: str) -> pl.LazyFrame:
    """Count distinct values in two plain passes: a set a customer would be held in memory."""
    return (
        bought.select("customer_key", column)
        .unique()
        .group_by("customer_key")
        .agg(pl.col(column).is_not_null().sum().cast(pl.Float64).alias(name))
    )


def _days_since(day: pl.Expr, as_of: date) -> pl.Expr:
    return (pl.lit(as_of) - day).dt.total_days().cast(pl.Float64)
