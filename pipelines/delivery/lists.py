"""Lists with their receipts: the gate's counts per list, and per person the reason in words and as data.

Whom the gate lets through is decided in `gate`; the files that are handed out are written by `files`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from difflib import get_close_matches
from string import Formatter

import polars as pl

from data_contracts import table
from models.holdout import campaign_name, smallest_detectable_lift
from pipelines.delivery.gate import DELIVERABLE, STEPS, Gated
from pipelines.delivery.platforms import platforms_for
from pipelines.delivery.rules import check_rule, columns_asked
from pipelines.errors import ShopError
from pipelines.shop import SegmentList, Shop

PREDICTED = frozenset(
    name
    for name in table("customer_profile").schema
    if name.startswith(("predicted_", "churn_", "expected_"))
)
"""Columns of the profile that a model said."""
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
        check_list(entry)


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


@dataclass(frozen=True, slots=True)
class Background:
    """What lists of a day rest on beside the people: for receipts, the same for all.

    Attributes
    ----------
    stage_cuts
        Days of silence after which somebody is at risk, lapsed or dormant in the month of as_of, by name.
    rfm_cuts
        Lowest and highest value of each score, as "klaviyo recency_days 3": [low, high].
    models
        Published model by quantity.
    salt_id
        Which salt drew the hold-out.
    """

    stage_cuts: Mapping[str, float] = field(default_factory=dict[str, float])
    rfm_cuts: Mapping[str, Sequence[float | None]] = field(
        default_factory=dict[str, "Sequence[float | None]"]
    )
    models: Mapping[str, str] = field(default_factory=dict[str, str])
    salt_id: str = ""


def list_members(
    gated: Gated, profile: pl.LazyFrame, entry: SegmentList, as_of: date, background: Background
) -> pl.LazyFrame:
    """Who was chosen and why, in the shape of ``list_members``, in no order."""
    used = columns_asked(entry, "where", "order_by", "reason")
    chosen = gated.members.lazy().join(profile.select("customer_key", *told_of(entry)), on="customer_key")
    same_for_all = {
        "rule": entry.where,
        "null_means": entry.null_means,
        "cuts": _cuts(used, background),
        "models": background.models if any(name in PREDICTED for name in used) else {},
    }
    return chosen.select(
        pl.lit(as_of).alias("as_of"),
        pl.lit(list_id(entry, as_of)).alias("list_id"),
        "customer_key",
        pl.when("is_held_out").then(pl.lit("hold_out")).otherwise(pl.lit("deliver")).alias("assignment"),
        "position",
        reason(entry).alias("reason"),
        _receipt(used, same_for_all).alias("receipt"),
    )


def told_of(entry: SegmentList) -> list[str]:
    """Columns of customer_profile that reasons and receipts of a list tell."""
    used = columns_asked(entry, "where", "order_by", "reason")
    return list(dict.fromkeys([*used, "previous_stage", "stage_since"]))


def _receipt(used: Sequence[str], same_for_all: Mapping[str, object]) -> pl.Expr:
    """One JSON object per row; what is the same for all is written once and put before it."""
    own = pl.struct(
        # A rule of true looks at nothing, and there is no struct of nothing.
        *([pl.struct(used).alias("values")] if used else []),
        pl.col("is_null_decided").alias("decided_by_null"),
        "previous_stage",
        "stage_since",
    )
    begins = json.dumps(same_for_all, ensure_ascii=False, separators=(",", ":")).removesuffix("}") + ","
    return pl.concat_str(pl.lit(begins), own.struct.json_encode().str.strip_prefix("{"))


def _cuts(used: Sequence[str], background: Background) -> dict[str, object]:
    """The cuts behind the values that a list looks at."""
    cuts: dict[str, object] = {}
    if {"stage", "previous_stage", "stage_since"} & set(used):
        cuts["stage_days"] = dict(background.stage_cuts)
    scores = {"r": "recency_days", "f": "orders", "m": "net"}
    for score, measure in scores.items():
        if score in used or "rfm_segment" in used:
            cuts |= {k: v for k, v in background.rfm_cuts.items() if k.startswith(f"klaviyo {measure} ")}
    return cuts


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
            base_rate, counts[DELIVERABLE], chosen["is_held_out"].sum()
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
