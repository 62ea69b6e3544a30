"""Fitting and scoring purchase models in a process of its own: seconds of each stage, peak memory, what came out.

`python -m tests.benchmarks.composed_purchase_models MEASURE FOLDER [CUSTOMERS]` reads what `write` put into FOLDER:
composed orders (Parquet), and with `write_summary` the customer summary of composed orders.
"""

import json
import resource
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from data_contracts import table
from models.clv import Intervals, customer_lifetime_value
from models.purchases import BetaGeo, ParetoNBD, PurchaseModel
from models.purchases._histories import distinct_histories, read_histories
from models.spend import GammaGamma
from models.summary import customer_summary, purchases_at
from tests.benchmarks.composed_measures import AS_OF, PART, write_orders
from tests.benchmarks.composed_orders import orders
from tests.models.cdnow import master_summary

HORIZON = 90
COLUMNS = ("customer_key", "order_day", "gross")
Stages = dict[str, Any]


class Stopwatch:
    """Seconds and processor time a stage, in the order of the stages."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.processor: dict[str, float] = {}

    def __call__(self, stage: str, work: Callable[[], Any]) -> Any:
        started, worked = time.perf_counter(), time.process_time()
        result = work()
        self.seconds[stage] = time.perf_counter() - started
        self.processor[stage] = time.process_time() - worked
        return result

    def seen(self, **more: Any) -> Stages:
        return {"stages": self.seconds, "processor": self.processor, **more}


def write_summary(folder: Path, customers: int) -> None:
    """Write the summary of ``customers`` composed people, a million a file."""
    folder.mkdir()
    for number, start in enumerate(range(0, customers, PART)):
        composed = orders(min(PART, customers - start), seed=1 + number).with_columns(
            pl.format("{}-{}", pl.lit(number), "customer_key").alias("customer_key")
        )
        bought = purchases_at(composed.lazy(), table("returns").empty().lazy(), AS_OF)
        summary = customer_summary(bought, AS_OF).collect(engine="streaming")
        summary.write_parquet(folder / f"summary-{number:02}.parquet")


def log_likelihood(model: PurchaseModel, parameters: list[float], summary: pl.DataFrame) -> float:
    """Evaluate a model's log-likelihood at parameters in the summary's own unit of time."""
    histories = distinct_histories(read_histories(summary), None)
    return model._log_likelihood(histories)(np.log(np.array(parameters)))[0]


def _as_pandas_reads(folder: Path) -> Any:
    """Orders as the other libraries take them, with what the same four columns of the summary need."""
    import pandas as pd

    return pd.read_parquet(folder, columns=list(COLUMNS)).astype({"gross": float})


def _ours(folder: Path) -> Stages:
    watch = Stopwatch()
    found = pl.scan_parquet(folder / "orders-*.parquet")
    bought = purchases_at(found, table("returns").empty().lazy(), AS_OF)
    summary = watch("summary", lambda: customer_summary(bought, AS_OF).collect(engine="streaming"))
    model = watch("fit", lambda: BetaGeo().fit(summary))
    expected = watch("predict", lambda: model.expected_purchases(summary, HORIZON))
    watch("probability", lambda: model.purchase_probability(summary, HORIZON))
    return watch.seen(
        log_likelihood=model.log_likelihood_,
        params=model.params_,
        expected=float(expected.sum()),
        rows=len(expected),
    )


def _lifetimes(folder: Path) -> Stages:
    from lifetimes import BetaGeoFitter
    from lifetimes.utils import summary_data_from_transaction_data

    watch = Stopwatch()

    def summarise() -> Any:
        found = _as_pandas_reads(folder)
        return summary_data_from_transaction_data(found, *COLUMNS, observation_period_end=AS_OF)

    summary = watch("summary", summarise)
    history = [summary[name] for name in ("frequency", "recency", "T")]
    fitter = BetaGeoFitter()
    watch("fit", lambda: fitter.fit(*history))
    expected = watch(
        "predict", lambda: fitter.conditional_expected_number_of_purchases_up_to_time(HORIZON, *history)
    )
    # lifetimes' likelihood is a mean, of times scaled to at most 1
    scaled = float(summary["frequency"].sum()) * np.log(float(summary["T"].max()))
    return watch.seen(
        log_likelihood=-len(summary) * float(fitter._negative_log_likelihood_) - scaled,
        params={name: float(value) for name, value in fitter.params_.items()},
        expected=float(np.sum(expected)),
        rows=len(summary),
    )


def _clvkit(folder: Path) -> Stages:
    # By name, since it is there only where `make bench` installed it.
    base_of_customers: Any = import_module("clvkit").CustomerBase
    bg_nbd: Any = import_module("clvkit.clv.bgnbd").BGNBD
    watch = Stopwatch()

    def summarise() -> Any:
        found = _as_pandas_reads(folder)
        return base_of_customers.from_transactions(found, *COLUMNS, observation_period_end=AS_OF.isoformat())

    base = watch("summary", summarise)
    model = watch("fit", lambda: bg_nbd().fit(base))
    watch("predict", lambda: model.predict(HORIZON))
    return watch.seen(rows=len(base.to_pandas()))


def _scoring(folder: Path) -> Stages:
    watch = Stopwatch()
    summary = watch("read", lambda: pl.read_parquet(folder / "summary-*.parquet"))
    model = watch("fit", lambda: BetaGeo().fit(summary))
    spend = watch("fit spend", lambda: GammaGamma().fit(summary))
    scores: dict[str, Callable[[], Any]] = {
        "expected purchases, 90 days": lambda: model.expected_purchases(summary, HORIZON),
        "purchase probability, 90 days": lambda: model.purchase_probability(summary, HORIZON),
        "purchase probability, 365 days": lambda: model.purchase_probability(summary, 365),
        "P(alive)": lambda: model.probability_alive(summary),
        "time to next purchase, p50": lambda: model.time_to_next_purchase(summary, 0.5),
        "time to next purchase, p80": lambda: model.time_to_next_purchase(summary, 0.8),
        "expected spend": lambda: spend.expected_spend(summary),
        "CLV of 365 days": lambda: customer_lifetime_value(summary, model, spend),
        "  discounted": lambda: customer_lifetime_value(summary, model, spend, annual_discount=0.1),
    }
    # everything is kept, as a run keeps it until it is written
    kept = [watch(score, work) for score, work in scores.items()]
    return watch.seen(scores=list(scores), rows=len(kept[0]))


def _intervals(folder: Path) -> Stages:
    watch = Stopwatch()
    summary = pl.read_parquet(folder / "summary-00.parquet")
    model, spend = BetaGeo().fit(summary), GammaGamma().fit(summary)
    watch("intervals", lambda: customer_lifetime_value(summary, model, spend, intervals=Intervals()))
    return watch.seen(rows=summary.height)


def _pareto_ours(_: Path) -> Stages:
    watch = Stopwatch()
    summary = master_summary()
    model = watch("fit", lambda: ParetoNBD(time_unit="weeks").fit(summary))
    return watch.seen(
        log_likelihood=model.log_likelihood_,
        params=model.params_,
        convergence=str(model.convergence_),
        rows=summary.height,
    )


def _pareto_lifetimes(_: Path) -> Stages:
    from lifetimes import ParetoNBDFitter

    watch = Stopwatch()
    summary = master_summary()
    history = [summary[name].to_numpy() for name in ("frequency", "recency", "T")]
    np.random.seed(0)  # its random starts come from the global generator
    fitter = ParetoNBDFitter()
    watch("fit", lambda: fitter.fit(history[0], history[1], history[2]))
    params = {name: float(value) for name, value in fitter.params_.items()}
    at = log_likelihood(ParetoNBD(time_unit="weeks"), list(params.values()), summary)
    return watch.seen(log_likelihood=at, params=params, rows=summary.height)


WRITES: dict[str, Callable[[Path, int], None]] = {"write": write_orders, "write_summary": write_summary}
MEASURES: dict[str, Callable[[Path], Stages]] = {
    "ours": _ours,
    "lifetimes": _lifetimes,
    "clvkit": _clvkit,
    "scoring": _scoring,
    "intervals": _intervals,
    "pareto_ours": _pareto_ours,
    "pareto_lifetimes": _pareto_lifetimes,
}


if __name__ == "__main__":
    name, where = sys.argv[1], Path(sys.argv[2])
    if name in WRITES:
        WRITES[name](where, int(sys.argv[3]))
    else:
        warnings.simplefilter("ignore")  # what the others warn of is not measured here
        seen = MEASURES[name](where)
        seen["peak_gb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        sys.stdout.write(json.dumps(seen))
