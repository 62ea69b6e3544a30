"""From a frame of features to the numbers that trees take, in a fixed order of columns.

Categories become codes that are learnt with the model and kept in it; what is missing, or was not seen in training,
is NaN, which trees send down a branch of its own.

What does not belong here: what the features mean (`models.features`), calls of scikit-learn (`models._boosting`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import polars as pl

from models._time_split import Split
from models.training_rows import LABELS

__all__ = ["FeatureColumns", "features_to_learn_from"]

MOST_CATEGORIES: Final = 254
"""Trees sort values into at most 255 bins; rarer categories count as missing."""
_DATE_OF_CUT: Final = "as_of_"


@dataclass(frozen=True, slots=True)
class FeatureColumns:
    """Names and categories of the features that a model was fitted on.

    Attributes
    ----------
    names
        Columns in the order of the matrix.
    categories
        Of each column of text, its categories; their places are the codes.
    """

    names: tuple[str, ...]
    categories: dict[str, tuple[str, ...]]

    @classmethod
    def learn(cls, rows: pl.DataFrame, *, leave_out: Collection[str]) -> Self:
        """Take all columns but some, and the categories of those of text, most frequent first."""
        schema = {name: kind for name, kind in rows.schema.items() if name not in leave_out}
        if wrong := [name for name, kind in schema.items() if not _is_usable(kind)]:
            raise ValueError(f"Features must be numbers, flags or text; these are not: {', '.join(wrong)}.")
        texts = [name for name, kind in schema.items() if kind == pl.String]
        return cls(tuple(schema), {name: _categories(rows[name]) for name in texts})

    def content(self) -> dict[str, object]:
        """What is stored of it, for JSON."""
        return {"names": self.names, "categories": self.categories}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Self:
        """Read what `content` gave."""
        categories = {name: tuple(values) for name, values in content["categories"].items()}
        return cls(tuple(content["names"]), categories)

    @property
    def categorical(self) -> list[int]:
        """Places of the columns of categories."""
        return [place for place, name in enumerate(self.names) if name in self.categories]

    def never_known(self, rows: pl.DataFrame) -> tuple[str, ...]:
        """Features that are missing in every row: there is nothing to sort into bins."""
        if not rows.height:
            return ()
        unknown: list[bool] = np.isnan(self.matrix(rows)).min(axis=0).tolist()
        return tuple(name for name, is_unknown in zip(self.names, unknown, strict=True) if is_unknown)

    def matrix(self, rows: pl.DataFrame) -> npt.NDArray[np.float64]:
        """One row of numbers per row, in row order; NaN where unknown.

        Raises
        ------
        ValueError
            A feature that the model was fitted on is missing, as when a table is.
        """
        if missing := [name for name in self.names if name not in rows.columns]:
            raise ValueError(
                f"The model was fitted with features that are missing here: {', '.join(missing)}. "
                "Give the same tables as in training, or fit again without them."
            )
        return rows.select(self._numbers(name) for name in self.names).to_numpy().astype(np.float64)

    def _numbers(self, name: str) -> pl.Expr:
        if name not in self.categories:
            return pl.col(name).cast(pl.Float64)
        codes = {category: float(code) for code, category in enumerate(self.categories[name])}
        return (
            pl.col(name)
            .cast(pl.String)
            .replace_strict(list(codes), list(codes.values()), default=None, return_dtype=pl.Float64)
            if codes
            else pl.lit(None, pl.Float64).alias(name)
        )


def features_to_learn_from(split: Split) -> tuple[FeatureColumns, tuple[str, ...]]:
    """Features of the rows fitted on, and those left out: see `models.churn.ChurnClassifier.left_out_`."""
    dated = (
        () if split.spans_a_year else tuple(n for n in split.fitting.columns if n.startswith(_DATE_OF_CUT))
    )
    columns = FeatureColumns.learn(split.fitting, leave_out=(*LABELS, *dated))
    unknown = columns.never_known(split.early)
    if not unknown:
        return columns, dated
    left_out = (*dated, *unknown)
    return FeatureColumns.learn(split.fitting, leave_out=(*LABELS, *left_out)), left_out


def _is_usable(kind: pl.DataType) -> bool:
    return kind.is_numeric() or kind == pl.Boolean or kind == pl.String


def _categories(values: pl.Series) -> tuple[str, ...]:
    counts = values.drop_nulls().value_counts(name="n").sort("n", values.name, descending=[True, False])
    return tuple(counts[values.name].head(MOST_CATEGORIES).to_list())
