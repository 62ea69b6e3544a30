"""Predictions: is there enough data, which model deserves to be published, what it expects of each customer.

The models stand in `models`; here they are fitted, back-tested and stored. A shop that is not ready gets tables
without predictions and the reasons, never made-up numbers.
"""

import warnings
from datetime import date
from functools import lru_cache, partial
from pathlib import Path

import polars as pl

from data_contracts import table as promise
from models.backtest import Measured, measure, predict_candidates
from models.calibration import calibration_by_decile
from models.champion import choose_champion
from models.clv import Intervals
from models.errors import ModelError
from models.prediction import Champions, predict_customers
from models.purchases import BetaGeo, ModifiedBetaGeo, PurchaseModel
from models.readiness import readiness
from models.spend import GammaGamma
from models.summary import customer_summary
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.delivery.profile import without_objectors
from pipelines.lake import Lake
from pipelines.shop import Shop

_Step = partial(Step, stage=Stage.PREDICTIONS, keeps=Keeps.OTHER_DAYS)

PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {
    "bg_nbd_gamma_gamma": BetaGeo,
    "mbg_nbd_gamma_gamma": ModifiedBetaGeo,
}
"""Models by the name they have in the back-test."""
SPEND_MODEL = "gamma_gamma"


def steps(_: Shop) -> list[Step]:
    """Readiness, models, back-test, champions, predictions."""
    return [
        _Step(
            table="readiness",
            reads=("purchases",),
            make=_readiness,
            checks=_is_ready_verdict,
            check_names=("enough_data_for_predictions",),
        ),
        _Step(table="purchase_models", reads=("purchases", "readiness"), make=_models),
        _Step(
            table="backtest_predictions",
            reads=("orders", "returns", "readiness"),
            make=_backtest_predictions,
        ),
        _Step(
            table="backtest",
            reads=("backtest_predictions",),
            make=lambda given: _measured(given, "backtest"),
            settings=("predictions",),
            picture="backtest_chart",
        ),
        _Step(
            table="backtest_comparisons",
            reads=("backtest_predictions",),
            make=lambda given: _measured(given, "backtest_comparisons"),
            settings=("predictions",),
        ),
        _Step(
            table="backtest_calibration",
            reads=("backtest_predictions",),
            make=_calibration,
            picture="calibration_chart",
        ),
        _Step(table="champions", reads=("backtest", "backtest_comparisons"), make=_champions),
        _Step(
            table="customer_predictions",
            reads=("purchases", "purchase_models", "champions", "suppressions"),
            make=_predictions,
            settings=("predictions",),
        ),
    ]


def _empty(name: str) -> pl.LazyFrame:
    return promise(name).empty().lazy()


def _dated(frame: pl.DataFrame, given: Given) -> pl.LazyFrame:
    return frame.lazy().with_columns(pl.lit(given.as_of).alias("as_of"))


def _readiness(given: Given) -> pl.LazyFrame:
    state = readiness(given.table("purchases"), given.as_of)
    frame = pl.DataFrame(
        [(name, found) for name, found in state.facts.items()],
        schema={"condition": pl.String, "found": pl.Int64},
        orient="row",
    )
    return _dated(
        frame.with_columns(
            pl.lit(state.is_ready).alias("is_ready"), pl.lit("; ".join(state.reasons)).alias("reasons")
        ),
        given,
    )


def _is_ready(given: Given) -> bool:
    return bool(given.table("readiness").select(pl.col("is_ready").all()).collect().item())


def _is_ready_verdict(given: Given) -> list[Verdict]:
    state = given.table("readiness").collect()
    says = "ready" if state["is_ready"].all() else "not ready because " + state["reasons"][0]
    return [Verdict("enough_data_for_predictions", bool(state["is_ready"].all()), says, is_error=False)]


def _models(given: Given) -> pl.LazyFrame:
    """Fit every model; one that cannot be fitted has no row, and its back-test none either."""
    if not _is_ready(given):
        return _empty("purchase_models")
    summary = customer_summary(given.table("purchases"), given.as_of).sort("customer_key").collect()
    rows: list[dict[str, object]] = []
    for name, kind in {**PURCHASE_MODELS, SPEND_MODEL: GammaGamma}.items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                model = kind().fit(summary)
            except ModelError:
                continue
        errors = model.standard_errors_
        rows.append(
            {
                "model": name,
                "parameters": model.to_json(),
                "estimates": ", ".join(
                    f"{key} {value:.4g} ± {errors[key]:.2g}" for key, value in model.params_.items()
                ),
                "log_likelihood": model.log_likelihood_,
                "customers": int(model.n_customers_),
                "notes": "; ".join(str(warning.message) for warning in told),
            }
        )
    schema = {name: dtype for name, dtype in promise("purchase_models").schema.items() if name != "as_of"}
    return _dated(pl.DataFrame(rows, schema=schema), given)


def _backtest_predictions(given: Given) -> pl.LazyFrame:
    if not _is_ready(given):
        return _empty("backtest_predictions")
    return predict_candidates(given.table("orders"), given.table("returns"), as_of=given.as_of).lazy()


def _measured(given: Given, name: str) -> pl.LazyFrame:
    if given.table("backtest_predictions").head(1).collect().is_empty():
        return _empty(name)
    measured = _measured_once(
        given.lake.root, given.as_of, given.fingerprint("backtest_predictions"), given.shop.predictions.seed
    )
    return _dated(measured.metrics if name == "backtest" else measured.comparisons, given)


@lru_cache(maxsize=1)
def _measured_once(root: Path, as_of: date, _fingerprint: str, seed: int) -> Measured:
    """Measure a back-test once for the two tables that are made of it."""
    return measure(Lake.open(root).scan("backtest_predictions", as_of=as_of).collect(), seed=seed)


def _calibration(given: Given) -> pl.LazyFrame:
    predictions = given.table("backtest_predictions")
    if predictions.head(1).collect().is_empty():
        return _empty("backtest_calibration")
    return _dated(calibration_by_decile(predictions).collect(), given)


def _champions(given: Given) -> pl.LazyFrame:
    metrics = given.table("backtest").collect()
    comparisons = given.table("backtest_comparisons").collect()
    rows: list[dict[str, object]] = []
    for quantity in ("value", "probability"):
        try:
            champion = choose_champion(metrics, quantity, comparisons)
        except ValueError:
            continue
        rows.append(
            {
                "quantity": quantity,
                "model": champion.name,
                "is_baseline": champion.is_baseline,
                "reason": champion.reason,
            }
        )
    schema = {name: dtype for name, dtype in promise("champions").schema.items() if name != "as_of"}
    return _dated(pl.DataFrame(rows, schema=schema), given)


def _predictions(given: Given) -> pl.LazyFrame:
    stored = {
        row["model"]: row["parameters"]
        for row in given.table("purchase_models").collect().iter_rows(named=True)
    }
    champion = {
        row["quantity"]: row["model"] for row in given.table("champions").collect().iter_rows(named=True)
    }
    fitted = {name: kind.from_json(stored[name]) for name, kind in PURCHASE_MODELS.items() if name in stored}
    if not fitted or SPEND_MODEL not in stored or set(champion) != {"value", "probability"}:
        return _empty("customer_predictions")
    settings = given.shop.predictions
    champions = Champions(
        value=champion["value"],
        probability=champion["probability"],
        fitted=fitted,
        spend=GammaGamma.from_json(stored[SPEND_MODEL]),
    )
    predicted = predict_customers(
        given.table("purchases"),
        given.as_of,
        champions,
        intervals=Intervals(draws=settings.interval_draws, seed=settings.seed),
        annual_discount=settings.annual_discount,
    )
    return without_objectors(predicted.lazy(), given.table("suppressions"))
