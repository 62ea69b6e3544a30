"""Scores against later behaviour: how many of those who answered 9 ordered again, and of those who said nothing.

One row a person: the first time that a survey of the kind reached them, and what they answered to it within 30 days.
Somebody who is asked again counts once, so nobody speaks twice. It has to be the *first* survey: who orders again is
asked again and has another chance to answer, so "never answered" would gather those who did not come back, and the
silent would look worse than they are only because of how they were counted.

What does not belong here: what the scores themselves are (`models.satisfaction`), and any claim that a score causes
an order: people who like a shop both say so and come back.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import polars as pl

from models.first_surveys import ANSWER_DAYS, first_asked, with_orders
from models.intervals import SMALL_GROUP, wilson_interval
from models.standardised import standardised_rates
from models.survey_scores import band

__all__ = ["ANSWER_DAYS", "GROUPS", "HORIZONS", "NO_ANSWER", "score_behaviour"]

HORIZONS = (180, 365)
GROUPS = ("any", "band", "score", "no_answer")
NO_ANSWER = "no answer"

_GROUP = ("measure", "group_kind", "group")
_STRATUM = ("earlier", "channel")


def score_behaviour(
    survey_answers: pl.LazyFrame,
    survey_invitations: pl.LazyFrame,
    orders: pl.LazyFrame,
    as_of: date,
    *,
    horizons: Sequence[int] = HORIZONS,
) -> pl.LazyFrame:
    """Share of people with a valid order within some days after their answer, by score.

    Parameters
    ----------
    survey_answers, survey_invitations
        See `models.satisfaction.satisfaction`; invitations with order_id. Where no invitation is known, a person's
        first answer is the first time that they were asked.
    orders
        order_id, customer_key, order_day, channel, is_valid.
    as_of
        Last day included; later answers, invitations and orders change nothing.
    horizons
        Days after the answer; after the invitation for those who did not answer. The day itself does not count.

    Returns
    -------
    LazyFrame
        One row per measure, group and horizon, sorted: as_of, measure, group_kind (`GROUPS`), group (the score, the
        band, "any answer" or `NO_ANSWER`), horizon_days (Int32), customers (in the group by `as_of`), n (those whose
        horizon is over) and count (of n, with an order), rate, low, high (95 % Wilson), is_small (n < 30);
        standardised_rate, _low, _high: at the mix of earlier orders of all who answered; overlap (share of these that
        the group's strata cover); weighted_rate, _low, _high, effective_n: weighted for non-response, null for
        `NO_ANSWER` and where no invitation is known.
        Rates are null where nobody's horizon is over. People whom 30 days to answer are not yet over for are in no
        group unless they have answered.

    Raises
    ------
    ValueError
        If a horizon is shorter than the days to answer in: who has not answered would not be known yet.

    Notes
    -----
    Earlier orders (`models.standardised.EARLIER_BANDS`) are valid orders up to the day of being asked, so the order
    asked about counts. Weights are 1 / response rate of the invited in the stratum of earlier orders x channel: those
    who answered stand for the silent of their stratum, which is right only if these would have said the same.
    effective_n = (sum w)^2 / sum w^2 (Kish 1965, Survey Sampling), and the weighted interval is Wilson's on it.
    """
    if any(days < ANSWER_DAYS for days in horizons):
        raise ValueError(f"Horizons must be at least {ANSWER_DAYS} days, not {list(horizons)}.")
    asked = first_asked(survey_answers, survey_invitations, as_of)
    people = with_orders(asked, orders, as_of).collect().lazy()
    cells = _cells(_in_groups(people), as_of, horizons).collect().lazy()
    key = [*_GROUP, "horizon_days"]
    n, count = pl.col("n"), pl.col("count")
    interval = wilson_interval(count, n)
    return (
        cells.group_by(key)
        .agg(pl.col("customers", "n", "count").sum())
        .join(_standardised(cells, key), on=key, how="left")
        .join(_weighted(cells, _weights(people, as_of), key), on=key, how="left")
        .select(
            pl.lit(as_of).alias("as_of"),
            *key,
            "customers",
            "n",
            "count",
            rate=pl.when(n > 0).then(count / n),
            low=interval.low,
            high=interval.high,
            is_small=n < SMALL_GROUP,
            **{name: pl.col(name) for name in (*_STANDARDISED, *_WEIGHTED)},
        )
        .sort(pl.col("measure"), pl.col("group_kind"), pl.col("group").str.zfill(2), "horizon_days")
    )


_STANDARDISED = ("standardised_rate", "standardised_low", "standardised_high", "overlap")
_WEIGHTED = ("weighted_rate", "weighted_low", "weighted_high", "effective_n")


def _in_groups(people: pl.LazyFrame) -> pl.LazyFrame:
    """Put each person into the groups they are part of: their score, its band and any; or no answer."""
    answered = people.filter(pl.col("score").is_not_null())
    groups = {
        "any": pl.lit("any answer"),
        "band": band(pl.col("score"), pl.col("measure")),
        "score": pl.col("score").cast(pl.String),
    }
    silent = people.filter(pl.col("score").is_null())
    return pl.concat(
        [
            *(answered.with_columns(group_kind=pl.lit(kind), group=group) for kind, group in groups.items()),
            silent.with_columns(group_kind=pl.lit("no_answer"), group=pl.lit(NO_ANSWER)),
        ]
    )


def _cells(grouped: pl.LazyFrame, as_of: date, horizons: Sequence[int]) -> pl.LazyFrame:
    """Count people by group, horizon and stratum: all, those whose horizon is over, and of these who ordered."""
    wait = (pl.col("next_day") - pl.col("from_day")).dt.total_days()
    return pl.concat(
        grouped.group_by(*_GROUP, *_STRATUM, "is_invited")
        .agg(
            customers=pl.len().cast(pl.Int64),
            n=(pl.col("from_day") <= as_of - timedelta(days)).sum().cast(pl.Int64),
            count=((pl.col("from_day") <= as_of - timedelta(days)) & (wait <= days)).sum().cast(pl.Int64),
        )
        .with_columns(horizon_days=pl.lit(days, pl.Int32))
        for days in horizons
    )


def _standardised(cells: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """Rates at the mix of earlier orders of everybody who answered, by measure and horizon."""
    by_earlier = cells.group_by(*key, "earlier").agg(pl.col("n", "count").sum())
    of_answers = by_earlier.filter(pl.col("group_kind") == "any")
    standard = of_answers.select("measure", "horizon_days", "earlier", standard="n")
    whole = of_answers.group_by("measure", "horizon_days").agg(whole=pl.col("n").sum())
    return standardised_rates(
        by_earlier.join(standard, on=["measure", "horizon_days", "earlier"]).join(
            whole, on=["measure", "horizon_days"]
        ),
        key,
        ["earlier"],
    ).rename({name: f"standardised_{name}" for name in ("rate", "low", "high")})


def _weights(people: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    """Give 1 / response rate of the invited, by stratum, of those whose days to answer are over."""
    return (
        people.filter(pl.col("is_invited") & (pl.col("asked_day") <= as_of - timedelta(ANSWER_DAYS)))
        .group_by("measure", *_STRATUM)
        .agg(invited=pl.len(), answered=pl.col("score").is_not_null().sum())
        .filter(pl.col("answered") > 0)
        .select("measure", *_STRATUM, weight=pl.col("invited") / pl.col("answered"))
    )


def _weighted(cells: pl.LazyFrame, weights: pl.LazyFrame, key: list[str]) -> pl.LazyFrame:
    """Rates of the invited who answered, each standing for the silent of the same stratum."""
    weight, n = pl.col("weight"), pl.col("n")
    rate = pl.col("_count") / pl.col("_sum")
    effective = pl.col("_sum") ** 2 / pl.col("_squares")
    # Rounding may bring a rate of 1 a hair above: no proportion any more.
    interval = wilson_interval((rate * effective).clip(upper_bound=effective), effective)
    return (
        cells.filter(pl.col("is_invited") & (pl.col("group_kind") != "no_answer") & (n > 0))
        .join(weights, on=["measure", *_STRATUM])
        # In one order, so that sums of floats come out the same on every run.
        .sort(*key, *_STRATUM)
        .group_by(key, maintain_order=True)
        .agg(
            _count=(weight * pl.col("count")).sum(),
            _sum=(weight * n).sum(),
            _squares=(weight * weight * n).sum(),
        )
        .select(
            *key,
            weighted_rate=rate,
            weighted_low=interval.low,
            weighted_high=interval.high,
            effective_n=effective,
        )
    )
