"""Steadiness: whether a model says the same twice of the same facts. One that does not cannot be tested or rebuilt.

The second time the rows come in the other order, which tells nobody anything. Asked of at most 20,000 customers.
"""

from typing import Final

import polars as pl

from models.errors import DisqualifiedError
from models.known import Known, sample_of
from pipelines.own_models.hidden_model import ask
from pipelines.own_models.model_files import ModelFile

__all__ = ["MOST_CUSTOMERS", "check_steadiness", "differing"]

MOST_CUSTOMERS: Final = 20_000
_RELATIVE: Final = 1e-4
"""Differences that adding up in another order may make, after an optimiser has stopped a little elsewhere (ours)."""
_PREDICTED: Final = ("predicted_value", "purchase_probability")


def check_steadiness(
    model: ModelFile, known: Known, horizon_days: int, first: pl.DataFrame | None, *, seed: int
) -> None:
    """Ask a model again.

    Parameters
    ----------
    first
        What it said of everybody, if that is known.

    Raises
    ------
    DisqualifiedError
        It says something else.
    OwnModelError
        It fails.
    """
    few = _few(known, seed)
    if few is not known or first is None:
        first = ask(model, few, horizon_days, seed=seed).predictions
    again = ask(model, few, horizon_days, seed=seed, is_turned=True).predictions
    for name in _PREDICTED:
        differ = differing(first[name], again[name])
        if differ:
            raise DisqualifiedError(
                f"Model {model.name} is out: fitted twice on the same facts, it gives another {name} for {differ:,} of "
                f"{first.height:,} customers. Sort by customer_key before fitting, since rows come in any order, and "
                "give every random generator a seed."
            )


def _few(known: Known, seed: int) -> Known:
    customers = known.purchases.select(pl.col("customer_key").n_unique()).collect().item()
    if customers <= MOST_CUSTOMERS:
        return known
    if known.tables is None:
        keys = known.purchases.select("customer_key").unique()
        chosen = keys.bottom_k(MOST_CUSTOMERS, by=pl.col("customer_key").hash(seed))
        return Known(known.as_of, known.purchases.join(chosen, on="customer_key", how="semi"), None)
    tables = sample_of(known.tables, known.as_of, seed=seed, max_customers=MOST_CUSTOMERS)
    chosen = tables["orders"].select("customer_key").unique()
    return Known(known.as_of, known.purchases.join(chosen, on="customer_key", how="semi"), tables)


def differing(first: pl.Series, again: pl.Series) -> int:
    """Count predictions that differ by more than rounding, or that are there only once."""
    scale = first.abs().sum() / max(first.len(), 1)
    is_other = ((first - again).abs() > _RELATIVE * (first.abs() + scale)).fill_null(False)
    return int((is_other | (first.is_null() != again.is_null())).sum())
