"""`lab.plot`: every chart of `pipelines.report.charts` with its tables filled in, and forms for frames of one's own.

A chart's parameter that is called like a table is filled with that table of the lab; anything else is asked of the
caller. How charts look stands in `pipelines.report`, the free forms in `pipelines.explore.house_charts`.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from data_contracts import table, table_names
from pipelines.errors import LabError

if TYPE_CHECKING:
    from pipelines.explore.house_charts import House
    from pipelines.explore.opened import Opened
    from pipelines.report.theme import Chart, Look

FREE_FORMS: Final = ("line", "bars", "dots", "heat_map")
FORMATS: Final = (".svg", ".png")


class Plots:
    """Charts of one opened lab in the house theme; each says its finding, and source, n and day below.

    ``dir(lab.plot)`` names them; ``help(lab.plot.cohort_heat_map)`` tells what one shows. Tables that the run did not
    write give a chart that says why there is nothing to show. ``line``, ``bars``, ``dots`` and ``heat_map`` draw any
    frame of your own.
    """

    def __init__(self, lab: Opened) -> None:
        self._lab = lab

    def __dir__(self) -> list[str]:
        return sorted({*_charts(), *FREE_FORMS, "save"})

    def __getattr__(self, name: str) -> Callable[..., Chart]:
        if name.startswith("_"):
            raise AttributeError(name)
        from pipelines.report import theme

        theme.enable()
        if name in FREE_FORMS:
            return getattr(self._house(), name)
        if name in _charts():
            return self._filled(_charts()[name])
        near = difflib.get_close_matches(name, dir(self), n=3) or dir(self)
        raise AttributeError(f"There is no chart {name!r}. Did you mean {', '.join(near)}?")

    def save(self, chart: Chart, path: str | Path) -> Path:
        """Write a chart to a file, as its name ends: .svg or .png. Nothing is asked of the network.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        LabError
            The name ends otherwise, or the file cannot be written.
        """
        from pipelines.report.pictures import to_png, to_svg

        file = Path(path).expanduser()
        if file.suffix.lower() not in FORMATS:
            raise LabError(
                f"{file.name}: a chart is saved as {' or '.join(FORMATS)}. Give a name that ends so."
            )
        picture = to_svg(chart).encode() if file.suffix.lower() == ".svg" else to_png(chart)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(picture)
        except OSError as error:
            raise LabError(f"{file} cannot be written: {error.strerror}.") from error
        return file

    def list_gate(self, campaign_list: str, look: Look | None = None) -> Chart:
        """One list's way from everybody to the people in the file; takes the list's name."""
        from pipelines.report import charts, theme

        theme.enable()
        lists = self._table("campaign_lists", is_needed=True)
        assert lists is not None
        chosen = lists.filter((pl.col("name") == campaign_list) | (pl.col("list_id") == campaign_list))
        if chosen.head(1).collect().is_empty():
            names = lists.select(pl.col("name").unique().sort()).collect().to_series().to_list()
            raise LabError(
                f"There is no list {campaign_list!r} on {self._lab.as_of}. Lists: {', '.join(names) or 'none'}."
            )
        return charts.list_gate(chosen, look or self._look())

    def _filled(self, chart: Callable[..., Chart]) -> Callable[..., Chart]:
        """Give a chart that asks only for what the lab cannot know."""
        parameters = inspect.signature(chart).parameters.values()
        filled = [parameter for parameter in parameters if parameter.name in (*table_names(), "look")]
        asked = [parameter for parameter in parameters if parameter not in filled]
        optional = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY, default=None) for one in filled]
        signature = inspect.Signature([*asked, *optional])

        @wraps(chart)
        def drawn(*given: Any, **named: Any) -> Chart:
            bound = signature.bind(*given, **named).arguments
            for parameter in filled:
                name = parameter.name
                if name == "look":
                    bound.setdefault(name, self._look())
                elif name in bound:
                    bound[name] = bound[name].lazy()
                else:
                    bound[name] = self._table(name, is_needed=parameter.default is parameter.empty)
            return chart(**bound)

        setattr(drawn, "__signature__", signature)  # noqa: B010
        return drawn

    def _table(self, name: str, *, is_needed: bool) -> pl.LazyFrame | None:
        if self._lab.has(name):
            return self._lab.read(name)
        return table(name).empty().lazy() if is_needed else None

    def _look(self) -> Look:
        from pipelines.report.theme import Look

        shop = self._lab.shop
        return Look(shop=shop.title, as_of=self._lab.as_of, currency=shop.currency)

    def _house(self) -> House:
        from pipelines.explore.house_charts import House

        return House(self._look())


@cache
def _charts() -> dict[str, Callable[..., Chart]]:
    """Functions of `pipelines.report.charts` that give a chart, by name."""
    from pipelines.report import charts
    from pipelines.report.theme import Chart

    found = {name: getattr(charts, name) for name in charts.__all__}
    return {
        name: entry
        for name, entry in found.items()
        if inspect.isfunction(entry) and inspect.signature(entry).return_annotation == Chart
    }
