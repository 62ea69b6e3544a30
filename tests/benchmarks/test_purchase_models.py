"""Fitting BG/NBD against lifetimes on the same summary in the same run."""

import time
import warnings
from datetime import date
from importlib.metadata import version
from typing import Any

from data_contracts import table
from models.purchases import BetaGeo
from models.summary import customer_summary, purchases_at
from tests.benchmarks.composed_orders import orders
from tests.benchmarks.conftest import Figures

AS_OF = date(2023, 12, 31)
CUSTOMERS = 100_000


def test_beta_geo_fit_against_lifetimes(benchmark: Any, figures: Figures) -> None:
    bought = purchases_at(orders(CUSTOMERS).lazy(), table("returns").empty().lazy(), AS_OF)
    summary = customer_summary(bought, AS_OF).collect()
    started = time.perf_counter()
    ours = benchmark.pedantic(lambda: BetaGeo().fit(summary), rounds=1)
    fitted = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = BetaGeo(solver="lifetimes").fit(summary)
    theirs_fitted = time.perf_counter()
    figures.add(f"BetaGeo fit, {CUSTOMERS:,} customers", f"{fitted - started:.2f} s")
    figures.add(f"  lifetimes {version('lifetimes')} on the same", f"{theirs_fitted - fitted:.2f} s")
    figures.add("  times faster", f"{(theirs_fitted - fitted) / (fitted - started):.0f} x")
    figures.add("  log-likelihood less lifetimes'", f"{ours.log_likelihood_ - theirs.log_likelihood_:.4f}")
