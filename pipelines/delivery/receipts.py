"""Why somebody is on a list: in people's words, and as data with all that decided.

Whom the gate lets through is `gate`'s business; what moves a prediction is told in ``prediction_drivers``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from string import Formatter

import polars as pl

from data_contracts import table
from pipelines.delivery.rules import columns_asked
from pipelines.errors import ShopError
from pipelines.shop import SegmentList

PREDICTED = frozenset(
    name
    for name in table("customer_profile").schema
    if name.startswith(("predicted_", "churn_", "expected_"))
)
"""Columns of the profile that a model said."""


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
    """

    stage_cuts: Mapping[str, float] = field(default_factory=dict[str, float])
    rfm_cuts: Mapping[str, Sequence[float | None]] = field(
        default_factory=dict[str, "Sequence[float | None]"]
    )
    models: Mapping[str, str] = field(default_factory=dict[str, str])


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


def told_of(entry: SegmentList) -> list[str]:
    """Columns of customer_profile that reasons and receipts of a list tell."""
    used = columns_asked(entry, "where", "order_by", "reason")
    return list(dict.fromkeys([*used, "previous_stage", "stage_since"]))


def receipt(entry: SegmentList, background: Background) -> pl.Expr:
    """Why each person is on a list, as one JSON object per row.

    Over rows with the columns of `told_of` and is_null_decided: rule, null_means, cuts, models (the same for all),
    values, decided_by_null, previous_stage, stage_since.
    """
    used = columns_asked(entry, "where", "order_by", "reason")
    same_for_all = {
        "rule": entry.where,
        "null_means": entry.null_means,
        "cuts": _cuts(used, background),
        "models": background.models if any(name in PREDICTED for name in used) else {},
    }
    own = pl.struct(
        # A rule of true looks at nothing, and there is no struct of nothing.
        *([pl.struct(used).alias("values")] if used else []),
        pl.col("is_null_decided").alias("decided_by_null"),
        "previous_stage",
        "stage_since",
    )
    # What is the same for all is written once and put before each row's own.
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


def _in_words(name: str, dtype: pl.DataType) -> pl.Expr:
    column = pl.col(name)
    if dtype == pl.Float64:
        return column.round(2).cast(pl.Decimal(18, 2)).cast(pl.String)
    return column.cast(pl.String).str.replace_all("_", " ")
