"""The practice shop's truth: what nobody at a shop could know, beside the customers and campaigns that a lab knows.

For notebooks and tests that hold a measure against what is true. No run ever reads it: it lies apart from what is
delivered, in the folder ``truth`` of a simulated shop (`pipelines.simulate`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.errors import LabError

if TYPE_CHECKING:
    from pipelines.lab import Lab

__all__ = ["campaigns_in_truth", "customers_in_truth", "effects_in_truth"]


def effects_in_truth(lab: Lab) -> dict[str, Any]:
    """Give the true sizes of all effects, as the simulation wrote them down (``truth/effects.json``).

    Raises
    ------
    LabError
        The shop is no simulated one.
    """
    return json.loads((_folder(lab) / "effects.json").read_text(encoding="utf-8"))


def customers_in_truth(lab: Lab) -> pl.DataFrame:
    """Tell of each of the lab's customers who they were in truth, and what they did later.

    Returns
    -------
    DataFrame
        One row per customer with a valid order: customer_key, is_customer_at_end (had not left on the last day),
        future_orders (placed in the 365 days after it), sorted. Of a customer in whom the lab sees two people the one
        with most orders counts; a person in whom it sees two customers stands there twice.

    Raises
    ------
    LabError
        The shop is no simulated one.
    """
    folder = _folder(lab)
    placed = pl.read_parquet(folder / "orders.parquet", columns=["order_id", "person"])
    people = pl.read_parquet(
        folder / "customers.parquet", columns=["person", "is_customer_at_end", "future_orders"]
    )
    orders = lab.read("orders").filter(pl.col("is_valid") & pl.col("customer_key").is_not_null())
    return (
        orders.select("order_id", "customer_key")
        .collect()
        .join(placed, on="order_id")
        .group_by("customer_key", "person")
        .agg(orders=pl.len())
        .sort("customer_key", "orders", "person", descending=[False, True, False])
        .unique("customer_key", keep="first", maintain_order=True)
        .join(people, on="person", how="left", maintain_order="left")
        .select("customer_key", "is_customer_at_end", "future_orders")
    )


def campaigns_in_truth(lab: Lab) -> pl.DataFrame:
    """Give what each campaign changed in truth.

    Returns
    -------
    DataFrame
        One row per campaign, in the order they were run: campaign, window_days, rate_multiplier (of whoever was written
        to), true_difference (share who order within the window, written to less held out, over everybody assigned).

    Raises
    ------
    LabError
        The shop is no simulated one.
    """
    rows = [
        (row["campaign"], row["window_days"], row["rate_multiplier"], row["difference_in_p_order"])
        for row in effects_in_truth(lab)["campaigns"]
    ]
    schema = {
        "campaign": pl.String,
        "window_days": pl.Int64,
        "rate_multiplier": pl.Float64,
        "true_difference": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _folder(lab: Lab) -> Path:
    folder = lab.shop.folder / "truth"
    if not folder.is_dir():
        raise LabError(
            f"{lab.shop.title} is no simulated shop: nobody wrote its truth down. Lab.practice() has one."
        )
    return folder
