"""Log-likelihood of the Gamma-Gamma model with its analytic gradient, and the spends it takes.

Fader & Hardie (2013), note 025, eq. 1a, for x repeat order days with mean spend m:

    L = G(p x + q) / (G(p x) G(q)) * v^q x^(p x) m^(p x - 1) / (v + x m)^(p x + q)

Gamma functions depend on x alone: they are taken once per distinct x.

Does not belong here: the optimiser, guards, predictions.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import digamma, gammaln

from models._maximum_likelihood import LogLikelihood
from models.errors import InvalidSummaryError

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Spends:
    """Returning customers: repeat order days, positive mean spend, number of customers per row."""

    frequency: FloatArray
    mean_spend: FloatArray
    weight: FloatArray


def read_spends(
    summary: pl.DataFrame | pl.LazyFrame, weights: npt.ArrayLike | pl.Series | None
) -> tuple[Spends, dict[str, float]]:
    """Take the rows the model can use, and count the customers it leaves out by reason.

    Raises
    ------
    InvalidSummaryError
        Missing columns, frequencies that are no counts, or weights that are no weights.
    """
    missing = {"frequency", "monetary_value"} - set(summary.collect_schema().names())
    if missing:
        raise InvalidSummaryError(
            f"The summary lacks the column(s) {', '.join(sorted(missing))}. "
            "Build it with models.summary.customer_summary(purchases, as_of)."
        )
    frame = (
        summary.lazy()
        .select(
            x=pl.col("frequency").cast(pl.Float64),
            spend=pl.col("monetary_value").cast(pl.Float64),
        )
        .collect()
    )
    weight = np.ones(frame.height) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (frame.height,) or not bool(np.all(np.isfinite(weight) & (weight >= 0))):
        raise InvalidSummaryError(
            f"weights must be one finite number >= 0 for each of the {frame.height:,} rows of the summary."
        )
    x = frame["x"]
    bad = int(
        (~x.is_finite().fill_null(False) | (x < 0).fill_null(False) | (x != x.round()).fill_null(False)).sum()
    )
    if bad:
        raise InvalidSummaryError(
            f"frequency is missing, negative or not a whole number in {bad:,} of {frame.height:,} rows. "
            "Correct or drop them; models.summary.customer_summary never makes such rows."
        )
    reason = frame.select(
        pl.when(pl.col("x") == 0)
        .then(pl.lit("one_time"))
        .when(~pl.col("spend").is_finite().fill_null(False))
        .then(pl.lit("missing"))
        .when(pl.col("spend") <= 0)
        .then(pl.lit("zero_or_negative"))
        .otherwise(pl.lit("used"))
        .alias("reason")
    )["reason"]
    excluded = {
        name: float(weight[(reason == name).to_numpy()].sum())
        for name in ("one_time", "zero_or_negative", "missing")
    }
    used = (reason == "used").to_numpy() & (weight > 0)
    return Spends(x.to_numpy()[used], frame["spend"].to_numpy()[used], weight[used]), excluded


def gamma_gamma_log_likelihood(spends: Spends) -> LogLikelihood:
    """Build the log-likelihood by (log p, log q, log v), v in the unit of the spends."""
    x, weight = spends.frequency, spends.weight
    total_spend = x * spends.mean_spend
    counts, row = np.unique(x, return_inverse=True)
    customers = np.bincount(row, weights=weight)
    total = float(weight.sum())
    log_total_spend = np.log(total_spend)
    # sums rather than dot products: those use threads, and then differ in their last bits between machines
    weighted_log_spend = float(np.sum(weight * x * log_total_spend))
    constant = -float(np.sum(weight * np.log(spends.mean_spend)))

    def evaluate(theta: FloatArray) -> tuple[float, FloatArray]:
        p, q, v = (float(value) for value in np.exp(theta))
        shape, posterior = p * counts, p * counts + q
        weighted_log_rate = weight * np.log(v + total_spend)
        posterior_of_row = posterior[row]
        value = (
            float(customers @ (gammaln(posterior) - gammaln(shape)))
            + total * (q * np.log(v) - float(gammaln(q)))
            + p * weighted_log_spend
            + constant
            - float(np.sum(posterior_of_row * weighted_log_rate))
        )
        gradient = np.array(
            [
                (customers * counts) @ (digamma(posterior) - digamma(shape))
                + weighted_log_spend
                - np.sum(x * weighted_log_rate),
                customers @ digamma(posterior) + total * (np.log(v) - digamma(q)) - np.sum(weighted_log_rate),
                total * q / v - np.sum(weight * posterior_of_row / (v + total_spend)),
            ]
        )
        return value, gradient * np.exp(theta)

    return evaluate
