"""Back-testing: what every model foretold of days it had not seen, and how well, on the nights that fit models.

How the past is hidden and what is measured stands in `models.backtest` and `models.measure`. Which of the measured
models is published is decided in `pipelines.assets.champions`.
"""

from collections.abc import Collection, Mapping
from datetime import date
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import polars as pl

from models.backtest import (
    Measured,
    Predicted,
    compared,
    default_candidates,
    measure,
    predict_candidates,
)
from models.calibration import calibration_by_cohort, calibration_by_decile, outcomes
from models.champion import QUANTITIES, Champion, Quantity, choose_champion
from models.decile_lift import decile_lift
from pipelines.assets.fit_nights import dated, on_fit_nights
from pipelines.assets.given import Given
from pipelines.assets.known import feature_tables, with_rows
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.lake import Lake
from pipelines.own_models.competing import own_candidates
from pipelines.own_models.model_files import identity
from pipelines.shop import Shop

OWN_TOOK_PART = "own_models_took_part"

_Step = partial(Step, stage=Stage.PREDICTIONS, keeps=Keeps.OTHER_DAYS)


def steps(shop: Shop) -> list[Step]:
    """Predictions of the past, who took part, and every measure of them."""
    facts = feature_tables(shop)
    return [
        _Step(
            table="backtest_predictions",
            reads=(*facts, "model_fits"),
            make=on_fit_nights("backtest_predictions", _backtest_predictions, is_carried=False),
            settings=("predictions", "models"),
            identity=own_models,
        ),
        _Step(
            table="backtest_candidates",
            reads=(*facts, "model_fits", "backtest_predictions"),
            make=on_fit_nights("backtest_candidates", _backtest_candidates),
            settings=("predictions", "models"),
            identity=own_models,
            checks=_own_took_part if shop.models else None,
            check_names=(OWN_TOOK_PART,) if shop.models else (),
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
            table="backtest_outcomes",
            reads=("backtest_predictions", "model_fits"),
            make=on_fit_nights("backtest_outcomes", _outcomes),
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
    ]


def own_models(given: Given) -> str:
    """What the files of the shop's own models hold."""
    return identity(given.shop)


def leading(given: Given, without: Collection[str] = ()) -> dict[Quantity, Champion]:
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
        candidates=[*default_candidates(), *own_candidates(given.shop)],
        tables={name: table for name, table in tables.items() if name not in ("orders", "returns")},
    )


def _own_took_part(given: Given) -> list[Verdict]:
    """Warn of models of the shop's own that are out, with the reason."""
    own = [model.name for model in given.shop.models]
    told = given.table("backtest_candidates").filter(pl.col("model").is_in(own)).sort("cut", descending=True)
    newest = told.unique("model", keep="first", maintain_order=True).sort("model").collect()
    out = newest.filter(~pl.col("took_part"))["notes"].to_list()
    says = " ".join(out) or f"{newest.height} of {len(own)} models of the shop's own were back-tested"
    return [Verdict(OWN_TOOK_PART, not out, says, is_error=False)]


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


def _outcomes(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    return dated(outcomes(predictions.lazy()).collect(), given)


def _cohorts(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    first_days = given.table("purchases").group_by("customer_key").agg(first_day=pl.col("order_day").min())
    return dated(calibration_by_cohort(predictions.lazy(), first_days).collect(), given)


def _decile_lift(given: Given) -> pl.LazyFrame:
    predictions = compared(given.table("backtest_predictions").collect())
    return dated(decile_lift(predictions, seed=given.shop.predictions.seed), given)
