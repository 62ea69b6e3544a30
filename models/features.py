"""Features: what was known of each customer at the end of a day, one number or category a column.

The matrix that boosted trees learn from (`models.churn`, `models.future_value`), and that people may look at to see
why a prediction is what it is. Nothing dated after `as_of` changes a cell. A table that a shop does not have leaves
its columns out; what is not known of a customer is null, never 0.

What does not belong here: labels, i.e. what came after (`models.training_rows`), and turning categories into numbers
(`models._feature_matrix`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Required, TypedDict

import polars as pl

from models._behaviour_features import behaviour, known_orders, known_purchases
from models._experience_features import (
    assortment,
    goods_returned,
    invited,
    last_scores,
    parcels,
    wrote,
)
from models.purchase_features import purchase_features

__all__ = ["COLUMNS", "Tables", "features"]

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "orders": (
            "order_id",
            "customer_key",
            "order_day",
            "channel",
            "country",
            "is_valid",
            "gross",
            "discount",
        ),
        "order_lines": ("order_id", "product_id", "category", "kind", "net"),
        "returns": (
            "order_id",
            "product_id",
            "quantity",
            "kind",
            "amount",
            "reason",
            "outcome",
            "returned_day",
            "refunded_day",
        ),
        "survey_answers": (
            "survey_id",
            "customer_key",
            "order_id",
            "kind",
            "score",
            "answered_at",
            "answered_day",
        ),
        "survey_invitations": ("survey_id", "customer_key", "kind", "sent_day"),
        "shipments": ("order_id", "delivered_day", "is_late"),
        "tickets": ("customer_key", "is_wismo", "is_open", "opened_day", "closed_day"),
    }
)
"""What is read of each table."""


class Tables(TypedDict, total=False):
    """The facts that features are made of, by the names of `features`."""

    orders: Required[pl.LazyFrame]
    order_lines: pl.LazyFrame | None
    returns: pl.LazyFrame | None
    survey_answers: pl.LazyFrame | None
    survey_invitations: pl.LazyFrame | None
    shipments: pl.LazyFrame | None
    tickets: pl.LazyFrame | None


def features(
    as_of: date,
    *,
    horizon_days: int | None = None,
    orders: pl.LazyFrame,
    order_lines: pl.LazyFrame | None = None,
    returns: pl.LazyFrame | None = None,
    survey_answers: pl.LazyFrame | None = None,
    survey_invitations: pl.LazyFrame | None = None,
    shipments: pl.LazyFrame | None = None,
    tickets: pl.LazyFrame | None = None,
) -> pl.LazyFrame:
    """What was known of each customer at the end of `as_of`.

    Parameters
    ----------
    as_of
        Last day included.
    horizon_days
        With it, the purchase models are fitted at the call and tell their features for this horizon. Trees that were
        fitted on training rows of a horizon need the same one here.
    orders, order_lines, returns, survey_answers, survey_invitations, shipments, tickets
        The facts, of which `COLUMNS` are read; None where the shop has none. Without returns, net is before them.

    Returns
    -------
    LazyFrame
        One row per customer with a valid order by `as_of`, in no particular order: customer_key, then Float64 but
        for categories (String).

        *orders*: days_since_last_order, T (days since the first), order_days, orders, order_days_90d,
        order_days_365d; gap_mean, gap_last, gap_sd (days between order days; null with fewer than one, one, two
        gaps), recency_over_gap (days since the last order in mean gaps); historic_net, net_365d, net_mean (per
        order), net_last_day (of the last order day), all net of refunds known by `as_of`; discount_share (of
        value), discounted_order_share; channel_first_order, channel_last_order, country_first_order,
        country_last_order; as_of_season_sin, _cos, last_order_season_sin, _cos (place in the year on a circle).

        *order_lines*: products, categories (distinct), main_category (by value; null where none is told).

        *returns*: returned_share, returned_share_fault (the shop's, `models.order_events.BAD_REASONS`) and
        returned_share_other (another reason is told), of the value bought; days_since_last_return.

        *survey_answers*: nps_last, csat_last, nps_age_days, csat_age_days.

        *survey_invitations*: invitations, and with answers invitations_unanswered.

        *shipments*: parcels (arrived, with a promise), late_parcels, last_parcel_late; null without such a parcel.

        *tickets*: tickets, wismo_tickets, open_tickets.

        *with horizon_days*: `models.purchase_features.purchase_feature_names`.

    Warns
    -----
    ApproximationWarning
        A purchase model could not be fitted; its features are null.
    """
    known = known_orders(orders, as_of)
    made = behaviour(orders, returns, as_of)
    zero: list[str] = []
    parts: list[pl.LazyFrame] = []
    if order_lines is not None:
        parts.append(assortment(order_lines, known))
    if returns is not None:
        parts.append(goods_returned(returns, known, as_of))
    if survey_answers is not None:
        parts.append(last_scores(survey_answers, as_of))
    if survey_invitations is not None:
        parts.append(invited(survey_invitations, survey_answers, as_of))
        zero += ["invitations", *(["invitations_unanswered"] if survey_answers is not None else [])]
    if shipments is not None:
        parts.append(parcels(shipments, known, as_of))
    if tickets is not None:
        parts.append(wrote(tickets, as_of))
        zero += ["tickets", "wismo_tickets", "open_tickets"]
    if horizon_days is not None:
        purchases = known_purchases(orders, returns, as_of)
        parts.append(purchase_features(purchases, as_of, horizon_days).lazy())
    for part in parts:
        made = made.join(part, on="customer_key", how="left")
    # Where the table is there, who is not in it was not asked, did not write, sent nothing back: a known 0.
    made = made.with_columns(pl.col(zero).fill_null(0.0)) if zero else made
    return (made if returns is None else _shares_returned(made)).drop("sold")


def _shares_returned(made: pl.LazyFrame) -> pl.LazyFrame:
    names = {"returned": "returned_share", "returned_fault": "returned_share_fault"} | {
        "returned_other": "returned_share_other"
    }
    sold = pl.col("sold")
    return made.with_columns(
        pl.when(sold > 0).then(pl.col(amount).fill_null(0.0) / sold).alias(share)
        for amount, share in names.items()
    ).drop(*names)
