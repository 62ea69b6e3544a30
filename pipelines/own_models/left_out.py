"""Which models of a back-test took no part, in words: for a notebook's warning and for the summary of a run.

Why a model is out is decided in `models.foretold` and behind the curtain (`pipelines.own_models.hidden_model`).
"""

from dataclasses import dataclass

import polars as pl

__all__ = ["LeftOut", "left_out"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A model that was not measured at some origin or at any.

    Attributes
    ----------
    model
        Its name.
    origins, of
        At how many origins it took no part, of how many.
    notes
        Why, at the newest of these.
    """

    model: str
    origins: int
    of: int
    notes: str

    def says(self, most_letters: int | None = None) -> str:
        """All of it in one line, with so many letters of the reason at most."""
        where = "" if self.origins == self.of else f" at {self.origins} of {self.of} origins"
        is_cut = most_letters is not None and len(self.notes) > most_letters
        why = f"{self.notes[:most_letters].rstrip()} ..." if is_cut else self.notes
        return f"Model {self.model} took no part{where}: {' '.join(why.split())}"


def left_out(candidates: pl.DataFrame) -> list[LeftOut]:
    """Tell who took no part, from rows of ``backtest_candidates`` of one day.

    Parameters
    ----------
    candidates
        One row per origin and model: cut, model, took_part, notes.
    """
    out = pl.col("took_part").not_()
    rows = (
        candidates.group_by("model", maintain_order=True)
        .agg(
            out.sum().alias("origins"),
            pl.len().alias("of"),
            pl.col("notes").filter(out).sort_by(pl.col("cut").filter(out)).last(),
        )
        .filter(pl.col("origins") > 0)
    )
    return [LeftOut(**row) for row in rows.iter_rows(named=True)]
