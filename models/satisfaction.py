"""NPS, CSAT and product score: what the customers' last answers say, how sure that is, and how many answered.

NPS is % of scores 9-10 minus % of 0-6, in points from -100 to 100. CSAT is the share of answers 4-5 on a scale of
1-5, from 0 to 1; the product score is the same share for questions about a product. All take the last answer of each
customer in the period, so that who answers often has one voice.

What does not belong here: scores by product or channel (`models.satisfaction_break_downs`), what people did after
their answer (`models.score_behaviour`), comments, scores of one customer (those are in the profile), product reviews.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP
from models.periods import first_incomplete, period_index, period_start
from models.survey_scores import (
    TOO_FEW,
    answers_by,
    counts_of_last_answers,
    counts_of_responses,
    in_scale,
    invitations_by,
    scores,
)

__all__ = ["TOO_FEW", "satisfaction"]

_PERIOD = ("measure", "period", "period_start")


def satisfaction(
    survey_answers: pl.LazyFrame,
    survey_invitations: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int = 365,
    at_least: int = SMALL_GROUP,
) -> pl.LazyFrame:
    """NPS, CSAT and product score of the window up to `as_of`, and of every calendar month.

    Answers of unknown customers and scores outside the scale count nowhere. An invitation has been
    answered if an answer to the same survey, of the same kind and customer, was there by `as_of`.

    Parameters
    ----------
    survey_answers
        survey_id, customer_key, order_id, kind, score, answered_at, answered_day.
    survey_invitations
        survey_id, customer_key, kind, sent_day.
    as_of
        Last day included; later answers and invitations change nothing.
    window_days
        The window holds this many days, `as_of` being the last.
    at_least
        Customers with an answer from which on a value is shown.

    Returns
    -------
    LazyFrame
        One row per measure and period that has answers or invitations, sorted: as_of, measure ("nps",
        "csat", "product"), period ("window", "month"), period_start (Date), n (Int64, customers with an
        answer), invitations and responses (Int64; by the day sent; null when none were sent),
        response_rate, value, low, high (95 %), mean, mean_low, mean_high (of the scores), is_complete
        (the month has ended; true for the window), note.
        The values are null and note is `TOO_FEW` when n < `at_least`.

    Raises
    ------
    ValueError
        If the window is not positive.

    Notes
    -----
    Intervals: see `models.survey_scores.scores`. They are for the customers who answer: no interval
    knows what those who don't would have said, so read the response rate first.
    """
    if window_days <= 0:
        raise ValueError(f"The window must be a positive number of days, not {window_days}.")
    answers = answers_by(survey_answers, as_of)
    of_customers = _in_periods(in_scale(answers), "answered_day", as_of, window_days)
    sent = _in_periods(invitations_by(survey_invitations, as_of), "sent_day", as_of, window_days)
    counts = counts_of_last_answers(of_customers, _PERIOD).join(
        counts_of_responses(sent, answers, _PERIOD), on=list(_PERIOD), how="full", coalesce=True
    )
    month = period_index(pl.col("period_start"), "month")
    is_complete = (pl.col("period") == "window") | (month < first_incomplete(as_of, "month"))
    return (
        scores(counts, at_least=at_least)
        .select(
            pl.lit(as_of).alias("as_of"),
            *_PERIOD,
            pl.exclude(*_PERIOD, "note"),
            is_complete.alias("is_complete"),
            "note",
        )
        .sort(_PERIOD)
    )


def _in_periods(frame: pl.LazyFrame, day: str, as_of: date, window_days: int) -> pl.LazyFrame:
    """Put each row into its calendar month and, if it is in the window, once more into that."""
    start = as_of - timedelta(window_days - 1)
    month = period_start(period_index(pl.col(day), "month"), "month")
    return pl.concat(
        [
            frame.filter(pl.col(day) >= start).with_columns(
                period=pl.lit("window"), period_start=pl.lit(start), measure="kind"
            ),
            frame.with_columns(period=pl.lit("month"), period_start=month, measure="kind"),
        ]
    )
