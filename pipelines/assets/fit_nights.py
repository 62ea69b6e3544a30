"""Fit nights: whether the models are fitted for a day or carried over from an earlier one.

Tables of models and of the back-test are made anew on a fit night; on other nights they hold the rows of the last fit,
so that who reads a day's tables finds whole ones. The rule stands in `models.refit`. Fitting stands in
`pipelines.assets.fitted_models`.
"""

import hashlib
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl

from data_contracts import table as promise
from models.refit import LastFit, Shape, why_refit
from models.summary import customer_summary
from pipelines.assets.given import Given
from pipelines.assets.program import code_version
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.own_models.model_files import identity
from pipelines.shop import Shop

REQUESTED = "requested"


def steps(_: Shop) -> list[Step]:
    """One step: whether models are fitted for the day."""
    return [
        Step(
            table="model_fits",
            stage=Stage.PREDICTIONS,
            keeps=Keeps.OTHER_DAYS,
            reads=("purchases", "readiness"),
            make=_model_fits,
            settings=("predictions", "models"),
            identity=lambda given: _requested(given) + identity(given.shop),
        ),
    ]


def is_ready(given: Given) -> bool:
    """Whether the shop has enough history for predictions."""
    return bool(given.table("readiness").select(pl.col("is_ready").all()).collect().item())


def empty(name: str) -> pl.LazyFrame:
    """No rows of a table."""
    return promise(name).empty().lazy()


def dated(frame: pl.DataFrame, given: Given) -> pl.LazyFrame:
    """Rows of the run's day."""
    return frame.lazy().with_columns(pl.lit(given.as_of).alias("as_of"))


def rows_of(rows: list[dict[str, object]], name: str, given: Given) -> pl.LazyFrame:
    """Rows of the run's day in the shape of a table; what a row does not tell is null."""
    schema = {column: dtype for column, dtype in promise(name).schema.items() if column != "as_of"}
    return dated(pl.DataFrame(rows, schema=schema), given) if rows else empty(name)


def _model_fits(given: Given) -> pl.LazyFrame:
    """Decide, and note what was decided."""
    if not is_ready(given):
        return empty("model_fits")
    summary = customer_summary(given.table("purchases"), given.as_of).sort("customer_key").collect()
    program = _program(given)
    earlier = _newest_fit(given)
    last = (
        LastFit(earlier["fitted_as_of"], earlier["program"], Shape.from_json(earlier["shape"]))
        if earlier
        else None
    )
    is_requested = _requested(given) == REQUESTED
    reason = why_refit(given.as_of, last, summary, program=program, is_requested=is_requested)
    if reason is None and earlier is not None:
        row = earlier | {"reason": f"not fitted: the models of {earlier['fitted_as_of']} score this day"}
    else:
        row = {
            "fitted_as_of": given.as_of,
            "reason": reason,
            "customers": summary.height,
            "program": program,
            "data_fingerprint": given.fingerprint("purchases"),
            "shape": Shape.of(summary).to_json(),
        }
    return dated(pl.DataFrame([row], schema_overrides=dict(promise("model_fits").schema)), given)


def _requested(given: Given) -> str:
    """Say whether a fit was asked for: by this run, or by an earlier one for the same day."""
    if given.moment.refit:
        return REQUESTED
    own = given.lake.scan("model_fits", as_of=given.as_of).select("reason").collect()["reason"].to_list()
    return REQUESTED if own == [REQUESTED] else ""


def fitted_as_of(given: Given) -> date | None:
    """The last day that the models of this day know; None where there are none."""
    found = given.table("model_fits").select("fitted_as_of").collect()["fitted_as_of"].to_list()
    return found[0] if found else None


def on_fit_nights(
    name: str, make: Callable[[Given], pl.LazyFrame], *, is_carried: bool = True
) -> Callable[[Given], pl.LazyFrame]:
    """Make a table's rows on fit nights, and carry them over on others.

    Parameters
    ----------
    name
        The table.
    is_carried
        False for tables too large to be kept once a night; they are empty on other nights.
    """

    def made(given: Given) -> pl.LazyFrame:
        day = fitted_as_of(given)
        if day is None:
            return empty(name)
        if day == given.as_of:
            return make(given)
        if not is_carried:
            return empty(name)
        return dated(given.lake.scan(name, as_of=day).collect(), given)

    return made


def _newest_fit(given: Given) -> dict[str, Any] | None:
    """The newest fit of an earlier day, as far as its models are still there."""
    fits = (
        given.lake.scan("model_fits")
        .filter((pl.col("as_of") == pl.col("fitted_as_of")) & (pl.col("as_of") < given.as_of))
        .sort("as_of")
        .collect()
    )
    if fits.is_empty():
        return None
    newest = fits.drop("as_of").row(-1, named=True)
    models = given.lake.scan("champions", as_of=newest["fitted_as_of"]).head(1).collect()
    return None if models.is_empty() else newest


def _program(given: Given) -> str:
    """Checksum what makes models beside their data: code, settings, contract, the shop's own models."""
    settings = given.shop.settings_hash("predictions", "models")
    parts = [code_version(), settings, promise("purchases").version, identity(given.shop)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
