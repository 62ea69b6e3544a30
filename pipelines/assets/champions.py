"""Champions: which model is published for what, of those that can be.

The rule stands in `models.champion`, the measures come from `pipelines.assets.backtesting`.
"""

import polars as pl

from models.boosted_trees import BoostedTrees
from models.less_returns import LessReturns
from models.published import LESS_RETURNS_ORDERS
from pipelines.assets.backtesting import leading
from pipelines.assets.fit_nights import on_fit_nights, rows_of
from pipelines.assets.fitted_models import HORIZONS, PURCHASE_MODELS, SPEND_BEFORE_RETURNS
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.shop import Shop


def steps(_: Shop) -> list[Step]:
    """One step: the champion of each quantity, and why."""
    return [
        Step(
            table="champions",
            stage=Stage.PREDICTIONS,
            keeps=Keeps.OTHER_DAYS,
            reads=("backtest", "backtest_comparisons", "purchase_models", "boosted_models", "model_fits"),
            make=on_fit_nights("champions", _champions),
        ),
    ]


def _champions(given: Given) -> pl.LazyFrame:
    """Choose among the models that can be published: what a model needs must have been fitted for the day."""
    fitted = given.table("purchase_models").select("model").collect()["model"].to_list()
    grown = given.table("boosted_models").select("horizon_days", "content").drop_nulls().collect().height
    missing = [name for name in PURCHASE_MODELS if name not in fitted]
    missing += [BoostedTrees.name] if grown < len(HORIZONS) else []
    missing += [LessReturns.name] if not {SPEND_BEFORE_RETURNS, LESS_RETURNS_ORDERS} <= set(fitted) else []
    chosen = leading(given)
    if any(champion.name in missing for champion in chosen.values()):
        chosen = leading(given, missing)
    rows: list[dict[str, object]] = [
        {
            "fitted_as_of": given.as_of,
            "quantity": quantity,
            "model": champion.name,
            "is_baseline": champion.is_baseline,
            "reason": champion.reason,
        }
        for quantity, champion in chosen.items()
    ]
    return rows_of(rows, "champions", given)
