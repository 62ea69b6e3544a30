"""Decile lift: how much of what happened lay in the tenths of customers that a model ranked highest.

A ranking is what a list needs: not the amount, but whom to write to first. Equal predictions cannot be told
apart, so customers who share one share what they caught, as a random order among them would on average. Then
tenths are exact, and nothing depends on the order of rows.

Whether the amounts are right is `models.calibration`; one number for the whole ranking is in `models.metrics`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from models.bootstrap import Accuracy, Floats, Resampled, resample

__all__ = ["decile_lift"]

TENTHS: Final = 10
_COLUMNS: Final = {
    "quantity": pl.String(),
    "model": pl.String(),
    "decile": pl.Int32(),
    "n": pl.Int64(),
    "share": pl.Float64(),
    "share_low": pl.Float64(),
    "share_high": pl.Float64(),
    "cumulative_share": pl.Float64(),
    "cumulative_low": pl.Float64(),
    "cumulative_high": pl.Float64(),
    "best_share": pl.Float64(),
    "lift": pl.Float64(),
    "lift_low": pl.Float64(),
    "lift_high": pl.Float64(),
}


def decile_lift(predictions: pl.DataFrame, *, seed: int, draws: int = 200) -> pl.DataFrame:
    """Say what each tenth of customers, ordered by prediction, held of all that happened.

    Parameters
    ----------
    predictions
        Of one back-test, one row per customer and model, in any order: customer_key, model, predicted_value,
        purchase_probability (either null throughout for a model that does not predict it), actual_value,
        has_bought.
    seed, draws
        Of the bootstrap intervals (`models.bootstrap`).

    Returns
    -------
    DataFrame
        One row per quantity ("value": net revenue; "probability": buyers), model and decile (10 = highest
        predictions), sorted: n (all customers); share (of all that happened, held by this tenth), with
        share_low, share_high; cumulative_share (held by this and all higher tenths), with cumulative_low,
        cumulative_high; best_share (what this tenth would hold if the order were perfect); lift (share over
        the tenth that chance would give), with lift_low, lift_high. Intervals: 95 %. All null where nothing
        happened.
    """
    n = predictions["customer_key"].n_unique()
    rng = np.random.default_rng(seed)
    tables = [pl.DataFrame(schema=_COLUMNS)]
    for quantity, rankings in _rankings(predictions).items():
        if rankings:
            measured = resample(rankings, n, rng, draws=draws)
            tables += [_table(quantity, model, measured, rankings[model], n) for model in rankings]
    return pl.concat(tables).fill_nan(None)


def _rankings(predictions: pl.DataFrame) -> dict[str, dict[str, _Ranking]]:
    """Rankings by quantity and model, in one order of customers."""
    result: dict[str, dict[str, _Ranking]] = {"probability": {}, "value": {}}
    ordered = predictions.sort("model", "customer_key")
    for (name,), rows in ordered.group_by("model", maintain_order=True):
        if rows["predicted_value"].count():
            result["value"][str(name)] = _Ranking(
                rows["predicted_value"].to_numpy(), rows["actual_value"].to_numpy()
            )
        if rows["purchase_probability"].count():
            result["probability"][str(name)] = _Ranking(
                rows["purchase_probability"].to_numpy(), rows["has_bought"].cast(pl.Float64).to_numpy()
            )
    return result


class _Ranking(Accuracy):
    """Customers ordered by prediction, and what each of them turned out to hold."""

    names: tuple[str, ...] = tuple(
        f"{what}_{decile}" for what in ("share", "cumulative") for decile in range(1, TENTHS + 1)
    )

    def __init__(self, predicted: Floats, actual: Floats) -> None:
        self.predicted, self.actual = predicted, actual
        self._group = np.unique(-predicted, return_inverse=True)[1]

    def take(self, rows: npt.NDArray[np.int64]) -> _Ranking:
        """Return the same for some customers."""
        return _Ranking(self.predicted[rows], self.actual[rows])

    def measure(self, weights: Floats | None = None) -> dict[str, float]:
        """Share of all that happened, by tenth and cumulated from the highest; NaN where nothing did."""
        caught = self._caught(np.ones(len(self.actual)) if weights is None else weights)
        shares = np.diff(caught, prepend=0.0)
        # the first tenth of customers is decile 10
        return {
            **{f"share_{TENTHS - at}": float(share) for at, share in enumerate(shares)},
            **{f"cumulative_{TENTHS - at}": float(share) for at, share in enumerate(caught)},
        }

    def perfect(self) -> _Ranking:
        """The order that only who knows the future has."""
        return _Ranking(self.actual, self.actual)

    def _caught(self, weights: Floats) -> Floats:
        """What the first tenth, two tenths ... hold; straight within equal predictions."""
        people = np.bincount(self._group, weights).cumsum()
        amount = np.bincount(self._group, weights * self.actual).cumsum()
        if not amount[-1]:
            return np.full(TENTHS, np.nan)
        tenths = np.arange(1, TENTHS + 1) / TENTHS * people[-1]
        caught: Floats = np.interp(tenths, np.concatenate([[0.0], people]), np.concatenate([[0.0], amount]))
        return caught / amount[-1]


def _table(quantity: str, model: str, measured: Resampled, ranking: _Ranking, n: int) -> pl.DataFrame:
    best = ranking.perfect().measure()
    rows: list[tuple[object, ...]] = []
    for decile in range(1, TENTHS + 1):
        share = measured.estimate(model, f"share_{decile}")
        cumulative = measured.estimate(model, f"cumulative_{decile}")
        rows.append(
            (
                quantity, model, decile, n, share.value, share.low, share.high, cumulative.value,
                cumulative.low, cumulative.high, best[f"share_{decile}"],
                share.value * TENTHS, share.low * TENTHS, share.high * TENTHS,
            )
        )  # fmt: skip
    return pl.DataFrame(rows, schema=_COLUMNS, orient="row")
