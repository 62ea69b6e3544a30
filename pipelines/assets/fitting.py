"""Fitting: the models of a fit night, how they did in the back-test, and which of them is published.

The models stand in `models`; here they are fitted, back-tested and kept. When that happens is decided in
`pipelines.assets.fit_nights`; scoring customers belongs to `pipelines.assets.predictions`.
"""

import base64
import json
import warnings
from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import polars as pl

from data_contracts import table as promise
from models.backtest import MOST_CUSTOMERS, Measured, Predicted, compared, measure, predict_candidates
from models.boosted_trees import BoostedTrees
from models.calibration import calibration_by_cohort, calibration_by_decile
from models.champion import QUANTITIES, Champion, Quantity, choose_champion
from models.churn import ChurnClassifier
from models.decile_lift import decile_lift
from models.errors import ModelError
from models.features import Tables
from models.future_value import FutureValue
from models.known import parts_of, sample_of
from models.less_returns import LessReturns, before_returns
from models.prediction import HORIZON_DAYS, LESS_RETURNS_ORDERS, NEAR_HORIZON_DAYS
from models.provenance import Provenance, stamped
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.returned_share import return_habits
from models.spend import GammaGamma
from models.summary import customer_summary
from models.training_rows import training_rows
from pipelines.assets.fit_nights import dated, empty, is_requested_for, model_fits, on_fit_nights
from pipelines.assets.given import Given
from pipelines.assets.known import feature_tables, known_now, with_rows
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.lake import Lake
from pipelines.shop import Shop

_Step = partial(Step, stage=Stage.PREDICTIONS, keeps=Keeps.OTHER_DAYS)

PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {
    "bg_nbd_gamma_gamma": BetaGeo,
    "mbg_nbd_gamma_gamma": ModifiedBetaGeo,
    "pareto_nbd_gamma_gamma": ParetoNBD,
}
"""Models by the name they have in the back-test."""
SPEND_MODEL = "gamma_gamma"
SPEND_BEFORE_RETURNS = "gamma_gamma_before_returns"
CUSTOMERS_AT_ONCE = 1_000_000
_NO_SHARES = pl.DataFrame(schema={"customer_key": pl.String, "expected_returned_share": pl.Float64})
HORIZONS = (NEAR_HORIZON_DAYS, HORIZON_DAYS)


def steps(shop: Shop) -> list[Step]:
    """Whether to fit, the models, the back-test, the champions."""
    facts = feature_tables(shop)
    return [
        _Step(
            table="model_fits",
            reads=("purchases", "readiness"),
            make=model_fits,
            settings=("predictions",),
            identity=is_requested_for,
        ),
        _Step(
            table="purchase_models",
            reads=("purchases", *facts, "model_fits"),
            make=on_fit_nights("purchase_models", _purchase_models),
        ),
        _Step(
            table="returned_shares",
            reads=("purchases", *facts, "model_fits"),
            make=on_fit_nights("returned_shares", _returned_shares, is_carried=False),
            settings=("predictions",),
        ),
        _Step(
            table="boosted_models",
            reads=("purchases", *facts, "model_fits", "backtest", "backtest_comparisons"),
            make=on_fit_nights("boosted_models", _boosted_models),
            settings=("predictions",),
        ),
        _Step(
            table="churn_importances",
            reads=("boosted_models",),
            make=on_fit_nights("churn_importances", _importances),
            picture="importances_chart",
        ),
        _Step(
            table="backtest_predictions",
            reads=(*facts, "model_fits"),
            make=on_fit_nights("backtest_predictions", _backtest_predictions, is_carried=False),
            settings=("predictions",),
        ),
        _Step(
            table="backtest_candidates",
            reads=(*facts, "model_fits", "backtest_predictions"),
            make=on_fit_nights("backtest_candidates", _backtest_candidates),
            settings=("predictions",),
        ),
        *(
            _Step(
                table=name,
                reads=("backtest_predictions", "model_fits"),
                make=on_fit_nights(name, partial(_measured, name=name)),
                settings=("predictions",),
                picture="backtest_chart" if name == "backtest" else None,
            )
            for name in ("backtest", "backtest_origins", "backtest_comparisons")
        ),
        _Step(
            table="backtest_calibration",
            reads=("backtest_predictions", "model_fits"),
            make=on_fit_nights("backtest_calibration", _calibration),
            picture="calibration_chart",
        ),
        _Step(
            table="backtest_cohorts",
            reads=("backtest_predictions", "purchases", "model_fits"),
            make=on_fit_nights("backtest_cohorts", _cohorts),
        ),
        _Step(
            table="decile_lift",
            reads=("backtest_predictions", "model_fits"),
            make=on_fit_nights("decile_lift", _decile_lift),
            settings=("predictions",),
            picture="decile_lift",
        ),
        _Step(
            table="champions",
            reads=("backtest", "backtest_comparisons", "purchase_models", "boosted_models", "model_fits"),
            make=on_fit_nights("champions", _champions),
        ),
    ]


def _provenance(given: Given) -> Provenance:
    return Provenance(
        fitted_as_of=given.as_of,
        data_fingerprint=given.fingerprint("purchases"),
        contract_version=promise("purchases").version,
    )


def _purchase_models(given: Given) -> pl.LazyFrame:
    """Fit every model; one that cannot be fitted has no row, and its back-test none either."""
    known = known_now(given)
    summary = customer_summary(known.purchases, given.as_of).sort("customer_key").collect()
    kinds = {**PURCHASE_MODELS, SPEND_MODEL: GammaGamma, SPEND_BEFORE_RETURNS: GammaGamma}
    rows: list[dict[str, object]] = []
    for name, kind in kinds.items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                rows_fitted = (
                    before_returns(known, _NO_SHARES).summary if name == SPEND_BEFORE_RETURNS else summary
                )
                model = kind().fit(rows_fitted)
            except ModelError:
                continue
        errors = model.standard_errors_
        rows.append(
            {
                "fitted_as_of": given.as_of,
                "model": name,
                "parameters": stamped(model.to_json(), _provenance(given)),
                "estimates": ", ".join(
                    f"{key} {value:.4g} ± {errors[key]:.2g}" for key, value in model.params_.items()
                ),
                "log_likelihood": model.log_likelihood_,
                "customers": int(model.n_customers_),
                "notes": "; ".join([*_of_spend(model), *(str(warning.message) for warning in told)]),
            }
        )
    return _rows(rows, "purchase_models", given)


def _of_spend(model: PurchaseModel | GammaGamma) -> list[str]:
    """What Gamma-Gamma supposes, as found, and whom it left out."""
    if not isinstance(model, GammaGamma):
        return []
    left_out = ", ".join(f"{count:,.0f} {reason}" for reason, count in model.excluded_.items())
    correlation = f"correlation of frequency and mean spend {model.correlation_:+.2f}, which should be near 0"
    return [correlation, f"left out {left_out.replace('_', ' ')}"]


def _returned_shares(given: Given) -> pl.LazyFrame:
    """Learn of a sample what comes back, and say it of everybody, a million customers at a time."""
    tables = with_rows(feature_tables(given.shop), given.table)
    if not {"order_lines", "returns"} <= set(tables):
        return empty("returned_shares")
    sample = _returns_of(
        sample_of(tables, given.as_of, seed=given.shop.predictions.seed, max_customers=MOST_CUSTOMERS)
    )
    habits = return_habits(*sample, given.as_of)
    customers = given.table("purchases").select(pl.col("customer_key").n_unique()).collect().item()
    parts = parts_of(tables, max(1, round(customers / CUSTOMERS_AT_ONCE)))
    return dated(pl.concat(habits.expected(*_returns_of(part), given.as_of) for part in parts), given)


def _returns_of(tables: Tables) -> tuple[pl.LazyFrame, pl.LazyFrame, pl.LazyFrame]:
    named = cast(Mapping[str, pl.LazyFrame], tables)
    return named["orders"], named["order_lines"], named["returns"]


def _boosted_models(given: Given) -> pl.LazyFrame:
    """Grow trees for the published horizons; where none can be grown, say why.

    Those for the longest are always grown, for what they tell of the shop; the others where trees may be published.
    """
    tables = with_rows(feature_tables(given.shop), given.table)
    seed = given.shop.predictions.seed
    rows: list[dict[str, object]] = []
    names = {champion.name for champion in _chosen(given, ()).values()}
    for horizon in HORIZONS if BoostedTrees.name in names else HORIZONS[-1:]:
        row: dict[str, object] = {
            "horizon_days": horizon,
            "fitted_as_of": given.as_of,
            "provenance": stamped(json.dumps({}), _provenance(given)),
        }
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                learnt = training_rows(given.as_of, horizon_days=horizon, seed=seed, **tables)
                buying = ChurnClassifier(horizon_days=horizon, seed=seed).fit(learnt)
                model = FutureValue(horizon_days=horizon, seed=seed).fit(learnt, purchase=buying)
            except ModelError as error:
                rows.append(row | {"notes": str(error)})
                continue
        rows.append(
            row
            | {
                "content": base64.b64encode(model.to_skops()).decode(),
                "trees": buying.trees_,
                "training_rows": buying.n_rows_,
                "log_loss": buying.held_back_metrics_["log_loss"],
                "auc": buying.held_back_metrics_["auc"],
                "notes": "; ".join(dict.fromkeys(str(warning.message) for warning in told)),
            }
        )
    return _rows(rows, "boosted_models", given)


def grown_trees(given: Given) -> dict[int, FutureValue]:
    """Read the trees of the day by horizon; without those that could not be grown."""
    stored = given.table("boosted_models").select("horizon_days", "content").drop_nulls().collect()
    return {
        horizon: FutureValue.from_skops(base64.b64decode(content), horizon_days=horizon)
        for horizon, content in stored.iter_rows()
    }


def _importances(given: Given) -> pl.LazyFrame:
    schema = {name: dtype for name, dtype in promise("churn_importances").schema.items() if name != "as_of"}
    frames = [
        model.purchase_.importances_.select(pl.lit(horizon, pl.Int32).alias("horizon_days"), pl.all())
        for horizon, model in grown_trees(given).items()
    ]
    return dated(pl.concat([pl.DataFrame(schema=schema), *frames]), given)


_LAST: dict[tuple[Path, date, tuple[str, ...]], Predicted] = {}
"""The back-test that the table of predictions was made of, until its candidates are noted too."""


def _backtest_predictions(given: Given) -> pl.LazyFrame:
    predicted = _predicted(given)
    _LAST.clear()
    _LAST[_what_is_tested(given)] = predicted
    return predicted.predictions.lazy()


def _backtest_candidates(given: Given) -> pl.LazyFrame:
    predicted = _LAST.pop(_what_is_tested(given), None) or _predicted(given)
    return predicted.candidates.lazy()


def _what_is_tested(given: Given) -> tuple[Path, date, tuple[str, ...]]:
    facts = tuple(given.fingerprint(name) for name in feature_tables(given.shop))
    return given.lake.root, given.as_of, facts


def _predicted(given: Given) -> Predicted:
    tables = cast(Mapping[str, pl.LazyFrame], with_rows(feature_tables(given.shop), given.table))
    return predict_candidates(
        tables["orders"],
        given.table("returns"),
        as_of=given.as_of,
        seed=given.shop.predictions.seed,
        tables={name: table for name, table in tables.items() if name not in ("orders", "returns")},
    )


def _measured(given: Given, *, name: str) -> pl.LazyFrame:
    measured = _measured_once(
        given.lake.root, given.as_of, given.fingerprint("backtest_predictions"), given.shop.predictions.seed
    )
    of = {
        "backtest": measured.metrics,
        "backtest_origins": measured.origins,
        "backtest_comparisons": measured.comparisons,
    }
    return dated(of[name], given)


@lru_cache(maxsize=1)
def _measured_once(root: Path, as_of: date, _fingerprint: str, seed: int) -> Measured:
    """Measure a back-test once for the tables that are made of it."""
    return measure(Lake.open(root).scan("backtest_predictions", as_of=as_of).collect(), seed=seed)


def _calibration(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    return dated(calibration_by_decile(predictions.lazy()).collect(), given)


def _cohorts(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    first_days = given.table("purchases").group_by("customer_key").agg(first_day=pl.col("order_day").min())
    return dated(calibration_by_cohort(predictions.lazy(), first_days).collect(), given)


def _decile_lift(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    return dated(decile_lift(predictions, seed=given.shop.predictions.seed), given)


def _chosen(given: Given, without: Collection[str]) -> dict[Quantity, Champion]:
    """The champion of each quantity, leaving some models out."""
    metrics = given.table("backtest").filter(~pl.col("model").is_in(list(without))).collect()
    comparisons = given.table("backtest_comparisons").collect()
    found: dict[Quantity, Champion] = {}
    for quantity in QUANTITIES:
        try:
            found[quantity] = choose_champion(metrics, quantity, comparisons)
        except ValueError:
            continue
    return found


def _champions(given: Given) -> pl.LazyFrame:
    """Choose among the models that can be published: what a model needs must have been fitted for the day."""
    fitted = given.table("purchase_models").select("model").collect()["model"].to_list()
    grown = given.table("boosted_models").select("horizon_days", "content").drop_nulls().collect().height
    missing = [name for name in PURCHASE_MODELS if name not in fitted]
    missing += [BoostedTrees.name] if grown < len(HORIZONS) else []
    missing += [LessReturns.name] if not {SPEND_BEFORE_RETURNS, LESS_RETURNS_ORDERS} <= set(fitted) else []
    rows: list[dict[str, object]] = [
        {
            "fitted_as_of": given.as_of,
            "quantity": quantity,
            "model": champion.name,
            "is_baseline": champion.is_baseline,
            "reason": champion.reason,
        }
        for quantity, champion in _chosen(given, missing).items()
    ]
    return _rows(rows, "champions", given)


def _rows(rows: list[dict[str, object]], name: str, given: Given) -> pl.LazyFrame:
    schema = {column: dtype for column, dtype in promise(name).schema.items() if column != "as_of"}
    return dated(pl.DataFrame(rows, schema=schema), given) if rows else empty(name)
