"""Back-test: put the shop back in time, predict, and compare with what then happened.

Every prediction is of days that its model had not seen (`models.foretold`). Measures are taken in `models.measure`;
which model wins is decided in `models.champion`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from models.calibration import calibration_by_decile
from models.candidates import Candidate
from models.champion import QUANTITIES, choose_champion
from models.foretold import MOST_CUSTOMERS, Predicted, default_candidates, predict_candidates
from models.measure import Measured, compared, measure
from models.origins import MOST_ORIGINS

__all__ = [
    "MOST_CUSTOMERS",
    "BacktestResult",
    "Measured",
    "Predicted",
    "backtest",
    "compared",
    "default_candidates",
    "measure",
    "predict_candidates",
]


@dataclass(frozen=True, kw_only=True, repr=False)
class BacktestResult:
    """How each candidate did.

    Attributes
    ----------
    as_of, cut, horizon_days
        The newest split: fitted on days up to `cut`, measured on (cut, as_of].
    metrics, origins, comparisons
        See `models.measure.Measured`.
    calibration
        By decile of prediction (`models.calibration`) over the origins compared, with as_of, cut, horizon_days.
    predictions, candidates
        See `models.foretold.Predicted`.
    """

    as_of: date
    cut: date
    horizon_days: int
    metrics: pl.DataFrame
    origins: pl.DataFrame
    comparisons: pl.DataFrame
    calibration: pl.DataFrame
    predictions: pl.DataFrame
    candidates: pl.DataFrame

    def __repr__(self) -> str:
        origins = self.candidates["cut"].n_unique()
        out = self.candidates.filter(~pl.col("took_part"))["model"].unique(maintain_order=True)
        won = [f"{model} for {quantity}" for quantity, model, *_ in self.champions.iter_rows()]
        return (
            f"BacktestResult(as of {self.as_of}; {self.horizon_days} days foretold at {origins} "
            f"origin{'' if origins == 1 else 's'}, the newest {self.cut}; "
            f"champions: {', '.join(won) or 'none'}; took no part: {', '.join(out) or 'none'})"
        )

    @property
    def champions(self) -> pl.DataFrame:
        """One row per quantity that has a champion: quantity, model, is_baseline, reason (`models.champion`)."""
        rows: list[tuple[str, str, bool, str]] = []
        for quantity in QUANTITIES:
            try:
                won = choose_champion(self.metrics, quantity, self.comparisons)
            except ValueError:
                continue
            rows.append((quantity, won.name, won.is_baseline, won.reason))
        schema = {"quantity": pl.String, "model": pl.String, "is_baseline": pl.Boolean, "reason": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")


def backtest(
    orders: pl.LazyFrame,
    returns: pl.LazyFrame,
    *,
    as_of: date,
    seed: int,
    horizon_days: int | None = None,
    candidates: Sequence[Candidate] | None = None,
    tables: Mapping[str, pl.LazyFrame] | None = None,
    most_origins: int = MOST_ORIGINS,
    draws: int = 200,
) -> BacktestResult:
    """Fit every candidate at each origin and measure it on the horizon after it.

    Parameters
    ----------
    orders, returns
        Facts tables; rows after `as_of` change nothing.
    as_of
        Last day included.
    seed
        Of the sample and of the bootstrap intervals.
    horizon_days
        Length of the horizon; default: `models.origins.default_horizon`.
    candidates
        What to measure, names distinct; they are fitted anew. Default: `default_candidates`.
    tables
        Further facts that features are made of, by the names of `models.features.features`.
    most_origins
        How often the shop is put back at most.
    draws
        Resamples for the intervals.

    Returns
    -------
    BacktestResult

    Raises
    ------
    ValueError
        If there are no orders, the horizon leaves no history or is not positive, names repeat, or a candidate
        leaves a customer without prediction.
    """
    predicted = predict_candidates(
        orders,
        returns,
        as_of=as_of,
        seed=seed,
        horizon_days=horizon_days,
        candidates=candidates,
        tables=tables,
        most_origins=most_origins,
    )
    measured = measure(predicted.predictions, seed=seed, draws=draws)
    cut, tested_days = predicted.candidates.sort("cut").select("cut", "horizon_days").row(-1)
    return BacktestResult(
        as_of=as_of,
        cut=cut,
        horizon_days=tested_days,
        metrics=measured.metrics,
        origins=measured.origins,
        comparisons=measured.comparisons,
        calibration=calibration_by_decile(compared(predicted.predictions).lazy())
        .collect()
        .select(
            pl.lit(as_of).alias("as_of"),
            pl.lit(cut).alias("cut"),
            pl.lit(tested_days, pl.Int32).alias("horizon_days"),
            pl.all(),
        ),
        predictions=predicted.predictions,
        candidates=predicted.candidates,
    )
