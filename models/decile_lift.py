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

from models.bootstrap import Floats, Resampled, resample

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
        Of one back-test, one row per origin, customer and model, in any order, the same origins and customers for
        each model (`models.measure.compared`): cut, customer_key, model, predicted_value, purchase_probability
        (either null throughout for a model that does not predict it), actual_value, has_bought. Origins are
        taken together, as in the headline metrics.
    seed, draws
        Of the bootstrap intervals (`models.bootstrap`); a customer stays whole, with all their origins.

    Returns
    -------
    DataFrame
        One row per quantity ("value": net revenue; "probability": buyers), model and decile (10 = highest
        predictions), sorted: n (all customers, each once an origin); share (of all that happened, held by
        this tenth), with share_low, share_high; cumulative_share (held by this and all higher tenths), with
        cumulative_low, cumulative_high; best_share (what this tenth would hold if the order were perfect);
        lift (share over the tenth that chance would give), with lift_low, lift_high. Intervals: 95 %. All
        null where nothing happened.

    Raises
    ------
    ValueError
        If models differ in their origins or customers.
    """
    rng = np.random.default_rng(seed)
    tables = [pl.DataFrame(schema=_COLUMNS)]
    people, rankings_of = _rankings(predictions)
    n = len(people)
    for quantity, rankings in rankings_of.items():
        if rankings:
            measured = resample(rankings, n, rng, people=people, draws=draws)
            tables += [_table(quantity, model, measured, rankings[model], n) for model in rankings]
    return pl.concat(tables).fill_nan(None)


def _rankings(
    predictions: pl.DataFrame,
) -> tuple[npt.NDArray[np.int64], dict[str, dict[str, _Ranking]]]:
    """Whose row each is, and rankings by quantity and model, all in one order of origins and customers."""
    result: dict[str, dict[str, _Ranking]] = {"probability": {}, "value": {}}
    ordered = predictions.sort("model", "cut", "customer_key")
    customers: pl.DataFrame | None = None
    for (name,), rows in ordered.group_by("model", maintain_order=True):
        own = rows.select("cut", "customer_key")
        customers = own if customers is None else customers
        if not own.equals(customers):
            raise ValueError(f"{name} has predictions for other customers than the models before it.")
        if rows["predicted_value"].count():
            result["value"][str(name)] = _Ranking(
                rows["predicted_value"].to_numpy(), rows["actual_value"].to_numpy()
            )
        if rows["purchase_probability"].count():
            result["probability"][str(name)] = _Ranking(
                rows["purchase_probability"].to_numpy(), rows["has_bought"].cast(pl.Float64).to_numpy()
            )
    if customers is None:
        return np.zeros(0, np.int64), result
    # Numbers of people in the order of their keys: the order of rows must not move the resamples.
    return customers["customer_key"].rank("dense").cast(pl.Int64).to_numpy() - 1, result


class _Ranking:
    """Customers ordered by prediction, and what each of them turned out to hold."""

    names: tuple[str, ...] = tuple(
        f"{what}_{decile}" for what in ("share", "cumulative") for decile in range(1, TENTHS + 1)
    )

    def __init__(self, predicted: Floats, actual: Floats) -> None:
        self.predicted, self.actual = predicted, actual
        self._order = np.argsort(-predicted, kind="stable")
        ranked = predicted[self._order]
        # where a group of equal predictions ends
        self._ends = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))

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
        people = self._added_up(weights)
        amount = self._added_up(weights * self.actual)
        if not amount[-1]:
            return np.full(TENTHS, np.nan)
        tenths: Floats = np.linspace(1 / TENTHS, 1.0, TENTHS) * people[-1]
        caught: Floats = np.interp(tenths, people, amount)
        return caught / amount[-1]

    def _added_up(self, amounts: Floats) -> Floats:
        """Amounts cumulated from the highest predictions, from 0, to the end of each group of equal ones."""
        return np.concatenate((np.zeros(1), amounts[self._order].cumsum()[self._ends]))


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
