"""Lists as rows of tables: members, the gate's counts, overlaps, and what a list could show.

Whom the gate lets through is decided in `gate`, why somebody is on a list told in `receipts`; the files that are handed
out are written by `files`.
"""

from datetime import date, datetime, timedelta
from difflib import get_close_matches

import polars as pl

from data_contracts import table
from models.holdout import campaign_name, smallest_detectable_lift
from pipelines.delivery.exclusions import exclusion_files
from pipelines.delivery.gate import DELIVERABLE, STEPS, Gated
from pipelines.delivery.platforms import platforms_for
from pipelines.delivery.receipts import Background, reason, receipt, told_of
from pipelines.delivery.rules import check_rule
from pipelines.errors import ShopError
from pipelines.shop import SegmentList, Shop

CONSENT_BASIS = {
    "delivered": "as the delivered consents say; who has none counts by consent.when_not_delivered and consent.rules",
    "allow": "no consents delivered; allowed by the shop's setting consent.when_not_delivered",
    "deny": "no consents delivered; nobody is written to (consent.when_not_delivered)",
}


def check_lists(shop: Shop) -> None:
    """Try every list's rule, order and reason on nobody, before anything is computed.

    Raises
    ------
    ShopError
        One of them cannot be used, or an exclusion file is not there; the message names the list and the setting.
    """
    for entry in shop.lists:
        check_list(entry)
        exclusion_files(entry, shop)


def check_list(entry: SegmentList) -> None:
    """Try one list's rule, order, reason, columns and platforms on nobody.

    Raises
    ------
    ShopError
        One of them cannot be used; the message names the list and the setting.
    """
    check_rule(entry)
    reason(entry)
    _check_columns(entry)


def list_id(entry: SegmentList, as_of: date) -> str:
    """A list's name for one day."""
    return f"{entry.name}-{as_of.isoformat()}"


def list_members(
    gated: Gated, profile: pl.LazyFrame, entry: SegmentList, as_of: date, background: Background
) -> pl.LazyFrame:
    """Who was chosen and why, in the shape of ``list_members``, in no order."""
    chosen = gated.members.lazy().join(profile.select("customer_key", *told_of(entry)), on="customer_key")
    return chosen.select(
        pl.lit(as_of).alias("as_of"),
        pl.lit(list_id(entry, as_of)).alias("list_id"),
        "customer_key",
        pl.when("is_held_out").then(pl.lit("hold_out")).otherwise(pl.lit("deliver")).alias("assignment"),
        "position",
        reason(entry).alias("reason"),
        receipt(entry, background).alias("receipt"),
    )


def campaign_list(
    *,
    stops: pl.DataFrame,
    chosen: pl.DataFrame,
    entry: SegmentList,
    shop: Shop,
    as_of: date,
    made_at: datetime,
    salt_id: str,
    has_consents: bool,
) -> pl.DataFrame:
    """One list's row of ``campaign_lists``.

    Parameters
    ----------
    stops
        The list's rows of ``list_stops``.
    chosen
        Per member is_held_out, churn_probability_90d and predicted_clv_365d.
    """
    counts = {step: int(stops.filter(step=step)["customers"].sum()) for step in (*STEPS, DELIVERABLE)}
    is_suppressed = pl.col("step") == STEPS[0]
    base_rate, source = _base_rate(entry, chosen)
    value = chosen.filter(~pl.col("is_held_out"))["predicted_clv_365d"]
    row = {
        "as_of": as_of,
        "list_id": list_id(entry, as_of),
        "name": entry.name,
        "title": entry.title,
        "purpose": entry.purpose,
        "channel": entry.channel,
        "rule": entry.where,
        "columns": ", ".join(entry.columns),
        "campaign": campaign_name(entry.name, as_of, entry.period),
        "window_days": entry.window_days,
        "null_means": entry.null_means,
        "everyone": sum(counts.values()),
        **counts,
        "null_decided": int(stops.filter(~is_suppressed)["null_decided"].sum()),
        "consent_basis": CONSENT_BASIS["delivered" if has_consents else shop.consent.when_not_delivered],
        "hold_out_share": entry.hold_out,
        "salt_id": salt_id,
        "base_rate": base_rate,
        "base_rate_source": source,
        "detectable_lift": smallest_detectable_lift(
            base_rate, counts[DELIVERABLE], chosen.filter("is_held_out").height
        )
        if base_rate is not None and 0 < base_rate < 1
        else None,
        "predicted_value": value.sum() if value.count() else None,
        "expires_at": None if shop.sample else made_at + timedelta(hours=entry.expires_after_hours),
    }
    return pl.DataFrame([row], schema=dict(table("campaign_lists").schema))


def list_stops(gated: Gated, entry: SegmentList, as_of: date) -> pl.DataFrame:
    """One list's rows of ``list_stops``."""
    counted = gated.stops
    return counted.select(
        pl.lit(as_of).alias("as_of"), pl.lit(list_id(entry, as_of)).alias("list_id"), *counted.columns
    )


def list_overlaps(members: pl.LazyFrame) -> pl.LazyFrame:
    """How many people each two lists of a day share, in the shape of ``list_overlaps``."""
    listed = members.select("as_of", "list_id", "customer_key")
    return (
        listed.join(listed, on=["as_of", "customer_key"], suffix="_other")
        .filter(pl.col("list_id") < pl.col("list_id_other"))
        .group_by("as_of", "list_id", pl.col("list_id_other").alias("other_list_id"))
        .agg(pl.len().cast(pl.Int64).alias("customers"))
        .sort("as_of", "list_id", "other_list_id")
    )


def _check_columns(entry: SegmentList) -> None:
    """Refuse to put into a file what customer_profile does not have."""
    schema = table("customer_profile").schema
    for name in entry.columns:
        if name not in schema:
            near = ", ".join(get_close_matches(name, schema, n=3)) or ", ".join(schema)
            raise ShopError(
                f"List {entry.name} in shop.toml, columns: customer_profile has no column {name!r}. Did you mean one "
                f"of {near}?"
            )
    platforms_for(entry.channel, entry.platforms, ("email", "phone"))


def _base_rate(entry: SegmentList, chosen: pl.DataFrame) -> tuple[float | None, str]:
    """Share of the chosen expected to order in 90 days anyway, and where that comes from."""
    if entry.expected_rate is not None:
        return entry.expected_rate, "expected_rate in shop.toml"
    stays = 1 - chosen["churn_probability_90d"].drop_nulls()
    if stays.is_empty():
        return None, "unknown: no predictions and no expected_rate in shop.toml"
    mean = stays.mean()
    assert isinstance(mean, float)
    return mean, "mean predicted probability of an order in 90 days"
