"""Measures broken down, as tables of text: who came back by the first order, what came back by what it was, service.

Cells of one value are added up over months, so that the numbers are large enough to compare; counts and bases are
added, never rates. What the measures are stands in `models`; sections and sentences belong to `sections`.
"""

from typing import Any

import polars as pl

from models.first_orders import OTHER
from models.intervals import SMALL_GROUP, wilson_interval
from pipelines.report import words
from pipelines.report.theme import PlainTable

MONTHS_AFTER = (6, 3, 1)
"""The longest of these after which anybody can be compared is shown."""
MOST_VALUES = 6
"""Values of one attribute that are shown: those of most customers or pieces."""
MONTHS_BACK = 12
FIRST_ORDER_NAMES = {
    "channel": "Channel",
    "country": "Country",
    "category": "Category",
    "product": "Product",
    "discount_used": "With a discount",
    "returned": "Something came back",
    "survey_score": "Said of it",
}
RETURN_NAMES = {"category": "Category", "reason": "Reason", "channel": "Channel"}
SERVICE_NAMES = {
    "late_rate": ("Parcels late", "parcels with a promised day"),
    "contact_rate": ("Tickets per order", "orders"),
    "wismo_contact_rate": ("Tickets asking where an order is, per order", "orders"),
    "wismo_share": ("Tickets asking where an order is, of all", "tickets"),
    "days_to_close_p50": ("Days until half the tickets are closed", "tickets"),
    "contact_pressure": ("Marketing messages per customer who got one", "customers"),
}


def by_first_order(cohort_retention: pl.LazyFrame) -> dict[str, Any] | None:
    """Share of customers who ordered again, by what their first order was; None where too few can be compared."""
    cells = (
        cohort_retention.filter("is_complete", period_unit="month", measure="repurchased_by")
        .filter(pl.col("break_down") != "all", pl.col("break_down_value") != OTHER)
        .filter(~pl.col("is_left_truncated"), pl.col("k").is_in(MONTHS_AFTER))
        .group_by("k", "break_down", "break_down_value")
        .agg(pl.col("customers", "n").sum())
        .filter(pl.col("n") >= SMALL_GROUP)
        .with_columns(pl.len().over("k", "break_down").alias("values"))
        .filter(pl.col("values") > 1)
        .collect()
    )
    if cells.is_empty():
        return None
    months = int(str(cells["k"].max()))
    rows = _largest(cells.filter(k=months), "n", FIRST_ORDER_NAMES)
    return {
        "months": months,
        "header": ("First order", "", "Customers", "Ordered again", "95 % interval"),
        "rows": tuple(
            (
                FIRST_ORDER_NAMES.get(row["break_down"], row["break_down"].replace("_", " ").capitalize()),
                _value(row["break_down_value"]),
                words.number(row["n"]),
                words.percent(row["customers"] / row["n"]),
                words.interval(row["low"], row["high"]),
            )
            for row in rows
        ),
    }


def by_goods(return_rates: pl.LazyFrame) -> PlainTable | None:
    """Pieces that came back of those sold, by category, reason and channel, over the latest months old enough."""
    cells = (
        return_rates.filter(
            pl.col("measure") == "item_return_rate",
            pl.col("break_down").is_in(list(RETURN_NAMES)),
            pl.col("n") > 0,
            pl.col("order_month") > pl.col("order_month").max().dt.offset_by(f"-{MONTHS_BACK}mo"),
        )
        .group_by("break_down", "break_down_value")
        .agg(pl.col("count").sum().alias("customers"), pl.col("n").sum())
        .filter(pl.col("n") >= SMALL_GROUP)
        .collect()
    )
    known = cells.filter(pl.col("customers").sum().over("break_down") > 0)
    told = known.filter(pl.len().over("break_down") > 1)
    if told.is_empty():
        return None
    return PlainTable(
        header=("By", "", "Pieces back", "Pieces sold", "Share", "95 % interval"),
        rows=tuple(
            (
                RETURN_NAMES[row["break_down"]],
                _value(row["break_down_value"]),
                words.number(row["customers"]),
                words.number(row["n"]),
                words.percent(row["customers"] / row["n"]),
                words.interval(row["low"], row["high"]),
            )
            for row in _largest(told, "customers", RETURN_NAMES)
        ),
    )


def service(service_rates: pl.LazyFrame) -> dict[str, Any] | None:
    """The last whole month of each measure of service; None where no table of service is connected."""
    rows = (
        service_rates.filter("is_complete", break_down="all")
        .filter(pl.col("measure").is_in(list(SERVICE_NAMES)), pl.col("value").is_not_null())
        .sort("month")
        .group_by("measure", maintain_order=True)
        .last()
        .collect()
        .to_dicts()
    )
    found = {row["measure"]: row for row in rows}
    if not found:
        return None
    return {
        "month": max(row["month"] for row in rows),
        "header": ("", "Value", "95 % interval", "Of"),
        "rows": tuple(
            (
                name,
                _amount(found[measure]),
                _bounds(found[measure]),
                f"{words.number(found[measure]['n'])} {of}",
            )
            for measure, (name, of) in SERVICE_NAMES.items()
            if measure in found
        ),
    }


def refunds(refund_speed: pl.LazyFrame) -> str:
    """How long people waited for their money in the last 365 days, in a sentence; empty where nobody can know."""
    rows = refund_speed.filter(pl.col("period") == "window").collect().to_dicts()
    if not rows or not rows[0]["n"]:
        return ""
    row = rows[0]
    if row["note"]:
        return f"How fast money goes back cannot be told: {row['note']}."
    says = f"Of {words.counted(row['n'], 'return')} of the last 365 days whose money was due"
    if row["p50_days"] is None:
        return f"{says}, fewer than half are refunded so far."
    within = "" if row["within_14d"] is None else f", and {words.percent(row['within_14d'])} within 14 days"
    half = words.counted(row["p50_days"], "day")
    return f"{says}, half were refunded within {half}{within}; refunds still due count."


def _largest(cells: pl.DataFrame, by: str, names: dict[str, str]) -> list[dict[str, Any]]:
    """The largest values of each attribute with their intervals, attributes in the order of ``names``."""
    interval = wilson_interval(pl.col("customers"), pl.col("n"))
    place = {name: number for number, name in enumerate(names)}
    return (
        cells.with_columns(
            interval.low.alias("low"),
            interval.high.alias("high"),
            pl.col(by)
            .rank("ordinal", descending=True)
            .over("break_down", order_by="break_down_value")
            .alias("rank"),
            pl.col("break_down").replace_strict(place, default=len(place)).alias("place"),
        )
        .filter(pl.col("rank") <= MOST_VALUES)
        .sort("place", "break_down", "rank")
        .to_dicts()
    )


def _value(text: str) -> str:
    return text.replace("_", " ")


def _amount(row: dict[str, Any]) -> str:
    if row["unit"] == "share":
        return words.percent(row["value"])
    return words.number(row["value"]) if row["unit"] == "days" else f"{row['value']:.2f}"


def _bounds(row: dict[str, Any]) -> str:
    if row["low"] is None or row["high"] is None:
        return ""
    if row["unit"] == "share":
        return words.interval(row["low"], row["high"])
    digits = 0 if row["unit"] == "days" else 2
    return f"{row['low']:.{digits}f} to {row['high']:.{digits}f}"
