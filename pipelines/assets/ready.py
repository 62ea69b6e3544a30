"""Ready: whether the shop has enough history for predictions, and the numbers behind it.

The rule stands in `models.readiness`. What is made where it holds belongs to `pipelines.assets.fitted_models`.
"""

import polars as pl

from models.readiness import readiness
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step, Verdict
from pipelines.shop import Shop


def steps(_: Shop) -> list[Step]:
    """One step: the conditions and what was found."""
    return [
        Step(
            table="readiness",
            stage=Stage.PREDICTIONS,
            keeps=Keeps.OTHER_DAYS,
            reads=("purchases",),
            make=_readiness,
            checks=_is_ready_verdict,
            check_names=("enough_data_for_predictions",),
        ),
    ]


def _readiness(given: Given) -> pl.LazyFrame:
    state = readiness(given.table("purchases"), given.as_of)
    frame = pl.DataFrame(
        [(name, found) for name, found in state.facts.items()],
        schema={"condition": pl.String, "found": pl.Int64},
        orient="row",
    )
    return frame.lazy().with_columns(
        pl.lit(given.as_of).alias("as_of"),
        pl.lit(state.is_ready).alias("is_ready"),
        pl.lit("; ".join(state.reasons)).alias("reasons"),
    )


def _is_ready_verdict(given: Given) -> list[Verdict]:
    state = given.table("readiness").collect()
    says = "ready" if state["is_ready"].all() else "not ready because " + state["reasons"][0]
    return [Verdict("enough_data_for_predictions", bool(state["is_ready"].all()), says, is_error=False)]
