"""Predictions for a simulated shop, made by the real command, held against the year that then came.

The simulator tells who the people are and what they ordered in the 365 days after the last delivery; the run reads none
of it. Compared are customers who are one person with one key, since the truth knows people and the shop knows keys.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from models.clv import Intervals, customer_lifetime_value
from models.metrics import ProbabilityAccuracy, ValueAccuracy
from models.prediction import HORIZON_DAYS
from models.spend import GammaGamma
from models.summary import customer_summary
from pipelines.assets.fitted_models import PURCHASE_MODELS, SPEND_MODEL
from pipelines.lab import Lab
from tests.benchmarks.conftest import Figures

PEOPLE = 20_000


def _command(*words: object) -> None:
    command = Path(sys.executable).with_name("retention")
    subprocess.run([str(command), *map(str, words)], check=True, capture_output=True)


def test_a_year_that_was_not_seen(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    shop, lake = tmp_path / "shop", tmp_path / "lake"
    _command("simulate", "--customers", PEOPLE, "--days", 730, "--seed", 1, "--out", shop)
    benchmark.pedantic(lambda: _command("run", "--shop", shop, "--lake", lake), rounds=1)
    lab = Lab.open(shop, lake)
    people = _with_what_came(lab, shop / "truth")
    figures.add("simulated shop: customers who are one person with one key", f"{people.height:,}")
    _published(people, figures)
    _by_model(lab, people, figures)


def _with_what_came(lab: Lab, truth: Path) -> pl.DataFrame:
    """Published predictions and summary of each customer, beside order days and net of the year after."""
    persons = pl.read_parquet(truth / "orders.parquet").select("order_id", "person")
    keys = (
        lab.read("orders")
        .filter(pl.col("customer_key").is_not_null())
        .select("order_id", "customer_key")
        .collect()
        .join(persons, on="order_id")
        .select("customer_key", "person")
        .unique()
        .filter(pl.len().over("customer_key") == 1, pl.len().over("person") == 1)
    )
    came = (
        pl.read_parquet(truth / "future.parquet")
        .group_by("person")
        .agg(days=pl.col("order_day").n_unique().cast(pl.Float64), net=pl.col("net").sum().cast(pl.Float64))
    )
    summary = customer_summary(lab.read("purchases"), lab.as_of).collect()
    return (
        summary.join(keys, on="customer_key")
        .join(came, on="person", how="left")
        .with_columns(pl.col("days", "net").fill_null(0.0))
        .join(lab.read("customer_predictions").collect(), on="customer_key")
        .sort("customer_key")
    )


def _published(people: pl.DataFrame, figures: Figures) -> None:
    """What the run published, by whatever model won."""
    for quantity, predicted, actual in (
        ("orders", "predicted_orders_365d", "days"),
        ("value", "predicted_clv_365d", "net"),
    ):
        low, high, came = (people[name] for name in (f"{predicted}_low", f"{predicted}_high", actual))
        model = people["value_model"][0] if quantity == "value" else "purchase model"
        inside = came.is_between(low, high).sum() / people.height
        figures.add(f"  published {quantity} ({model}) in the 90 % interval", f"{inside:.1%}", "85 to 95 %")
        total = people.select(pl.col(predicted).sum() / pl.col(actual).sum() - 1).item()
        figures.add(f"  published {quantity}, total", f"{total:+.1%}")
    value = ValueAccuracy(people["net"].to_numpy(), people["predicted_clv_365d"].to_numpy()).measure()
    figures.add("  normalised Gini of value", f"{value['normalised_gini']:.3f}")
    buys = ProbabilityAccuracy(
        (people["days"] > 0).cast(pl.Float64).to_numpy(),
        1 - people["churn_probability_365d"].to_numpy(),
    ).measure()
    model = people["probability_model"][0]
    figures.add(f"  chance of an order ({model}): ECE", f"{buys['ece']:.3f}")
    figures.add("    AUC, bias", f"{buys['auc']:.3f}, {buys['bias']:+.1%}")


def _by_model(lab: Lab, people: pl.DataFrame, figures: Figures) -> None:
    """Each purchase model with Gamma-Gamma, as it was kept."""
    stored = dict(lab.read("purchase_models").select("model", "parameters").collect().rows())
    spend = GammaGamma.from_json(stored[SPEND_MODEL])
    for name, kind in PURCHASE_MODELS.items():
        made = customer_lifetime_value(
            people.select("frequency", "recency", "T", "monetary_value"),
            kind.from_json(stored[name]),
            spend,
            horizon_days=HORIZON_DAYS,
            intervals=Intervals(),
        )
        inside = [
            people[actual]
            .is_between(made[f"predicted_{quantity}_low"], made[f"predicted_{quantity}_high"])
            .sum()
            / people.height
            for quantity, actual in (("orders", "days"), ("clv", "net"))
        ]
        total = made.select(pl.col("predicted_clv").sum() / people["net"].sum() - 1).item()
        figures.add(f"  {name}: orders, value in the 90 % interval", f"{inside[0]:.1%}, {inside[1]:.1%}")
        figures.add("    total value", f"{total:+.1%}")
