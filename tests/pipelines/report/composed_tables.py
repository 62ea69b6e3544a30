"""Tables of a composed shop for the report: every customer, order and number here is made up."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from data_contracts import table
from models.cohorts import cohort_retention
from models.latency import purchase_latency
from models.lifecycle import customer_stages, stage_at, stage_cuts, stage_transitions
from models.returns import return_rates
from models.revenue import revenue
from models.rfm import rfm
from models.summary import purchases_at
from pipelines.shop import SegmentList, Shop, Source
from tests.pipelines.report.composed_model_tables import model_tables

AS_OF = date(2023, 6, 10)
START = date(2021, 1, 5)
CUSTOMERS = 60
KEY_MARK = "kEyOfAPerson"
"""Begins every customer_key: it must not be found in any page."""


def frame(name: str, rows: Sequence[dict[str, Any]]) -> pl.LazyFrame:
    """Rows as the dictionary promises the table; columns left out are null."""
    columns = table(name).schema
    return pl.DataFrame(
        [{c: row.get(c) for c in columns} for row in rows], schema=columns, orient="row"
    ).lazy()


def shop(**more: Any) -> Shop:
    settings: dict[str, Any] = {
        "name": "composed",
        "title": "Composed & Sons",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "history_start": START,
        "attribution": "made up for tests",
        "sources": (Source(name="orders", table="orders", format="csv", path="*.csv", columns={}),),
        "lists": (
            SegmentList(name="second", title="Second list", purpose="loyalty", where="true", reason="any"),
            SegmentList(name="first", title="First list", purpose="reactivation", where="true", reason="any"),
        ),
    }
    return Shop(**(settings | more))


def orders_and_returns() -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Customer c orders first on day 12 c, then every 20 + 3 c days, never more than 12 times; every 7th comes back."""
    orders: list[dict[str, Any]] = []
    returns: list[dict[str, Any]] = []
    for customer in range(CUSTOMERS):
        for number in range(12 if customer % 3 else 1):
            day = START + timedelta(days=12 * customer + number * (20 + 3 * customer))
            if day > AS_OF:
                break
            order_id = f"o{customer}-{number}"
            is_known = customer % 10 != 9
            orders.append(_order(order_id, f"{KEY_MARK}{customer}" if is_known else None, day, 40 + customer))
            if (customer + number) % 7 == 0:
                returns.append(_return(f"r{order_id}", order_id, day + timedelta(days=9), 10))
    orders += [
        {**_order(f"x{number}", None, AS_OF, 5), "is_valid": False, "excluded_because": why}
        for number, why in enumerate(["test order", "test order", "<no value>"])
    ]
    returns.append({**_return("r-lost", None, AS_OF, 30), "match_rule": "no_customer"})
    returns.append({**_return("r-post", None, AS_OF, 4), "kind": "postage", "match_rule": "no_customer"})
    # Known only after the last day: changes nothing.
    returns.append(_return("r-late", "o1-0", AS_OF + timedelta(days=1), 41))
    return frame("orders", orders), frame("returns", returns)


def lines_of(orders: pl.LazyFrame) -> pl.LazyFrame:
    """One line per order with all of its value."""
    lines = orders.select("order_id", pl.col("gross").alias("net")).collect().to_dicts()
    made = {"line_no": 1, "product_id": "mug", "kind": "merchandise", "quantity": 1}
    return frame("order_lines", [line | made for line in lines])


def _order(order_id: str, customer_key: str | None, day: date, gross: int) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "source": "orders",
        "customer_key": customer_key,
        "order_day": day,
        "order_day_number": (day - date(1970, 1, 1)).days,
        "lines": 2,
        "gross": Decimal(gross),
        "discount": Decimal(0),
        "refunded": Decimal(0),
        "net": Decimal(gross),
        "currency": "EUR",
        "is_valid": True,
        "fully_returned": False,
    }


def _return(return_id: str, order_id: str | None, day: date, amount: int) -> dict[str, Any]:
    return {
        "return_id": return_id,
        "order_id": order_id,
        "kind": "merchandise",
        "quantity": 1,
        "amount": Decimal(amount),
        "returned_day": day,
        "match_rule": "by_order_id",
    }


def backtest_rows() -> list[dict[str, Any]]:
    scores = {
        "value": ("normalised_gini", {"global_mean": (0.0, -0.3), "last_12_months": (0.61, -0.05)}),
        "probability": ("log_loss", {"global_mean": (0.69, 0.02), "bg_nbd_gamma_gamma": (0.512, 0.011)}),
    }
    split = {"as_of": AS_OF, "cut": AS_OF - timedelta(days=180), "horizon_days": 180, "n": 54}
    return [
        {
            **split,
            "quantity": quantity,
            "model": model,
            "metric": name,
            "value": value,
            "low": low,
            "high": high,
        }
        for quantity, (metric, models) in scores.items()
        for model, (score, bias) in models.items()
        for name, value, low, high in (
            (metric, score, score - 0.02, score + 0.02),
            ("bias", bias, None, None),
        )
    ]


def calibration_rows() -> list[dict[str, Any]]:
    return [
        {
            "as_of": AS_OF, "quantity": quantity, "model": model, "decile": decile, "customers": 9,
            "predicted_mean": scale * decile * 0.9, "actual_mean": scale * decile,
            "low": scale * decile * 0.8, "high": scale * decile * 1.2,
        }
        for quantity, model, scale in (
            ("value", "last_12_months", 123.0),
            ("probability", "bg_nbd_gamma_gamma", 0.08),
        )
        for decile in (1, 2, 5, 10)
    ]  # fmt: skip


def list_row(name: str, **more: Any) -> dict[str, Any]:
    return {
        "as_of": AS_OF, "list_id": f"{name}-{AS_OF}", "name": name, "title": f"{name.title()} list",
        "purpose": "loyalty", "channel": "email", "rule": "m = 3 AND r < 2", "campaign": f"{name}-2023-Q2",
        "everyone": 54, "suppressed": 2, "not_eligible": 20, "null_decided": 1, "no_consent": 3, "open_case": 0,
        "capped": 0, "held_out": 6, "undeliverable": 1, "deliverable": 22, "consent_basis": "delivered",
        "hold_out_share": 0.2, "salt_id": "s", "base_rate": 0.3, "base_rate_source": "composed",
        "detectable_lift": 0.41, "predicted_value": 4321.0, "expires_at": datetime(2023, 6, 13, 1, 0, tzinfo=UTC),
        **more,
    }  # fmt: skip


def deliveries() -> list[dict[str, Any]]:
    base = {"source": "orders", "table": "orders", "erased": 0, "is_repeat": False, "is_blocked": False}
    return [
        {**base, "receipt_id": "a", "rows": 1000, "accepted": 990, "quarantined": 7, "replayed": 3},
        {**base, "receipt_id": "b", "rows": 500, "accepted": 480, "quarantined": 0, "replayed": 20,
         "unknown_columns": "Colour, Ship <to>"},
    ]  # fmt: skip


def contract_results() -> list[dict[str, Any]]:
    return [
        {"table": "orders", "rule": "a", "says": "Every line has a price.", "severity": "critical",
         "checked": 1477, "failed": 7},
        {"table": "orders", "rule": "b", "says": "The line names its customer.", "severity": "warning",
         "checked": 1477, "failed": 150},
        {"table": "orders", "rule": "c", "says": "The quantity is a whole number.", "severity": "critical",
         "checked": 1477, "failed": 0},
    ]  # fmt: skip


@dataclass(frozen=True)
class Composed:
    """All tables of the composed shop; anything not among them is empty."""

    frames: dict[str, pl.LazyFrame]

    def __call__(self, name: str) -> pl.LazyFrame:
        return self.frames.get(name, table(name).empty().lazy())

    def replaced(self, **frames: pl.LazyFrame) -> "Composed":
        return Composed(self.frames | frames)


def composed() -> Composed:
    """Every table that the report reads, except surveys."""
    orders, returns = orders_and_returns()
    purchases = purchases_at(orders, returns, AS_OF).collect().lazy()
    cuts = stage_cuts(purchases, AS_OF).collect().lazy()
    stages = customer_stages(purchases, cuts, AS_OF).collect().lazy()
    day = pl.lit(AS_OF).alias("as_of")
    ready = [
        {"as_of": AS_OF, "condition": name, "found": found, "is_ready": True, "reasons": ""}
        for name, found in (("customers", 54), ("history_days", 886), ("regulars", 33))
    ]
    champions = [
        {"as_of": AS_OF, "quantity": "value", "model": "last_12_months", "is_baseline": True,
         "reason": "last_12_months has the best normalised_gini (0.610) and its total is off by -5.0%."},
        {"as_of": AS_OF, "quantity": "probability", "model": "bg_nbd_gamma_gamma", "is_baseline": False,
         "reason": "bg_nbd_gamma_gamma has the best log_loss (0.512) and its total is off by +1.1%."},
    ]  # fmt: skip
    predictions = [
        {"as_of": AS_OF, "customer_key": f"{KEY_MARK}{n}", "value_model": "last_12_months",
         "predicted_clv_365d": 100.0 + n, "churn_band": ("low", "medium", "high")[n % 3]}
        for n in range(54)
    ]  # fmt: skip
    return Composed(
        {
            "orders": orders,
            "returns": returns,
            "purchases": purchases,
            "return_rates": return_rates(orders, lines_of(orders), returns, AS_OF).collect().lazy(),
            "cohort_retention": cohort_retention(purchases, AS_OF).collect().lazy(),
            "purchase_latency": purchase_latency(purchases, AS_OF).collect().lazy(),
            "revenue": revenue(orders, returns, AS_OF).collect().lazy(),
            "stage_cuts": cuts,
            "customer_stages": stages,
            "customer_profile": stage_at(stages, AS_OF).with_columns(day),
            "stage_transitions": stage_transitions(stages, AS_OF),
            "rfm": rfm(purchases, AS_OF).with_columns(day).collect().lazy(),
            "readiness": frame("readiness", ready),
            "champions": frame("champions", champions),
            "backtest": frame("backtest", backtest_rows()),
            "backtest_calibration": frame("backtest_calibration", calibration_rows()),
            **model_tables(AS_OF, KEY_MARK),
            "customer_predictions": frame("customer_predictions", predictions),
            "campaign_lists": frame(
                "campaign_lists", [list_row("first"), list_row("second", detectable_lift=None)]
            ),
            "deliveries": frame("deliveries", deliveries()),
            "contract_results": frame("contract_results", contract_results()),
        }
    )


Tables = Callable[[str], pl.LazyFrame]
