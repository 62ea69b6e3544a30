"""Drivers: what about a customer speaks for an order, and what against it, next to a typical customer of the shop.

One thing about a customer at a time is made typical, everything else stays, and the published model is asked again: by
how many points does the probability of silence move? That answers "why is this person here" for any model, in its own
terms. Things that go together are exchanged together (all that tells how somebody buys, all that tells what came back);
effects of two things need not add up, since models know interactions.

What does not belong here: how much a feature matters over all customers (permutation importances, `models.churn`),
causes: a driver says what the model goes by, not what would happen if a shop changed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.purchases import PurchaseModel

__all__ = ["GROUPS", "purchase_drivers", "top", "tree_drivers"]

FloatArray = npt.NDArray[np.float64]

GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "rhythm": (
        "days_since_last_order", "T", "order_days", "orders", "order_days_90d", "order_days_365d", "gap_mean",
        "gap_last", "gap_sd", "recency_over_gap", "last_order_season_sin", "last_order_season_cos",
    ),
    "spend": ("historic_net", "net_365d", "net_mean", "net_last_day", "gamma_gamma_expected_spend"),
    "discounts": ("discount_share", "discounted_order_share"),
    "assortment": ("products", "categories", "main_category"),
    "returns": ("returned_share", "returned_share_fault", "returned_share_other", "days_since_last_return"),
    "surveys": (
        "nps_last", "csat_last", "nps_age_days", "csat_age_days", "invitations", "invitations_unanswered",
    ),
    "deliveries": ("parcels", "late_parcels", "last_parcel_late"),
    "tickets": ("tickets", "wismo_tickets", "open_tickets"),
    "origin": ("channel_first_order", "channel_last_order", "country_first_order", "country_last_order"),
}  # fmt: skip
"""Features that are exchanged together, by what they tell of a customer (`models.features`)."""

_RHYTHM_OF_MODELS: Final = "mbg_"
_SAME_FOR_ALL: Final = ("as_of_season_sin", "as_of_season_cos", "customer_key", "cut")
_SCHEMA: Final = {"customer_key": pl.String, "driver": pl.String, "effect": pl.Float64}


def purchase_drivers(
    members: pl.DataFrame, everybody: pl.DataFrame, model: PurchaseModel, *, horizon_days: float
) -> pl.DataFrame:
    """Drivers of a purchase model: how often somebody ordered, and how long they have been silent.

    Parameters
    ----------
    members
        Customer summary (`models.summary.customer_summary`) of those to explain, in days.
    everybody
        The summary of all customers: who is typical is the median of these.
    model
        Fitted, in days.
    horizon_days
        Days ahead.

    Returns
    -------
    pl.DataFrame
        One row per member and driver ("orders", "silence"): customer_key, driver, effect (by how much this thing moves
        the probability of no order, against a typical one; above 0 speaks for silence). A member with fewer than one
        repeat order has no silence of their own: they have been silent as long as they are known.
    """
    silence = pl.col("T") - pl.col("recency")
    typical = everybody.select(
        orders=pl.col("frequency").median(), silence=silence.filter(pl.col("frequency") > 0).median()
    ).row(0, named=True)
    own = 1 - model.purchase_probability(members, horizon_days)
    as_often = _with_frequency(members, float(typical["orders"] or 0.0))
    has_repeated = members["frequency"].to_numpy() > 0
    recency = np.maximum(members["T"].to_numpy() - float(typical["silence"] or 0.0), 0.0)
    as_silent = members.with_columns(
        recency=pl.Series(np.where(has_repeated, recency, members["recency"].to_numpy()))
    )
    found = {"orders": as_often, "silence": as_silent}
    return pl.concat(
        members.select(
            "customer_key",
            pl.lit(name).alias("driver"),
            pl.Series("effect", own - (1 - model.purchase_probability(other, horizon_days))),
        )
        for name, other in found.items()
    )


def tree_drivers(
    members: pl.DataFrame, everybody: pl.DataFrame, silence: Callable[[pl.DataFrame], FloatArray]
) -> pl.DataFrame:
    """Drivers of a model that looks at the whole matrix of features.

    Parameters
    ----------
    members
        Rows of the matrix (`models.features.features`) to explain.
    everybody
        The whole matrix: typical are its medians, and its most frequent categories.
    silence
        Probability of no order of each row.

    Returns
    -------
    pl.DataFrame
        One row per member and group of features, see `purchase_drivers`.
    """
    own = silence(members)
    typical = {name: _typical(everybody[name]) for name in members.columns if name not in _SAME_FOR_ALL}
    frames = [
        members.select(
            "customer_key",
            pl.lit(group).alias("driver"),
            pl.Series("effect", own - silence(members.with_columns(typical[name] for name in names))),
        )
        for group, names in _groups(list(typical)).items()
    ]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames])


def top(drivers: pl.DataFrame, *, most: int = 3, least_effect: float = 0.005) -> pl.DataFrame:
    """Keep the strongest drivers of each customer.

    Parameters
    ----------
    drivers
        As of `purchase_drivers` or `tree_drivers`.
    most
        How many a customer.
    least_effect
        Effects below are none: half a point by default.

    Returns
    -------
    pl.DataFrame
        One row per customer and rank (1 is the strongest), sorted: customer_key, rank (Int32), driver, effect.
    """
    strength = pl.col("effect").abs()
    return (
        drivers.filter(strength >= least_effect)
        .sort("customer_key", strength, "driver", descending=[False, True, False])
        .with_columns(rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int32).over("customer_key"))
        .filter(pl.col("rank") <= most)
        .select("customer_key", "rank", "driver", "effect")
    )


def _with_frequency(members: pl.DataFrame, typical: float) -> pl.DataFrame:
    """The same people with a typical number of repeats, last seen when they were."""
    if typical == 0:
        return members.with_columns(frequency=pl.lit(0.0), recency=pl.lit(0.0))
    # Who never came back was last seen on their first day; with repeats they would have been seen half-way since.
    recency = pl.when(pl.col("frequency") > 0).then("recency").otherwise(pl.col("T") / 2)
    return members.with_columns(frequency=pl.lit(typical), recency=recency)


def _groups(names: Sequence[str]) -> dict[str, list[str]]:
    of = {name: group for group, members in GROUPS.items() for name in members}
    groups: dict[str, list[str]] = {}
    for name in names:
        group = "rhythm" if name.startswith(_RHYTHM_OF_MODELS) else of.get(name, name)
        groups.setdefault(group, []).append(name)
    return groups


def _typical(values: pl.Series) -> pl.Expr:
    known = values.drop_nulls()
    if known.is_empty():
        return pl.lit(None, values.dtype).alias(values.name)
    if values.dtype == pl.String:
        most = known.value_counts(name="n").sort("n", values.name, descending=[True, False])[values.name][0]
        return pl.lit(most).alias(values.name)
    return pl.lit(known.cast(pl.Float64).median(), pl.Float64).alias(values.name)
