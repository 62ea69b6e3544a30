"""What each section of the report is filled with: tables in, plain values and tables of text out.

Counting stands in `numbers`, sentences in `findings`, the text around them in the template.
"""

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from models.returns import return_window_days
from pipelines.report import findings, numbers, words
from pipelines.report.figures.lists import gate_figure
from pipelines.report.shown import shown
from pipelines.report.theme import Look, PlainTable
from pipelines.shop import Shop

Tables = Callable[[str], pl.LazyFrame]

SURVEY_NAMES = {"nps": "NPS", "csat": "CSAT", "product": "Product score"}
RULES_SHOWN = 8
"""Broken rules that the report tells one by one; the page of contracts has them all."""
MATCH_RULES = {
    "by_order_id": "by its order number",
    "same_quantity": "to the latest purchase of that product in the same quantity",
    "latest_purchase": "to the latest purchase of that product",
    "no_customer": "not matched: names no customer",
    "no_earlier_purchase": "not matched: no earlier purchase of it in the data",
    "more_than_bought": "not matched: more than was bought",
}
CONDITIONS = {
    "customers": "customers with a valid order",
    "history_days": "days of history",
    "days_since_last_order": "days since the last order",
    "regulars": "customers with three or more orders",
}


def intake(tables: Tables, shop: Shop, as_of: date) -> dict[str, Any]:
    """Headline numbers, deliveries, rows set aside, orders that do not count."""
    orders, returns = tables("orders"), tables("returns")
    head = numbers.headline(orders, returns, tables("purchases"), as_of, shop.history_start)
    deliveries = tables("deliveries").select("is_blocked", "unknown_columns").collect()
    unknown = {
        name.strip()
        for cell in deliveries["unknown_columns"].drop_nulls()
        for name in cell.split(",")
        if name.strip()
    }
    results = tables("contract_results").collect()
    set_aside = (
        results.filter(pl.col("failed") > 0, severity="critical")
        .sort("failed", "rule", descending=[True, False])
        .to_dicts()
    )
    excluded = numbers.excluded_orders(orders, as_of)
    without = orders.filter("is_valid", pl.col("customer_key").is_null(), pl.col("order_day") <= as_of)
    return {
        "head": head,
        "deliveries": {"blocked": int(deliveries["is_blocked"].sum()), "unknown": sorted(unknown)},
        "has_results": not results.is_empty(),
        "set_aside": set_aside[:RULES_SHOWN],
        "set_aside_more": len(set_aside[RULES_SHOWN:]),
        "excluded": {
            "total": sum(row["orders"] for row in excluded),
            "header": ("Why", "Orders"),
            "rows": tuple(
                (row["excluded_because"] or words.UNKNOWN, words.number(row["orders"])) for row in excluded
            ),
        },
        "lines_without": without.select(pl.col("lines").cast(pl.Int64).sum()).collect().item(),
    }


def returns(tables: Tables, shop: Shop, as_of: date) -> dict[str, Any]:
    """What came back, and how it was matched."""
    returns = tables("returns")
    rows = numbers.returns_by_rule(returns, as_of)
    return {
        "back": numbers.returned(
            tables("return_rates"), return_window_days(returns, tables("orders"), as_of)
        ),
        "by_rule": {
            "says": findings.returned(rows, shop.currency),
            "header": ("Returned merchandise matched", "Lines", "Value"),
            "rows": tuple(
                (
                    MATCH_RULES.get(row["match_rule"], row["match_rule"].replace("_", " ")),
                    words.number(row["returns"]),
                    words.exact_money(row["amount"], shop.currency),
                )
                for row in rows
            ),
        },
        "other": numbers.other_returns(returns, as_of),
    }


def surveys(tables: Tables) -> PlainTable | None:
    """NPS and CSAT of the last 365 days with interval and response rate; None where nobody answered."""
    rows = tables("satisfaction").filter(pl.col("period") == "window").sort("measure").collect().to_dicts()
    if not rows:
        return None
    return PlainTable(
        header=("Survey", "Score", "95 % interval", "Customers who answered", "Invitations", "Response rate"),
        rows=tuple(
            (
                str(SURVEY_NAMES.get(row["measure"], row["measure"])),
                _score(row, row["value"]) or "too few answers to say",
                " to ".join(filter(None, (_score(row, row["low"]), _score(row, row["high"]))))
                or words.UNKNOWN,
                words.number(row["n"]),
                words.number(row["invitations"]) if row["invitations"] else "not delivered",
                words.percent(row["response_rate"]),
            )
            for row in rows
        ),
    )


def _score(row: dict[str, Any], value: float | None) -> str:
    """An NPS in points, a CSAT in per cent; empty where it is not known."""
    if value is None:
        return ""
    return f"{value:+.0f}" if row["measure"] == "nps" else words.percent(value)


def predictions(tables: Tables) -> dict[str, Any]:
    """Readiness, split, champions with their reasons, and what is expected of all customers together."""
    ready = tables("readiness").collect()
    champions = tables("champions").sort("quantity", descending=True).collect().to_dicts()
    backtest = tables("backtest").collect()
    split = backtest.row(0, named=True) if backtest.height else None
    return {
        "ready": _readiness(ready),
        "split": {
            "cut": split["cut"],
            "days": split["horizon_days"],
            "earlier": (split.get("origins") or 1) - 1,
        }
        if split
        else None,
        "champions": [
            {"says": findings.champion(row), "reason": findings.in_plain_words(row["reason"])}
            for row in champions
        ],
        "outlook": _outlook(tables("customer_predictions"), backtest),
    }


def _readiness(ready: pl.DataFrame) -> dict[str, Any]:
    rows = ready.to_dicts()
    if not rows:
        return {"rows": [], "is_ready": False, "says": ""}
    is_ready = all(row["is_ready"] for row in rows)
    found = [
        f"{words.number(row['found'])} {CONDITIONS.get(row['condition'], row['condition'].replace('_', ' '))}"
        for row in rows
        if row["found"] is not None
    ]
    reasons = next((row["reasons"] for row in rows if row["reasons"]), "the numbers do not suffice")
    return {"rows": rows, "is_ready": is_ready, "says": words.listed(found) if is_ready else reasons}


def _outlook(predictions: pl.LazyFrame, backtest: pl.DataFrame) -> dict[str, Any] | None:
    is_band = {band: (pl.col("churn_band") == band).sum().alias(band) for band in ("low", "medium", "high")}
    found = (
        predictions.select(
            pl.len().alias("customers"),
            pl.col("predicted_clv_365d").sum().alias("total"),
            pl.col("value_model").first(),
            *is_band.values(),
        )
        .collect()
        .row(0, named=True)
    )
    if not found["customers"]:
        return None
    bands = [f"{band} for {words.number(found[band])}" for band in is_band if found[band]]
    bias = backtest.filter(quantity="value", metric="bias", model=found["value_model"])["value"]
    return {
        "customers": found["customers"],
        "total": found["total"],
        "model": f"“{words.model_name(found['value_model'] or words.UNKNOWN)}”",
        "bands": words.listed(bands),
        "bias": bias[0] if len(bias) else None,
    }


def cuts(stage_cuts: pl.LazyFrame) -> str:
    """Where this month's stages end, in words."""
    newest = stage_cuts.sort("month").tail(1).collect()
    return findings.cuts(newest.row(0, named=True)) if newest.height else ""


def lists(campaign_lists: pl.LazyFrame, shop: Shop, look: Look) -> list[dict[str, Any]]:
    """One card per list, in the order of shop.toml."""
    rows = campaign_lists.sort("name").collect()
    order = {entry.name: position for position, entry in enumerate(shop.lists)}
    cards: list[dict[str, Any]] = []
    for position, row in sorted(
        enumerate(rows.to_dicts()), key=lambda pair: order.get(pair[1]["name"], len(order))
    ):
        expiry = "Lists of a sample shop do not expire." if shop.sample else "It does not expire."
        if row["expires_at"] is not None and not shop.sample:
            local = row["expires_at"].astimezone(shop.zone)
            day = words.long_day(local.date())
            expiry = f"{day}, {local:%H:%M} ({shop.timezone}); after that it is not handed out."
        gate = gate_figure(rows.lazy().slice(position, 1))
        cards.append(
            {
                "row": row,
                "lift": findings.detectable_lift(row),
                "expiry": expiry,
                "gate": shown(f"figure-list-{len(cards) + 1}", gate, look),
            }
        )
    return cards
