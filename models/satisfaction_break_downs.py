"""Satisfaction by product, category and channel of the order that the survey asked about.

An answer leads to its order directly or by its invitation, and the order to its lines. A survey about an order of two
products says something of both, so it counts once with each.

What does not belong here: satisfaction over time (`models.satisfaction`).
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP
from models.survey_scores import (
    answers_by,
    counts_of_last_answers,
    counts_of_responses,
    in_scale,
    invitations_by,
    scores,
)

__all__ = ["BREAK_DOWNS", "UNKNOWN", "satisfaction_break_downs"]

BREAK_DOWNS = ("channel", "product", "category")
UNKNOWN = "unknown"
"""Value where no order is named or known, or it has no such attribute."""

_GROUP = ("measure", "break_down", "break_down_value")


def satisfaction_break_downs(
    survey_answers: pl.LazyFrame,
    survey_invitations: pl.LazyFrame,
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int = 365,
    at_least: int = SMALL_GROUP,
) -> pl.LazyFrame:
    """NPS, CSAT and product score of the window up to `as_of`, by what the order asked about held.

    Answers and invitations count as in `models.satisfaction.satisfaction`; of each customer the last answer within
    the value counts, so a customer may have another answer with another product.

    Parameters
    ----------
    survey_answers, survey_invitations
        See `models.satisfaction.satisfaction`; invitations with order_id.
    orders, order_lines
        order_id, order_day, channel; order_id, kind, product_id, category.
    as_of
        Last day included; later answers, invitations and orders change nothing.
    window_days
        The window holds this many days, `as_of` being the last.
    at_least
        Customers with an answer from which on a value is shown.

    Returns
    -------
    LazyFrame
        One row per measure, break-down (`BREAK_DOWNS`) and value that has answers or invitations, sorted: as_of,
        measure, break_down, break_down_value (`UNKNOWN` where missing), n, invitations, responses, response_rate,
        value, low, high, mean, mean_low, mean_high, note; as in `models.satisfaction.satisfaction`.

    Raises
    ------
    ValueError
        If the window is not positive.
    """
    if window_days <= 0:
        raise ValueError(f"The window must be a positive number of days, not {window_days}.")
    start = as_of - timedelta(window_days - 1)
    all_answers, all_sent = answers_by(survey_answers, as_of), invitations_by(survey_invitations, as_of)
    about = all_sent.select("survey_id", "kind", "customer_key", asked_about="order_id").unique(
        ["survey_id", "kind", "customer_key"], keep="any"
    )
    answers = (
        in_scale(all_answers)
        .filter(pl.col("answered_day") >= start)
        .join(about, on=["survey_id", "kind", "customer_key"], how="left")
        .with_columns(order_id=pl.coalesce("order_id", "asked_about"))
    )
    sent = all_sent.filter(pl.col("sent_day") >= start)
    known = orders.filter(pl.col("order_day") <= as_of).select("order_id", "channel")
    asked = pl.concat([answers.select("order_id"), sent.select("order_id")]).unique()
    known_orders = asked.join(known, on="order_id").collect(engine="streaming").lazy()
    values = _values(known_orders, order_lines).collect().lazy()
    counts = counts_of_last_answers(_with_values(answers, values), _GROUP).join(
        counts_of_responses(_with_values(sent, values), all_answers, _GROUP),
        on=list(_GROUP),
        how="full",
        coalesce=True,
    )
    return (
        scores(counts, at_least=at_least)
        .select(pl.lit(as_of).alias("as_of"), *_GROUP, pl.exclude(*_GROUP))
        .sort(_GROUP)
    )


def _values(asked: pl.LazyFrame, order_lines: pl.LazyFrame) -> pl.LazyFrame:
    """List what the orders asked about held: order_id, break_down, break_down_value, each once."""
    # Few of all lines, and asked twice.
    lines = (
        order_lines.filter(pl.col("kind") == "merchandise")
        .select("order_id", "product_id", "category")
        .join(asked.select("order_id"), on="order_id")
        .collect(engine="streaming")
        .lazy()
    )
    columns = {"channel": asked, "product": lines, "category": lines}
    names = {"product": "product_id"}
    return pl.concat(
        frame.select(
            "order_id",
            break_down=pl.lit(name),
            break_down_value=pl.col(names.get(name, name)).fill_null(UNKNOWN),
        ).unique()
        for name, frame in columns.items()
    )


def _with_values(surveys: pl.LazyFrame, values: pl.LazyFrame) -> pl.LazyFrame:
    """Repeat each survey for every value of its order; once as unknown where there is none."""
    return pl.concat(
        surveys.with_columns(measure="kind", break_down=pl.lit(name))
        .join(values.filter(pl.col("break_down") == name).drop("break_down"), on="order_id", how="left")
        .with_columns(pl.col("break_down_value").fill_null(UNKNOWN))
        for name in BREAK_DOWNS
    )
