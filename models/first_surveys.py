"""The first survey of each kind that reached a person: what they answered, and their orders before and after it.

What does not belong here: rates (`models.score_behaviour`), and later surveys: who orders again is asked again.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.standardised import earlier_band
from models.survey_scores import answers_by, in_scale, invitations_by

__all__ = ["ANSWER_DAYS", "first_asked", "with_orders"]

ANSWER_DAYS = 30
"""Answers later than this after the invitation are none (ours): a survey is about what just happened."""


def first_asked(survey_answers: pl.LazyFrame, survey_invitations: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """List people and kinds of survey: when first asked, about which order, and what they answered to that.

    measure, customer_key, order_id, from_day (of the answer, else of the invitation), asked_day, is_invited, score
    (null: no answer).
    """
    same = ["survey_id", "kind", "customer_key"]
    answers = in_scale(answers_by(survey_answers, as_of)).select(*same, "order_id", "score", "answered_day")
    sent = invitations_by(survey_invitations, as_of).filter(pl.col("customer_key").is_not_null())
    in_time = (pl.col("answered_day") - pl.col("sent_day")).dt.total_days() <= ANSWER_DAYS
    pairs = sent.select(*same, "order_id", "sent_day").join(
        answers, on=same, how="full", coalesce=True, suffix="_told"
    )
    asked_day = pl.coalesce("sent_day", "answered_day")
    has_answered = pl.col("answered_day").is_not_null() & (pl.col("sent_day").is_null() | in_time)
    return (
        pairs.select(
            *same,
            order_id=pl.coalesce("order_id", "order_id_told"),
            asked_day=asked_day,
            is_invited=pl.col("sent_day").is_not_null(),
            from_day=pl.when(has_answered).then("answered_day").otherwise("sent_day"),
            score=pl.when(has_answered).then("score"),
        )
        .sort("asked_day", "survey_id", "order_id", "score")
        .unique(["kind", "customer_key"], keep="first", maintain_order=True)
        # Before the days to answer are over nobody is silent.
        .filter(pl.col("score").is_not_null() | (pl.col("asked_day") <= as_of - timedelta(ANSWER_DAYS)))
        .rename({"kind": "measure"})
        .drop("survey_id")
    )


def with_orders(asked: pl.LazyFrame, orders: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Add each person's band of earlier orders, the channel asked about, and the first order day after from_day."""
    valid = orders.filter(
        pl.col("is_valid") & pl.col("customer_key").is_not_null() & (pl.col("order_day") <= as_of)
    )
    person, day = ["measure", "customer_key"], pl.col("order_day")
    behaviour = (
        asked.select(*person, "asked_day", "from_day")
        .join(valid.select("customer_key", "order_day"), on="customer_key")
        .group_by(person)
        .agg(
            earlier=(day <= pl.col("asked_day")).sum().cast(pl.Int32),
            next_day=pl.when(day > pl.col("from_day")).then(day).min(),
        )
    )
    channels = orders.filter(day <= as_of).select("order_id", "channel")
    return (
        asked.join(behaviour, on=person, how="left")
        .join(channels, on="order_id", how="left")
        .select(
            "measure",
            "score",
            "is_invited",
            "asked_day",
            "from_day",
            "next_day",
            pl.col("channel").fill_null("unknown"),
            earlier=earlier_band(pl.col("earlier").fill_null(0)),
        )
    )
