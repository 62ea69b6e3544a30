"""Formulas over many rows: in slices of bounded memory on all processors, equal questions asked once.

NumPy and SciPy let go of the interpreter while they compute, so threads are enough. Each row's answer depends on
that row alone: neither the slices nor the number of threads change it.

Belongs here: how rows are shared out. Does not belong here: any formula (`_process` and its kinds).
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import numpy as np
import numpy.typing as npt

from models.purchases._process import FloatArray

_ROWS_AT_ONCE: Final = 200_000
# a table of that many cells a row costs less than sorting
_CELLS_A_ROW: Final = 8


def in_slices(rows: int, answer: Callable[[slice], FloatArray]) -> FloatArray:
    """Put together the answers for all slices of `rows` rows, each on some thread."""
    slices = [slice(first, first + _ROWS_AT_ONCE) for first in range(0, rows, _ROWS_AT_ONCE)]
    result = np.empty(rows)

    def fill(part: slice) -> None:
        result[part] = answer(part)

    if len(slices) < 2:
        for part in slices:
            fill(part)
    else:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            list(pool.map(fill, slices))
    return result


def once_a_pair(
    frequency: FloatArray, T: FloatArray, formula: Callable[[FloatArray, FloatArray], FloatArray]
) -> FloatArray:
    """Apply a formula of (frequency, T), computing it once for each distinct pair.

    A million customers at daily grain have some ten thousand of them: tables are cheaper than 2F1.
    """
    counts, count_of = _distinct(frequency)
    ages, age_of = _distinct(T)
    pairs, pair_of = _distinct((count_of * len(ages) + age_of).astype(np.float64))
    if 2 * len(pairs) > len(frequency):
        return formula(frequency, T)
    which = pairs.astype(np.intp)
    return formula(counts[which // len(ages)], ages[which % len(ages)])[pair_of]


def _distinct(values: FloatArray) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Give the distinct values, in order, and which of them each row has."""
    cells = _CELLS_A_ROW * len(values)
    if len(values) and 0 <= float(values.min()) <= float(values.max()) < cells:
        cell = values.astype(np.intp)
        if np.array_equal(cell, values):
            seen = np.zeros(int(cell.max()) + 1, dtype=np.bool_)
            seen[cell] = True
            return np.flatnonzero(seen).astype(np.float64), (np.cumsum(seen) - 1)[cell]
    distinct, which = np.unique(values, return_inverse=True)
    return distinct, which.astype(np.intp)
