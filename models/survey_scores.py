"""Scores of surveys: which answers count, which is a customer's last, and what a group of them amounts to.

The common ground of satisfaction by period (`models.satisfaction`) and by the order asked about
(`models.satisfaction_break_downs`), so that both mean the same by a score.

What does not belong here: periods, break-downs, and what people did after their answer (`models.score_behaviour`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from models.intervals import SMALL_GROUP, normal_quantile, wilson_interval

__all__ = [
    "BANDS",
    "SCALES",
    "TOO_FEW",
    "answers_by",
    "band",
    "counts_of_last_answers",
    "counts_of_responses",
    "in_scale",
    "invitations_by",
    "scores",
]

TOO_FEW = "too few"
"""What stands instead of a value when too few customers have answered to tell."""

SCALES = {"nps": (0, 10), "csat": (1, 5), "product": (1, 5)}
"""Lowest and highest score of each kind of survey."""

BANDS = {"nps": ("detractor", "passive", "promoter"), "csat": ("low", "middle", "high")}
"""Names of the three bands, lowest first: 0-6, 7-8, 9-10 of NPS and 1-2, 3, 4-5 of the others, named as csat's."""

_SAME = ["survey_id", "kind", "customer_key"]


def band(score: pl.Expr, kind: pl.Expr) -> pl.Expr:
    """Name the band (String) of a score."""
    is_nps = kind == "nps"
    bad, middle, good = (
        pl.when(is_nps).then(pl.lit(nps)).otherwise(pl.lit(other))
        for nps, other in zip(BANDS["nps"], BANDS["csat"], strict=True)
    )
    return (
        pl.when(pl.when(is_nps).then(score >= 9).otherwise(score >= 4))
        .then(good)
        .when(pl.when(is_nps).then(score <= 6).otherwise(score <= 2))
        .then(bad)
        .otherwise(middle)
    )


def answers_by(survey_answers: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the answers of known kinds that had come by `as_of`."""
    return survey_answers.filter(pl.col("kind").is_in(list(SCALES)) & (pl.col("answered_day") <= as_of))


def invitations_by(survey_invitations: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Keep the invitations of known kinds that had gone out by `as_of`."""
    return survey_invitations.filter(pl.col("kind").is_in(list(SCALES)) & (pl.col("sent_day") <= as_of))


def in_scale(answers: pl.LazyFrame) -> pl.LazyFrame:
    """Keep the answers of known customers whose score is on its scale."""
    is_in_scale = pl.any_horizontal(
        (pl.col("kind") == kind) & pl.col("score").is_between(lowest, highest)
        for kind, (lowest, highest) in SCALES.items()
    )
    return answers.filter(is_in_scale & pl.col("customer_key").is_not_null())


def counts_of_last_answers(answers: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Count good and bad among the last answers of each customer in each group.

    Parameters
    ----------
    answers
        From `in_scale`, with the columns `by`, of which one says the kind.
    by
        Columns that tell groups apart.

    Returns
    -------
    LazyFrame
        One row per group: `by`, n (customers), good, bad, total (sum of their scores), total_of_squares; Int64.
    """
    score, of_band = pl.col("score"), band(pl.col("score"), pl.col("kind"))
    best, worst = ([names[place] for names in BANDS.values()] for place in (2, 0))
    return (
        # Down to the score, so that two answers of one instant don't make the result a matter of luck.
        answers.sort("answered_at", "survey_id", "order_id", "score")
        .group_by(*by, "kind", "customer_key", maintain_order=True)
        .agg(score.last())
        .group_by(by)
        .agg(
            n=pl.len().cast(pl.Int64),
            good=of_band.is_in(best).sum().cast(pl.Int64),
            bad=of_band.is_in(worst).sum().cast(pl.Int64),
            total=score.sum(),
            total_of_squares=(score * score).sum(),
        )
    )


def counts_of_responses(invitations: pl.LazyFrame, answers: pl.LazyFrame, by: Sequence[str]) -> pl.LazyFrame:
    """Count the invitations of each group, and those that were answered.

    An invitation has been answered if there is an answer to the same survey, of the same kind and customer.

    Returns
    -------
    LazyFrame
        One row per group: `by`, invitations, responses (Int64).
    """
    answered = answers.select(_SAME).unique().with_columns(is_answered=pl.lit(True))
    return (
        invitations.join(answered, on=_SAME, how="left", nulls_equal=True)
        .group_by(by)
        .agg(
            invitations=pl.len().cast(pl.Int64),
            responses=pl.col("is_answered").fill_null(False).sum().cast(pl.Int64),
        )
    )


def scores(counts: pl.LazyFrame, *, at_least: int = SMALL_GROUP) -> pl.LazyFrame:
    """Turn counts into response rate, score and interval.

    Parameters
    ----------
    counts
        measure, n, good, bad, total, total_of_squares, invitations, responses, and others, which stay.
    at_least
        Customers with an answer from which on a value is shown.

    Returns
    -------
    LazyFrame
        The other columns, then n, invitations, responses, response_rate, value, low, high (95 %), mean, mean_low,
        mean_high, note (`TOO_FEW` where n < `at_least`; the values are null then).

    Notes
    -----
    The interval of NPS is normal, with the variance of a difference of two shares of one multinomial sample,
    (p + d - (p - d)^2) / n for promoters p and detractors d (Goodman 1965, Technometrics 7, 247-254, for such
    contrasts), cut at -100 and 100. It has no width when all answers fall in one class, which says too much. The
    share of good answers has Wilson's, the mean the normal one, cut at the ends of the scale.
    """
    is_nps, n = pl.col("measure") == "nps", pl.col("n")
    share, nps, mean = wilson_interval(pl.col("good"), n), _nps(), _mean()
    has_value = n >= at_least
    numbers = {
        "value": pl.when(is_nps).then(nps["value"]).otherwise(pl.col("good") / n),
        "low": pl.when(is_nps).then(nps["low"]).otherwise(share.low),
        "high": pl.when(is_nps).then(nps["high"]).otherwise(share.high),
        **mean,
    }
    return counts.with_columns(pl.col("n", "good", "bad", "total", "total_of_squares").fill_null(0)).select(
        pl.exclude("n", "good", "bad", "total", "total_of_squares", "invitations", "responses"),
        "n",
        "invitations",
        "responses",
        response_rate=pl.col("responses") / pl.col("invitations"),
        **{name: pl.when(has_value).then(number) for name, number in numbers.items()},
        note=pl.when(~has_value).then(pl.lit(TOO_FEW)),
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


def _mean() -> dict[str, pl.Expr]:
    """Mean score and ends of its interval, in points of the scale."""
    n, total = pl.col("n"), pl.col("total")
    mean = total / n
    # From whole numbers, so that rounding makes no variance where everybody says the same.
    variance = pl.when(n > 1).then((n * pl.col("total_of_squares") - total * total) / (n * (n - 1)))
    half = normal_quantile(0.95) * (variance / n).sqrt()
    ends = [
        pl.col("measure").replace_strict(
            {kind: float(scale[place]) for kind, scale in SCALES.items()}, return_dtype=pl.Float64
        )
        for place in (0, 1)
    ]
    return {
        "mean": mean,
        # Not the horizontal minimum, which would take the end of the scale where there is no interval.
        "mean_low": pl.when(mean - half > ends[0]).then(mean - half).when(half.is_not_null()).then(ends[0]),
        "mean_high": pl.when(mean + half < ends[1]).then(mean + half).when(half.is_not_null()).then(ends[1]),
    }
