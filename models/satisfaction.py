"""NPS and CSAT: what the customers' last answers say, how sure that is, and how many answered.

NPS is % of scores 9-10 minus % of 0-6, in points from -100 to 100. CSAT is the share of answers 4-5 on a
scale of 1-5, from 0 to 1. Both take the last answer of each customer in the period, so that who answers
often has one voice.

What does not belong here: comments, scores of one customer (those are in the profile), product reviews.
"""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from models.intervals import SMALL_GROUP, normal_quantile, wilson_interval
from models.periods import first_incomplete, period_index, period_start

__all__ = ["TOO_FEW", "satisfaction"]

TOO_FEW = "too few"
"""What stands instead of a value when too few customers have answered to tell."""

_SCALES = {"nps": (0, 10), "csat": (1, 5)}
_PERIOD = ("measure", "period", "period_start")


def satisfaction(
    survey_answers: pl.LazyFrame,
    survey_invitations: pl.LazyFrame,
    as_of: date,
    *,
    window_days: int = 365,
    at_least: int = SMALL_GROUP,
) -> pl.LazyFrame:
    """NPS and CSAT of the window up to `as_of`, and of every calendar month.

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
        "csat"), period ("window", "month"), period_start (Date), n (Int64, customers with an answer),
        invitations and responses (Int64; by the day sent; null when none were sent), response_rate,
        value, low, high (95 %), is_complete (the month has ended; true for the window), note.
        value, low and high are null and note is `TOO_FEW` when n < `at_least`.

    Raises
    ------
    ValueError
        If the window is not positive.

    Notes
    -----
    The interval of NPS is normal, with the variance of a difference of two shares of one multinomial
    sample, (p + d - (p - d)^2) / n for promoters p and detractors d (Goodman 1965, Technometrics 7,
    247-254, for such contrasts), cut at -100 and 100. It has no width when all answers fall in one
    class, which says too much. CSAT has Wilson's. Both are for the customers who answer: no interval
    knows what those who don't would have said, so read the response rate first.
    """
    if window_days <= 0:
        raise ValueError(f"The window must be a positive number of days, not {window_days}.")
    answers = survey_answers.filter(pl.col("kind").is_in(list(_SCALES)) & (pl.col("answered_day") <= as_of))
    invitations = survey_invitations.filter(
        pl.col("kind").is_in(list(_SCALES)) & (pl.col("sent_day") <= as_of)
    )
    counts = _last_answers(answers, as_of, window_days).join(
        _responses(invitations, answers, as_of, window_days), on=list(_PERIOD), how="full", coalesce=True
    )
    is_nps, n = pl.col("measure") == "nps", pl.col("n")
    share = pl.col("good") / n
    csat, nps = wilson_interval(pl.col("good"), n), _nps()
    has_value = n >= at_least
    month = period_index(pl.col("period_start"), "month")
    return (
        counts.with_columns(pl.col("n", "good", "bad").fill_null(0))
        .select(
            pl.lit(as_of).alias("as_of"),
            *_PERIOD,
            "n",
            "invitations",
            "responses",
            response_rate=pl.col("responses") / pl.col("invitations"),
            value=pl.when(has_value & is_nps).then(nps["value"]).when(has_value).then(share),
            low=pl.when(has_value & is_nps).then(nps["low"]).when(has_value).then(csat.low),
            high=pl.when(has_value & is_nps).then(nps["high"]).when(has_value).then(csat.high),
            is_complete=(pl.col("period") == "window") | (month < first_incomplete(as_of, "month")),
            note=pl.when(~has_value).then(pl.lit(TOO_FEW)),
        )
        .sort(_PERIOD)
    )


def _nps() -> dict[str, pl.Expr]:
    """Value and ends of the interval, in points."""
    promoters, detractors = pl.col("good") / pl.col("n"), pl.col("bad") / pl.col("n")
    score = promoters - detractors
    half = normal_quantile(0.95) * ((promoters + detractors - score * score) / pl.col("n")).sqrt()
    return {
        "value": 100 * score,
        "low": (100 * (score - half)).clip(lower_bound=-100.0),
        "high": (100 * (score + half)).clip(upper_bound=100.0),
    }


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


def _last_answers(answers: pl.LazyFrame, as_of: date, window_days: int) -> pl.LazyFrame:
    """Count good and bad among the last answers of each customer in each period."""
    score, is_nps = pl.col("score"), pl.col("measure") == "nps"
    in_scale = pl.any_horizontal(
        (pl.col("kind") == kind) & score.is_between(lowest, highest)
        for kind, (lowest, highest) in _SCALES.items()
    )
    is_good = pl.when(is_nps).then(score >= 9).otherwise(score >= 4)
    is_bad = pl.when(is_nps).then(score <= 6).otherwise(score <= 2)
    return (
        _in_periods(
            answers.filter(in_scale & pl.col("customer_key").is_not_null()),
            "answered_day",
            as_of,
            window_days,
        )
        # Down to the score, so that two answers of one instant don't make the result a matter of luck.
        .sort("answered_at", "survey_id", "order_id", "score")
        .group_by(*_PERIOD, "customer_key", maintain_order=True)
        .agg(score.last())
        .group_by(_PERIOD)
        .agg(
            n=pl.len().cast(pl.Int64),
            good=is_good.sum().cast(pl.Int64),
            bad=is_bad.sum().cast(pl.Int64),
        )
    )


def _responses(
    invitations: pl.LazyFrame, answers: pl.LazyFrame, as_of: date, window_days: int
) -> pl.LazyFrame:
    same = ["survey_id", "kind", "customer_key"]
    answered = answers.select(same).unique().with_columns(is_answered=pl.lit(True))
    sent = invitations.select(*same, "sent_day").join(answered, on=same, how="left", nulls_equal=True)
    return (
        _in_periods(sent, "sent_day", as_of, window_days)
        .group_by(_PERIOD)
        .agg(
            invitations=pl.len().cast(pl.Int64),
            responses=pl.col("is_answered").fill_null(False).sum().cast(pl.Int64),
        )
    )
