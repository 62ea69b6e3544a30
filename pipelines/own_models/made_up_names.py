"""Made-up names: a model does not know whose facts it sees, and what it says comes back under the customers' own names.

So nobody can be looked up in what a model may have found elsewhere. A name is a hash of the true one, the same in all
tables and, with the same seed, in all runs.

What does not belong here: how the model is asked (`pipelines.own_models.hidden_model`).
"""

from typing import Final

import polars as pl

from models.candidates import PREDICTION_COLUMNS
from models.errors import ModelError

__all__ = ["OwnModelError", "of_everybody", "under_made_up_names"]

_NAMES: Final = ("customer_key", "order_id", "survey_id")
_PREDICTED: Final = ("predicted_value", "purchase_probability")


class OwnModelError(ModelError):
    """A model of the shop's own failed; the message has its name, and file, line and error where there are any."""


def under_made_up_names(table: pl.LazyFrame, seed: int) -> pl.LazyFrame:
    """Give every customer, order and survey of a table a made-up name."""
    present = [name for name in _NAMES if name in table.collect_schema()]
    return table.with_columns(
        pl.when(pl.col(name).is_not_null()).then(_made_up(name, seed)).alias(name) for name in present
    )


def _made_up(name: str, seed: int) -> pl.Expr:
    return pl.col(name).cast(pl.String).hash(seed).cast(pl.String)


def of_everybody(predicted: pl.DataFrame, model: str, purchases: pl.LazyFrame, seed: int) -> pl.DataFrame:
    """Put predictions beside the customers' own names.

    Parameters
    ----------
    predicted
        What the model gave, under made-up names.
    model
        Its name.
    purchases
        One row per customer and order day, under their own names.

    Returns
    -------
    pl.DataFrame
        One row per customer, sorted by customer_key: `models.candidates.PREDICTION_COLUMNS`. What the model does not
        predict is null.

    Raises
    ------
    OwnModelError
        Somebody is missing, named twice or unknown, or a number is none.
    """
    fault = f"Model {model}: predict"
    if "customer_key" not in predicted.columns or not set(_PREDICTED) & set(predicted.columns):
        raise OwnModelError(
            f"{fault} must give customer_key and at least one of {', '.join(_PREDICTED)}; it gave "
            f"{', '.join(predicted.columns)}."
        )
    try:
        numbers = predicted.select(
            pl.col("customer_key").cast(pl.String),
            *(
                pl.col(name).cast(pl.Float64)
                if name in predicted.columns
                else pl.lit(None, pl.Float64).alias(name)
                for name in _PREDICTED
            ),
        )
    except pl.exceptions.PolarsError as error:
        raise OwnModelError(
            f"{fault} gave something else than numbers: {str(error).splitlines()[0]}."
        ) from error
    customers = purchases.select("customer_key").unique().collect().sort("customer_key")
    people = customers.with_columns(made_up=_made_up("customer_key", seed))
    told = numbers.rename({"customer_key": "made_up"})
    strangers = told.join(people, on="made_up", how="anti").height
    if strangers or told["made_up"].n_unique() != told.height or told.height != people.height:
        raise OwnModelError(
            f"{fault} gave {told.height:,} rows for {people.height:,} customers, {strangers:,} of them for nobody "
            "known; it must give one row for each customer in `known.purchases`."
        )
    for name in _PREDICTED:
        _check_numbers(numbers[name], name, fault)
    joined = people.join(told, on="made_up", how="left", maintain_order="left")
    return joined.with_columns(model=pl.lit(model)).select(PREDICTION_COLUMNS)


def _check_numbers(values: pl.Series, name: str, fault: str) -> None:
    missing = values.null_count()
    if missing and missing < values.len():
        raise OwnModelError(f"{fault} gave no {name} for {missing:,} of {values.len():,} customers.")
    known = values.drop_nulls()
    if bad := known.len() - int(known.is_finite().sum()):
        raise OwnModelError(f"{fault} gave a {name} that is not finite for {bad:,} customers.")
    if name == "purchase_probability" and (outside := int((~known.is_between(0, 1)).sum())):
        raise OwnModelError(f"{fault} gave a {name} outside 0 to 1 for {outside:,} customers.")
