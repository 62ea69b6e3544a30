"""What must hold before a day is published: a day with orders, fresh ones, and no new delivery set aside whole.

Asked by `pipelines.run` and by the nightly sensor alike, so that both publish under the same conditions.
"""

from datetime import date, datetime

import polars as pl

from pipelines.errors import AsOfError, DeliveryError
from pipelines.lake import Lake
from pipelines.shop import Shop


def choose_as_of(shop: Shop, lake: Lake, asked: date | None) -> date:
    """The day to publish: the one asked for, else that of the newest order.

    Raises
    ------
    AsOfError
        There is no order yet, or the newest is older than the shop's max_age_days at that day.
    """
    days = (
        lake.scan("orders")
        .filter("is_valid")
        .select(pl.col("order_day").min().alias("first"), pl.col("order_day").max().alias("last"))
    )
    first, last = days.collect().row(0)
    if last is None:
        raise AsOfError(f"{shop.title} has no valid order yet, so there is nothing to publish.")
    if asked is None:
        return last
    if asked < first:
        raise AsOfError(f"--as-of {asked} lies before the first order ({first}). Give a later day.")
    if not shop.sample and (asked - last).days > shop.max_age_days:
        raise AsOfError(
            f"The newest order is of {last}, {(asked - last).days} days before --as-of {asked}; the shop allows "
            f"{shop.max_age_days} (max_age_days). Deliver newer orders first, or publish for {last}."
        )
    return asked


def refuse_blocked(lake: Lake, since: datetime) -> None:
    """Stop before publishing when a delivery received ``since`` was set aside as a whole.

    Raises
    ------
    DeliveryError
        One was; the message names its file and the rules that failed.
    """
    blocked = (
        lake.scan("deliveries").filter(pl.col("is_blocked") & (pl.col("received_at") >= since)).collect()
    )
    if blocked.is_empty():
        return
    told = [
        f"{row['file_name']} ({row['source']}): {row['quarantined']:,} of {row['rows']:,} rows"
        for row in blocked.iter_rows(named=True)
    ]
    worst = (
        pl.concat(lake.scan(f"{table}_faults") for table in blocked["table"].unique(maintain_order=True))
        .filter(
            (pl.col("severity") == "critical") & pl.col("delivery_id").is_in(blocked["delivery_id"].implode())
        )
        .group_by("rule")
        .len()
        .sort("len", "rule", descending=[True, False])
        .collect()
    )
    rules = ", ".join(f"{rule} on {count:,} rows" for rule, count in worst.iter_rows())
    raise DeliveryError(
        f"Set aside as a whole: {'; '.join(told)}. Rules that failed: {rules}. Nothing was published. "
        "Deliver a corrected file and run again; the rows wait in quarantine meanwhile."
    )
