"""The free forms of `lab.plot`: any frame as lines, bars, dots or a heat map, with finding and footer.

The shapes themselves are drawn in `pipelines.explore.house_shapes`; what a table of the lake shows is drawn by
`pipelines.report.figures`.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import polars as pl

from data_contracts import table_names
from pipelines.errors import LabError
from pipelines.explore.house_data import axis_words, drawable
from pipelines.explore.house_shapes import Marks, cells, lines, standing
from pipelines.report.theme import PALETTE, Chart, Figure, Look, PlainTable, nothing_to_show
from pipelines.report.words import listed

Frame = pl.DataFrame | pl.LazyFrame
_NO_TABLE: Final = PlainTable(header=(), rows=())


@dataclass(frozen=True, kw_only=True)
class OwnFigure(Figure):
    """A figure of a frame that somebody made, from one table, several, or something else."""

    def footer(self, look: Look) -> str:
        """Source, n and day in one line."""
        names = [name.strip() for name in self.source.split(",")]
        if all(name in table_names() for name in names):
            return super().footer(look).replace("table ", "tables " if names[1:] else "table ", 1)
        line = super().footer(look)
        return line.replace(f"table {self.source}", self.source, 1) if self.source else _without_source(line)


def _without_source(line: str) -> str:
    return line.replace(", table ", "", 1).replace("Source: table  · ", "", 1)


class House:
    """Draws frames for one `Look`.

    Every form takes a frame (at most 5,000 rows), its columns by name, and: ``finding``, the sentence that the picture
    proves, its title; ``low`` and ``high``, the ends of an interval; ``by``, what up to five colours stand for;
    ``unit``, such as "days", "GBP", or "%" for shares from 0 to 1; ``n``, how many of what ("2,311 customers");
    ``source``, the tables it was made of ("orders" or "orders, returns"); ``note``, what one must know to read it;
    ``baseline``, a number to compare with, drawn dashed.
    """

    def __init__(self, look: Look) -> None:
        self._look = look

    def line(
        self, frame: Frame, x: str, y: str, *, finding: str, low: str | None = None, high: str | None = None,
        by: str | None = None, unit: str = "", n: str = "", source: str = "", note: str = "",
        baseline: float | None = None, x_title: str | None = None, y_title: str | None = None,
    ) -> Chart:  # fmt: skip
        """Lines over days, numbers or names, with bands where there are intervals."""
        marks = _marks(frame, x, y, low, high, by, unit, baseline)
        titles = _titles(marks, x_title, y_title)
        return self._drawn("Lines", marks, partial(lines, marks, titles), finding, n, source, note)

    def bars(
        self, frame: Frame, x: str, y: str, *, finding: str, low: str | None = None, high: str | None = None,
        by: str | None = None, unit: str = "", n: str = "", source: str = "", note: str = "",
        baseline: float | None = None, x_title: str | None = None, y_title: str | None = None,
    ) -> Chart:  # fmt: skip
        """Bars from zero, with whiskers where there are intervals."""
        marks = _marks(frame, x, y, low, high, by, unit, baseline)
        titles = _titles(marks, x_title, y_title)
        return self._drawn("Bars", marks, partial(standing, marks, titles, True), finding, n, source, note)

    def dots(
        self, frame: Frame, x: str, y: str, *, finding: str, low: str | None = None, high: str | None = None,
        by: str | None = None, unit: str = "", n: str = "", source: str = "", note: str = "",
        baseline: float | None = None, x_title: str | None = None, y_title: str | None = None,
    ) -> Chart:  # fmt: skip
        """Dots with whiskers, where the axis need not begin at zero."""
        marks = _marks(frame, x, y, low, high, by, unit, baseline)
        titles = _titles(marks, x_title, y_title)
        return self._drawn("Dots", marks, partial(standing, marks, titles, False), finding, n, source, note)

    def heat_map(
        self, frame: Frame, x: str, y: str, value: str, *, finding: str, unit: str = "", n: str = "",
        source: str = "", note: str = "", x_title: str | None = None, y_title: str | None = None,
    ) -> Chart:  # fmt: skip
        """Cells, the darker the more; a missing value stays empty."""
        of = drawable(frame, x, y, value)
        if of.kinds[value] != "number":
            raise LabError(f"Column {value} holds no numbers, so it cannot be shaded.")
        marks = Marks(of, x, y, None, None, None, unit, None)
        titles = x_title or axis_words(x, ""), y_title or axis_words(y, "")
        draw = partial(cells, marks, value, titles)
        return self._drawn("Heat map", replace(marks, y=value), draw, finding, n, source, note)

    def _drawn(
        self, form: str, marks: Marks, draw: Any, finding: str, n: str, source: str, note: str
    ) -> Chart:
        if not any(row[marks.y] is not None for row in marks.of.rows):
            return nothing_to_show(f"There is nothing to draw: no row has a {marks.y}.", self._look)
        by = f", by {axis_words(marks.by, '')}" if marks.by else ""
        figure = OwnFigure(
            finding=finding,
            description=f"{form}: {axis_words(marks.y, marks.unit)} by {axis_words(marks.x, '')}{by}.",
            table=_NO_TABLE,
            source=source,
            n=n if not n or n.startswith("n") else f"n\u00a0=\u00a0{n}",
            note=note,
            draw=draw,
        )
        return figure.chart(self._look)


def _marks(
    frame: Frame, x: str, y: str, low: str | None, high: str | None, by: str | None, unit: str,
    baseline: float | None,
) -> Marks:  # fmt: skip
    of = drawable(frame, x, y, low, high, by)
    marks = Marks(of, x, y, low, high, by, unit, baseline)
    if wrong := [column for column in (y, low, high) if column and of.kinds[column] != "number" and of.rows]:
        raise LabError(f"{listed(wrong)} must hold numbers to be drawn.")
    if len(marks.groups) > len(PALETTE):
        raise LabError(
            f"Column {by} has {len(marks.groups)} values; {len(PALETTE)} colours can be told apart. "
            "Filter it, or draw a heat map."
        )
    return marks


def _titles(marks: Marks, x_title: str | None, y_title: str | None) -> tuple[str, str]:
    return x_title or axis_words(marks.x, ""), y_title or axis_words(marks.y, marks.unit)
