"""Lists with their receipts: the gate's counts per list, and per person the reason in words and as data.

Whom the gate lets through is decided in `gate`; the files that are handed out are written by `files`.
"""

import re
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from string import Formatter

import polars as pl

from data_contracts import table
from models.holdout import campaign_name, smallest_detectable_lift
from pipelines.delivery.gate import STEPS, Gated
from pipelines.delivery.rules import apply_rule
from pipelines.errors import ShopError
from pipelines.shop import SegmentList, Shop

CONSENT_BASIS = {
    "delivered": "as the delivered consents say; who has none counts by consent.when_not_delivered",
    "allow": "no consents delivered; allowed by the shop's setting consent.when_not_delivered",
    "deny": "no consents delivered; nobody is written to (consent.when_not_delivered)",
}


def check_lists(shop: Shop) -> None:
    """Try every list's rule, order and reason on nobody, before anything is computed.

    Raises
    ------
    ShopError
        One of them cannot be used; the message names the list and the setting.
    """
    for entry in shop.lists:
        apply_rule(table("customer_profile").empty(), entry)
        reason(entry)


def list_id(entry: SegmentList, as_of: date) -> str:
    """A list's name for one day."""
    return f"{entry.name}-{as_of.isoformat()}"


def list_members(gated: Gated, profile: pl.DataFrame, entry: SegmentList, as_of: date) -> pl.DataFrame:
    """Who was chosen and why, in the shape of ``list_members``, in the list's order."""
    used = used_columns(entry)
    chosen = gated.members.join(profile, on="customer_key", how="left", maintain_order="left")
    is_held_out = pl.col("stopped_by").eq_missing("held_out")
    return chosen.with_columns(pl.int_range(1, pl.len() + 1).cast(pl.Int64).alias("position")).select(
        pl.lit(as_of).alias("as_of"),
        pl.lit(list_id(entry, as_of)).alias("list_id"),
        "customer_key",
        pl.when(is_held_out).then(pl.lit("hold_out")).otherwise(pl.lit("deliver")).alias("assignment"),
        "position",
        reason(entry).alias("reason"),
        pl.struct(
            pl.lit(entry.where).alias("rule"),
            # A rule of true looks at nothing, and there is no struct of nothing.
            *([pl.struct(used).alias("values")] if used else []),
            pl.col("is_null_decided").alias("decided_by_null"),
            pl.lit(entry.null_means).alias("null_means"),
            "previous_stage",
            "stage_since",
        )
        .struct.json_encode()
        .alias("receipt"),
    )


def campaign_list(
    gated: Gated,
    members: pl.DataFrame,
    profile: pl.DataFrame,
    entry: SegmentList,
    shop: Shop,
    as_of: date,
    made_at: datetime,
    salt_id: str,
    has_consents: bool,
) -> pl.DataFrame:
    """One list's row of ``campaign_lists``."""
    deliverable = members.filter(pl.col("assignment") == "deliver").height
    held_out = gated.count("held_out")
    chosen = members.join(profile, on="customer_key")
    base_rate, source = _base_rate(entry, chosen)
    value = chosen.filter(pl.col("assignment") == "deliver")["predicted_clv_365d"]
    counts = {step: gated.count(step) for step in STEPS}
    row = {
        "as_of": as_of,
        "list_id": list_id(entry, as_of),
        "name": entry.name,
        "title": entry.title,
        "purpose": entry.purpose,
        "channel": entry.channel,
        "rule": entry.where,
        "campaign": campaign_name(entry.name, as_of),
        "everyone": gated.people.height,
        **counts,
        "null_decided": gated.people.filter(
            pl.col("is_null_decided") & (pl.col("stopped_by").ne_missing("suppressed"))
        ).height,
        "deliverable": deliverable,
        "consent_basis": CONSENT_BASIS["delivered" if has_consents else shop.consent.when_not_delivered],
        "hold_out_share": entry.hold_out,
        "salt_id": salt_id,
        "base_rate": base_rate,
        "base_rate_source": source,
        "detectable_lift": smallest_detectable_lift(base_rate, deliverable, held_out)
        if base_rate is not None and 0 < base_rate < 1
        else None,
        "predicted_value": value.sum() if value.count() else None,
        "expires_at": None if shop.sample else made_at + timedelta(hours=entry.expires_after_hours),
    }
    return pl.DataFrame([row], schema=dict(table("campaign_lists").schema))


def used_columns(entry: SegmentList) -> list[str]:
    """Columns of customer_profile that a list's rule, order and reason name."""
    asked = f"{entry.where} {entry.order_by} {entry.reason}".lower()
    words = set(re.findall(r"[a-z_][a-z0-9_]*", asked))
    return [name for name in table("customer_profile").schema if name in words and name != "customer_key"]


def reason(entry: SegmentList) -> pl.Expr:
    """A list's reason with each person's values filled in.

    Raises
    ------
    ShopError
        The reason is no template, or names a column that customer_profile does not have.
    """
    told = f"List {entry.name} in shop.toml, reason = {entry.reason!r}"
    schema = table("customer_profile").schema
    parts = [pl.lit("")]
    try:
        template = list(Formatter().parse(entry.reason))
    except ValueError as error:
        raise ShopError(f"{told}: {error}. Write {{column}} for a value and {{{{ for a brace.") from error
    for text, name, layout, conversion in template:
        parts.append(pl.lit(text))
        if name is None:
            continue
        if name not in schema:
            near = ", ".join(get_close_matches(name, schema, n=3)) or ", ".join(schema)
            raise ShopError(f"{told}: customer_profile has no column {name!r}. Did you mean one of {near}?")
        if layout or conversion:
            raise ShopError(f"{told}: write {{{name}}} alone; how a value is shown is decided by its type.")
        parts.append(_in_words(name, schema[name]).fill_null("unknown"))
    return pl.concat_str(parts)


def _in_words(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Float64:
        return column.round(2).cast(pl.Decimal(18, 2)).cast(pl.String)
    return column.cast(pl.String).str.replace_all("_", " ")


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
