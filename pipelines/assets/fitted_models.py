"""Fitted models: what a fit night keeps so that other nights can score: parameters, trees, returned shares.

The models stand in `models`. When they are fitted is decided in `pipelines.assets.fit_nights`, how good they are in
`pipelines.assets.backtesting`, which of them is published in `pipelines.assets.champions`.
"""

import base64
import json
import warnings
from collections.abc import Mapping
from functools import partial
from typing import cast

import polars as pl

from data_contracts import table as promise
from models.backtest import MOST_CUSTOMERS
from models.boosted_trees import BoostedTrees
from models.churn import ChurnClassifier
from models.errors import ModelError
from models.features import Tables
from models.future_value import FutureValue
from models.known import parts_of, sample_of
from models.less_returns import summary_before_returns
from models.prediction import HORIZON_DAYS, NEAR_HORIZON_DAYS
from models.provenance import Provenance, checked, stamped
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.returned_share import return_habits
from models.spend import GammaGamma
from models.summary import customer_summary
from models.training_rows import training_rows
from pipelines.assets.backtesting import leading
from pipelines.assets.fit_nights import dated, empty, on_fit_nights, rows_of
from pipelines.assets.given import Given
from pipelines.assets.known import feature_tables, with_rows
from pipelines.assets.step import Keeps, Stage, Step
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
HORIZONS = (NEAR_HORIZON_DAYS, HORIZON_DAYS)


def steps(shop: Shop) -> list[Step]:
    """Purchase and spend models, returned shares, trees and what matters to them."""
    facts = feature_tables(shop)
    return [
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
    ]


def _provenance(given: Given) -> Provenance:
    return Provenance(
        fitted_as_of=given.as_of,
        data_fingerprint=given.fingerprint("purchases"),
        contract_version=promise("purchases").version,
    )


def _purchase_models(given: Given) -> pl.LazyFrame:
    """Fit every model; one that cannot be fitted has no row, and its back-test none either."""
    summary = customer_summary(given.table("purchases"), given.as_of).sort("customer_key").collect()
    fitted_on = {name: (kind, summary) for name, kind in {**PURCHASE_MODELS, SPEND_MODEL: GammaGamma}.items()}
    tables = with_rows(feature_tables(given.shop), given.table)
    if _tells_of_returns(tables):
        before = summary_before_returns(tables["orders"], given.as_of)
        fitted_on[SPEND_BEFORE_RETURNS] = (GammaGamma, before)
    rows: list[dict[str, object]] = []
    for name, (kind, customers) in fitted_on.items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            try:
                model = kind().fit(customers)
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
    return rows_of(rows, "purchase_models", given)


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
    if not _tells_of_returns(tables):
        return empty("returned_shares")
    sample = _returns_of(
        sample_of(tables, given.as_of, seed=given.shop.predictions.seed, max_customers=MOST_CUSTOMERS)
    )
    habits = return_habits(*sample, given.as_of)
    customers = given.table("purchases").select(pl.col("customer_key").n_unique()).collect().item()
    parts = parts_of(tables, customers)
    return dated(pl.concat(habits.expected(*_returns_of(part), given.as_of) for part in parts), given)


def _tells_of_returns(tables: Tables) -> bool:
    return {"order_lines", "returns"} <= set(tables)


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
    names = {champion.name for champion in leading(given).values()}
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
    return rows_of(rows, "boosted_models", given)


def stored_parameters(given: Given) -> dict[str, str]:
    """Read the purchase and spend models of the day by name, as JSON, if they may score it.

    Raises
    ------
    MismatchedModelError
        They were fitted on another kind of data.
    """
    stored = given.table("purchase_models").select("model", "parameters").collect()
    return {name: _checked(parameters, given) for name, parameters in stored.iter_rows()}


def purchase_models(given: Given) -> dict[str, PurchaseModel]:
    """Read the purchase models of the day by name; see `stored_parameters`."""
    stored = stored_parameters(given)
    return {name: kind.from_json(stored[name]) for name, kind in PURCHASE_MODELS.items() if name in stored}


def grown_trees(given: Given) -> dict[int, FutureValue]:
    """Read the trees of the day by horizon, without those that could not be grown; see `stored_parameters`."""
    columns = ("horizon_days", "content", "provenance")
    found: dict[int, FutureValue] = {}
    for horizon, content, provenance in (
        given.table("boosted_models").select(columns).drop_nulls().collect().iter_rows()
    ):
        _checked(provenance, given)
        found[horizon] = FutureValue.from_skops(base64.b64decode(content), horizon_days=horizon)
    return found


def _checked(text: str, given: Given) -> str:
    return checked(text, as_of=given.as_of, contract_version=promise("purchases").version)


def _importances(given: Given) -> pl.LazyFrame:
    schema = {name: dtype for name, dtype in promise("churn_importances").schema.items() if name != "as_of"}
    frames = [
        model.purchase_.importances_.select(pl.lit(horizon, pl.Int32).alias("horizon_days"), pl.all())
        for horizon, model in grown_trees(given).items()
    ]
    return dated(pl.concat([pl.DataFrame(schema=schema), *frames]), given)
