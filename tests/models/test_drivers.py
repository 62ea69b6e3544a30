"""Drivers are differences of the published model's own probabilities, and the strongest come first."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from models.drivers import purchase_drivers, top, tree_drivers
from models.purchases import BetaGeo

MODEL = BetaGeo.from_parameters({"r": 0.6, "alpha": 60.0, "a": 0.8, "b": 2.4})


def summary() -> pl.DataFrame:
    """Composed customers: one at each end, and the typical shop around them."""
    rng = np.random.default_rng(1)
    frequency = np.concatenate([[12.0, 12.0, 0.0], rng.integers(0, 6, 200)])
    age = np.concatenate([[400.0, 400.0, 400.0], rng.uniform(100, 500, 200)])
    recency = np.where(frequency > 0, age - 40, 0.0)
    recency[1] = 200.0
    return pl.DataFrame(
        {
            "customer_key": [f"c{number:03}" for number in range(203)],
            "frequency": frequency,
            "recency": recency,
            "T": age,
        }
    )


def test_a_regular_gone_quiet_is_explained_by_silence_and_a_lively_one_by_orders() -> None:
    rows = summary()
    found = purchase_drivers(rows.head(3), rows, MODEL, horizon_days=90)
    effect = {(row["customer_key"], row["driver"]): row["effect"] for row in found.to_dicts()}
    assert effect["c001", "silence"] > 0.3
    assert effect["c000", "orders"] < -0.1
    assert abs(effect["c000", "silence"]) < 0.05
    # Never came back: no silence of their own.
    assert effect["c002", "silence"] == 0
    assert effect["c002", "orders"] > 0


def test_effects_are_differences_of_the_models_probabilities() -> None:
    rows = summary()
    one = rows.slice(1, 1)
    typical = float((rows["T"] - rows["recency"]).filter(rows["frequency"] > 0).median() or 0)  # pyright: ignore[reportArgumentType]
    other = one.with_columns(recency=pl.col("T") - typical)
    by_hand = MODEL.purchase_probability(other, 90) - MODEL.purchase_probability(one, 90)
    found = purchase_drivers(one, rows, MODEL, horizon_days=90).filter(driver="silence")["effect"].item()
    assert found == pytest.approx(by_hand[0])


def matrix() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "customer_key": ["a", "b", "c", "d"],
            "days_since_last_order": [300.0, 10.0, 20.0, 20.0],
            "mbg_probability_alive": [0.1, 0.9, 0.8, 0.8],
            "late_parcels": [None, 3.0, 0.0, 0.0],
            "channel_last_order": ["web", "app", "web", "web"],
            "as_of_season_sin": [0.5] * 4,
            "loyalty": [1.0, 1.0, 1.0, 1.0],
        }
    )


def silence(rows: pl.DataFrame) -> np.ndarray:
    late = rows["late_parcels"].fill_null(0.0).to_numpy()
    return np.clip(0.2 + rows["days_since_last_order"].to_numpy() / 500 + 0.1 * late, 0, 1)


def test_features_that_tell_the_same_are_exchanged_together() -> None:
    found = tree_drivers(matrix().head(2), matrix(), silence)
    effect = {(row["customer_key"], row["driver"]): row["effect"] for row in found.to_dicts()}
    assert {driver for _, driver in effect} == {"rhythm", "deliveries", "origin", "loyalty"}
    # The typical customer ordered 20 days ago and had no late parcel.
    assert effect["a", "rhythm"] == pytest.approx(280 / 500)
    assert effect["b", "deliveries"] == pytest.approx(0.3)
    assert effect["a", "deliveries"] == effect["a", "origin"] == 0


def test_the_strongest_come_first_and_weak_ones_are_left_out() -> None:
    rows = pl.DataFrame(
        {
            "customer_key": ["a"] * 5 + ["b"],
            "driver": ["v", "w", "x", "y", "z", "v"],
            "effect": [0.1, -0.4, 0.1, 0.001, 0.2, 0.004],
        }
    )
    assert top(rows).rows() == [("a", 1, "w", -0.4), ("a", 2, "z", 0.2), ("a", 3, "v", 0.1)]


def test_nobody_has_no_drivers() -> None:
    rows = summary()
    assert purchase_drivers(rows.clear(), rows, MODEL, horizon_days=90).is_empty()
    assert tree_drivers(matrix().clear(), matrix(), silence).is_empty()
