"""Hold-out: who of a list is not written to, so that the effect of writing can be measured.

Assignment is a keyed hash of campaign and customer: stable within a campaign, redrawn for the next, the
same on every machine, and unpredictable without the salt. And the honest question before sending: how
large must an effect be for this list to show it?

Results of campaigns, ledgers and where the salt is kept do not belong here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Literal

import polars as pl
from scipy.optimize import brentq
from scipy.stats import norm

from models.keyed_hash import keyed_hash

BUCKETS = 10_000

Period = Literal["week", "month", "quarter", "year"]


def campaign_name(list_name: str, as_of: date, period: Period = "quarter") -> str:
    """Name of the campaign a list belongs to: within it everybody keeps their assignment.

    Parameters
    ----------
    list_name
        Name of the list, without its date.
    as_of
        Day of the list.
    period
        How long an assignment lasts: a calendar period, weeks by ISO 8601.

    Returns
    -------
    str
        For example "win_back-2011-Q4", "win_back-2011-11", "win_back-2011-W47" or "win_back-2011".
    """
    if period == "week":
        week = as_of.isocalendar()
        return f"{list_name}-{week.year}-W{week.week:02}"
    suffix = {
        "month": f"{as_of:%Y-%m}",
        "quarter": f"{as_of.year}-Q{(as_of.month + 2) // 3}",
        "year": str(as_of.year),
    }[period]
    return f"{list_name}-{suffix}"


def assign(customer_keys: pl.Series, *, salt: bytes, campaign: str, share: float) -> pl.Series:
    """Who is held out of a campaign.

    A customer is held out if HMAC-SHA256(salt, campaign + NUL + customer_key), read as a big-endian
    number, modulo 10,000 is below share * 10,000. Raising the share only ever adds people.

    Parameters
    ----------
    customer_keys
        Keys of the people on the list (String, no nulls).
    salt
        The shop's secret, at least 16 bytes.
    campaign
        Name of the campaign (`campaign_name`).
    share
        Share to hold out, from 0 to 1 in steps of 1/10,000.

    Returns
    -------
    pl.Series
        Boolean, in row order: true = held out.

    Raises
    ------
    ValueError
        If the salt is short, the campaign is empty or contains NUL, a key is null, or the share is outside
        0 to 1 or finer than a ten-thousandth.
    """
    threshold = _threshold(share)
    if len(salt) < 16:
        raise ValueError(f"The hold-out salt has {len(salt)} bytes; use at least 16.")
    if not campaign or "\0" in campaign:
        raise ValueError(f"A campaign needs a name without NUL, not {campaign!r}.")
    if customer_keys.null_count():
        raise ValueError(f"{customer_keys.null_count()} rows have no customer_key and cannot be assigned.")
    digest = keyed_hash(salt, f"{campaign}\0".encode())
    held_out = [
        int.from_bytes(digest(key.encode()), "big") % BUCKETS < threshold
        for key in customer_keys.cast(pl.String)
    ]
    return pl.Series("held_out", held_out, dtype=pl.Boolean)


def smallest_detectable_lift(
    base_rate: float, treated: int, held_out: int, *, power: float = 0.8, alpha: float = 0.05
) -> float | None:
    """Smallest rise of a rate over `base_rate` that a campaign of this size would show.

    Two-proportion z-test, two-sided, with the variance pooled under the null hypothesis; solved for the
    treated rate at which the test rejects with probability `power` (Fleiss, Levin & Paik 2003, Statistical
    Methods for Rates and Proportions, chapter 4, without continuity correction).

    Parameters
    ----------
    base_rate
        Rate expected without the campaign, 0 to 1.
    treated, held_out
        Customers written to and customers held out.
    power
        Probability of finding an effect of that size.
    alpha
        Two-sided significance level.

    Returns
    -------
    float | None
        Difference of rates (0.028 = 2.8 percentage points); None if there is nobody in either group, or
        even a treated rate of 1 would not be found.

    Raises
    ------
    ValueError
        If a rate or probability is outside its range or a size is negative.
    """
    _check_probabilities(base_rate, power, alpha)
    if treated < 0 or held_out < 0:
        raise ValueError(f"Group sizes must not be negative: treated {treated}, held out {held_out}.")
    if not treated or not held_out:
        return None
    z_alpha, z_power = float(norm.isf(alpha / 2)), float(norm.isf(1 - power))

    def shortfall(rate: float) -> float:
        pooled = (treated * rate + held_out * base_rate) / (treated + held_out)
        under_null = math.sqrt(pooled * (1 - pooled) * (1 / treated + 1 / held_out))
        observed = math.sqrt(rate * (1 - rate) / treated + base_rate * (1 - base_rate) / held_out)
        return rate - base_rate - z_alpha * under_null - z_power * observed

    if shortfall(1.0) < 0:
        return None
    # At the base rate itself the shortfall is negative (or 0 for a base rate of 0): start a hair above it.
    lowest = base_rate + 1e-12
    if lowest >= 1.0:
        return None
    return float(brentq(shortfall, lowest, 1.0, xtol=1e-12)) - base_rate


def lift_by_share(base_rate: float, people: int, shares: Sequence[float]) -> pl.DataFrame:
    """What a list could show at several shares held out.

    Parameters
    ----------
    base_rate
        Rate expected without the campaign, 0 to 1.
    people
        Customers on the list before the hold-out.
    shares
        Shares to hold out, 0 to 1.

    Returns
    -------
    pl.DataFrame
        One row per share: share, treated and held_out (customers, expected counts rounded), detectable_lift
        (difference of rates; null where nothing would show, see `smallest_detectable_lift`).
    """
    held_out = [round(people * share) for share in shares]
    lifts = [smallest_detectable_lift(base_rate, people - held, held) for held in held_out]
    return pl.DataFrame(
        {
            "share": list(shares),
            "treated": [people - held for held in held_out],
            "held_out": held_out,
            "detectable_lift": lifts,
        },
        schema={
            "share": pl.Float64,
            "treated": pl.Int64,
            "held_out": pl.Int64,
            "detectable_lift": pl.Float64,
        },
    )


def _threshold(share: float) -> int:
    scaled = share * BUCKETS
    threshold = round(scaled) if math.isfinite(scaled) else -1
    if not 0 <= threshold <= BUCKETS or abs(scaled - threshold) > 1e-6:
        raise ValueError(f"A hold-out share must be 0 to 1 in steps of 1/{BUCKETS:,}, not {share}.")
    return threshold


def _check_probabilities(base_rate: float, power: float, alpha: float) -> None:
    if not 0 <= base_rate <= 1:
        raise ValueError(f"A base rate must be between 0 and 1, not {base_rate}.")
    if not 0 < alpha < power < 1:
        raise ValueError(f"Need 0 < alpha < power < 1, got alpha {alpha} and power {power}.")
