"""Composed customers: histories drawn purchase by purchase from the stories the models tell.

Nothing here shares a formula with `models.purchases`; times are continuous, in days.
"""

import numpy as np
import polars as pl


def simulate(
    story: str, parameters: tuple[float, float, float, float], customers: int, seed: int, horizon: float = 0.0
) -> pl.DataFrame:
    """Let customers buy until they leave; one row each, with the purchases of (T, T + horizon].

    `story`: "bg" leaves after repeat purchases, "mbg" after any purchase, "pareto" at any moment.
    """
    rng = np.random.default_rng(seed)
    r, alpha, first, second = parameters
    age = rng.uniform(100, 700, customers)
    rate = rng.gamma(r, 1 / alpha, customers)
    if story == "pareto":
        end = rng.exponential(1 / rng.gamma(first, 1 / second, customers))
        leaving = np.zeros(customers)
    else:
        end = np.full(customers, np.inf)
        leaving = rng.beta(first, second, customers)
    here = np.ones(customers, dtype=bool)
    if story == "mbg":
        here = rng.random(customers) >= leaving
    now, last, count, later = (np.zeros(customers) for _ in range(4))
    while here.any():
        i = np.flatnonzero(here)
        now[i] += rng.exponential(1 / rate[i])
        bought = i[now[i] <= np.minimum(age[i] + horizon, end[i])]
        seen = now[bought] <= age[bought]
        count[bought[seen]] += 1
        last[bought[seen]] = now[bought[seen]]
        later[bought[~seen]] += 1
        here[:] = False
        here[bought] = rng.random(len(bought)) >= leaving[bought]
    return pl.DataFrame({"frequency": count, "recency": last, "T": age, "later": later})
