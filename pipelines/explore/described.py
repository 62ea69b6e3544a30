"""A table's dictionary, to be read: what one row is, and what each column means."""

from dataclasses import dataclass
from html import escape

import polars as pl

from data_contracts import table
from pipelines.explore.whole_frames import html_table, text_table


@dataclass(frozen=True, slots=True, repr=False)
class Described:
    """What the dictionary says of a table.

    Attributes
    ----------
    name, grain, meaning
        The table, what one row of it is, what it is for.
    frame
        One row per column, in stored order: column, type, meaning, unit, privacy.
    """

    name: str
    grain: str
    meaning: str
    frame: pl.DataFrame

    def __repr__(self) -> str:
        return f"{self.name}: {self._says()}\n{text_table(self.frame)}"

    def _repr_html_(self) -> str:
        return f"<p><b>{escape(self.name)}</b>: {escape(self._says())}</p>{html_table(self.frame)}"

    def _says(self) -> str:
        return f"one row per {self.grain}. {self.meaning}"


def described(name: str) -> Described:
    """Look a table up in the dictionary.

    Raises
    ------
    ContractError
        There is no such table; the message suggests others.
    """
    promised = table(name)
    columns = promised.columns
    frame = pl.DataFrame(
        {
            "column": [column.name for column in columns],
            "type": [column.kind for column in columns],
            "meaning": [column.meaning for column in columns],
            "unit": [column.unit for column in columns],
            "privacy": [column.privacy.value for column in columns],
        }
    )
    return Described(promised.name, promised.grain, promised.meaning, frame)
