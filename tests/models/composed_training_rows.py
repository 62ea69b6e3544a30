"""Training rows whose true probabilities and values are known. All composed."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import numpy.typing as npt
import polars as pl

HORIZON = 90
FIRST_CUT = date(2022, 1, 1)
FloatArray = npt.NDArray[np.float64]
_COUNTRIES = ("DE", "AT", "CH")


def composed_features(rng: np.random.Generator, n: int) -> pl.DataFrame:
    """Days since the last order, a rate of order days told by a country, and noise."""
    return pl.DataFrame(
        {
            "days_since_last_order": rng.uniform(0, 300, n),
            "country_last_order": rng.choice(_COUNTRIES, n),
            "noise": rng.normal(size=n),
            "sometimes_known": np.where(rng.random(n) < 0.5, np.nan, rng.normal(size=n)),
        }
    ).with_columns(pl.col("sometimes_known").fill_nan(None))


def true_probability(features: pl.DataFrame) -> FloatArray:
    """P(at least one purchase): exponential waits; the rate drops after 100 days and differs by country."""
    rate = {"DE": 0.012, "AT": 0.004, "CH": 0.001}
    daily = features["country_last_order"].replace_strict(rate, return_dtype=pl.Float64).to_numpy()
    silence = features["days_since_last_order"].to_numpy()
    return 1 - np.exp(-daily * HORIZON * np.where(silence < 100, 1.5, 0.5))


def true_net(features: pl.DataFrame) -> FloatArray:
    """E(net | buys)."""
    return np.where(features["country_last_order"].to_numpy() == "CH", 200.0, 40.0)


def composed_rows(
    n: int = 1500, *, cuts: int = 4, seed: int = 0, step: int = HORIZON, lift: float = 1.0
) -> pl.DataFrame:
    """`n` customers at each cut; `lift` multiplies the odds of buying at the last cut."""
    rng = np.random.default_rng(seed)
    parts: list[pl.DataFrame] = []
    for number in range(cuts):
        features = composed_features(rng, n)
        odds = true_probability(features) / (1 - true_probability(features))
        odds *= lift if number == cuts - 1 else 1.0
        bought = rng.random(n) < odds / (1 + odds)
        net = np.where(bought, true_net(features) * rng.gamma(2.0, 0.5, n), 0.0)
        parts.append(
            features.select(
                pl.lit(FIRST_CUT + timedelta(step * number)).alias("cut"),
                pl.Series("customer_key", [f"c{place:05d}" for place in range(n)]),
                pl.Series("bought", bought),
                pl.Series("net", net),
                pl.all(),
            )
        )
    return pl.concat(parts)
