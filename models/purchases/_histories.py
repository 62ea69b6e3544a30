"""From a customer summary to distinct weighted histories: what every purchase model is fitted on.

The likelihood depends on (frequency, recency, T) only, so equal histories are counted once: a million
customers at daily grain have some 400,000 distinct ones, and the estimates are the same to twelve digits.

Belongs here: reading, checking and condensing the three columns. Does not belong here: building the summary
from purchases (`models.summary`), any formula of a model.
"""

import warnings
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from models.errors import InvalidSummaryError, UnitWarning
from models.purchases._slices import in_slices

# up to there floats hold every whole number
_LARGEST_PACKED: Final = 2.0**53
_ROWS_A_LOOK: Final = 100_000

FloatArray = npt.NDArray[np.float64]
Summary = pl.DataFrame | pl.LazyFrame

COLUMNS: Final = ("frequency", "recency", "T")
TimeUnit = Literal["days", "weeks", "months", "years"]
DAYS_PER_UNIT: Final = {"days": 1.0, "weeks": 7.0, "months": 365 / 12, "years": 365.0}


@dataclass(frozen=True, slots=True)
class Histories:
    """Purchase histories, one row per distinct (frequency, recency, T), `weight` customers each."""

    frequency: FloatArray
    recency: FloatArray
    T: FloatArray
    weight: FloatArray

    @property
    def customers(self) -> float:
        """Number of customers behind the rows."""
        return float(self.weight.sum())

    @property
    def repeaters(self) -> float:
        """Number of customers with at least one repeat purchase."""
        return float(self.weight[self.frequency > 0].sum())

    @property
    def mean_age(self) -> float:
        """Weighted mean of T: the model's own unit of time while it is fitted."""
        return float(np.average(self.T, weights=self.weight))

    def every(self, step: int) -> "Histories":
        """Keep each step-th row: in their order a fair sample, good for a first look."""
        return Histories(*(column[::step] for column in (self.frequency, self.recency, self.T, self.weight)))

    def in_units_of(self, scale: float) -> "Histories":
        """Divide all times by `scale`."""
        return Histories(self.frequency, self.recency / scale, self.T / scale, self.weight)


def read_histories(summary: Summary) -> pl.DataFrame:
    """Take frequency, recency and T as Float64, one row per customer in the given order, and check them.

    Raises
    ------
    InvalidSummaryError
        With every rule that is broken, and by how many rows.
    """
    present = summary.collect_schema().names()
    missing = [name for name in COLUMNS if name not in present]
    if missing:
        raise InvalidSummaryError(
            f"The summary lacks the column(s) {', '.join(missing)}. "
            "Build it with models.summary.customer_summary(purchases, as_of)."
        )
    frame = summary.lazy().select(pl.col(name).cast(pl.Float64) for name in COLUMNS).collect()
    broken = _broken_rules(frame)
    if broken:
        raise InvalidSummaryError(
            "These rows cannot be purchase histories: "
            + "; ".join(f"{rule}: {count:,} of {frame.height:,}" for rule, count in broken.items())
            + ". Correct or drop them; models.summary.customer_summary never makes such rows."
        )
    return frame


def _broken_rules(frame: pl.DataFrame) -> dict[str, int]:
    frequency, recency, age = (pl.col(name) for name in COLUMNS)
    # a day boundary may cost a rounding error when days are divided into weeks
    slack = 1e-9 * age.abs()
    rules = {
        **{
            f"{name} is missing or not finite": ~pl.col(name).is_finite().fill_null(False) for name in COLUMNS
        },
        **{f"{name} is negative": pl.col(name) < 0 for name in COLUMNS},
        "frequency is not a whole number": frequency.is_finite() & (frequency != frequency.round()),
        "recency is after T": recency.is_finite() & age.is_finite() & (recency > age + slack),
        "recency without a repeat purchase": (frequency == 0) & (recency > 0),
    }
    counts = frame.select(
        rule.fill_null(False).sum().alias(name)  # a null is counted once, by the first rule
        for name, rule in rules.items()
    ).row(0, named=True)
    return {name: int(count) for name, count in counts.items() if count}


def warn_on_impossible_unit(frame: pl.DataFrame, time_unit: str, stacklevel: int) -> None:
    """Warn where somebody has more repeat order days than days: T is then hardly in days."""
    if time_unit != "days":
        return
    impossible = int((frame["frequency"] > frame["T"] + 1).sum())
    if impossible:
        warnings.warn(
            f"{impossible:,} of {frame.height:,} customers have more repeat order days than days since their "
            "first order, which is impossible in days. If recency and T are in weeks, say time_unit='weeks'; "
            "if frequency counts orders, collapse them by day first.",
            UnitWarning,
            stacklevel=stacklevel,
        )


def distinct_histories(frame: pl.DataFrame, weights: npt.ArrayLike | pl.Series | None) -> Histories:
    """Condense customers (Float64 columns of `read_histories`) to distinct histories with their number.

    Customers with T = 0 or weight 0 carry no information and are left out.

    Raises
    ------
    InvalidSummaryError
        Weights that are not one finite, non-negative number per row.
    """
    columns = [frame[name].to_numpy() for name in COLUMNS]
    whole = _whole_histories(columns[0], columns[1], columns[2]) if weights is None else None
    if whole is not None:
        return whole
    weight = np.ones(frame.height) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != (frame.height,) or not bool(np.all(np.isfinite(weight) & (weight >= 0))):
        raise InvalidSummaryError(
            f"weights must be one finite number >= 0 for each of the {frame.height:,} rows of the summary."
        )
    distinct = (
        frame.lazy()
        .with_columns(weight=pl.Series(weight))
        .filter((pl.col("T") > 0) & (pl.col("weight") > 0))
        .group_by(COLUMNS)
        .agg(pl.col("weight").sum())
        .sort(COLUMNS)  # a sum of floats depends on its order: the same data give the same bits
        .collect()
    )
    return Histories(*(distinct[name].to_numpy() for name in (*COLUMNS, "weight")))


def _whole_histories(x: FloatArray, t_x: FloatArray, age: FloatArray) -> Histories | None:
    """Count equal histories in whole numbers, as days are: sorting one packed integer is five times as fast.

    The order of rows is the same as that of grouping; None where the numbers are not whole or too large.
    """
    of_recency, of_age = (float(column.max(initial=0.0)) + 1 for column in (t_x, age))
    size = (float(x.max(initial=0.0)) + 1) * of_recency * of_age
    if size > _LARGEST_PACKED or not (_are_whole(t_x) and _are_whole(age)):
        return None
    # in floats, which hold these numbers exactly, and in slices, which stay in the cache
    keys = in_slices(len(x), lambda rows: (x[rows] * of_recency + t_x[rows]) * of_age + age[rows])
    packed = np.sort(keys.astype(np.uint32 if size < 2**32 else np.uint64))
    is_first = np.append(True, packed[1:] != packed[:-1])[: len(packed)]
    first = np.flatnonzero(is_first)
    weight = np.diff(np.append(first, len(packed))).astype(np.float64)
    rest, T = np.divmod(packed[first].astype(np.float64), of_age)
    frequency, recency = np.divmod(rest, of_recency)
    informative = T > 0
    return Histories(*(column[informative] for column in (frequency, recency, T, weight)))


def _are_whole(values: FloatArray) -> bool:
    """Tell whether all are whole numbers; mostly the first few say no."""
    parts = (values[first : first + _ROWS_A_LOOK] for first in range(0, len(values), _ROWS_A_LOOK))
    return all(np.array_equal(np.floor(part), part) for part in parts)


def check_horizon(horizon: npt.ArrayLike) -> FloatArray:
    """Take a horizon (unit of T) as floats.

    Raises
    ------
    ValueError
        A negative or non-finite horizon.
    """
    checked = np.asarray(horizon, dtype=np.float64)
    if not bool(np.all(np.isfinite(checked) & (checked >= 0))):
        raise ValueError("horizon must be finite and not negative, in the unit of T.")
    return checked
