"""How often a rule broke from delivery to delivery: bars as small as a word.

Drawn by hand, since a page may hold hundreds of them and each of Altair's takes a tenth of a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from pipelines.report.theme import BLUE, GREY, ORANGE
from pipelines.report.words import counted, listed, number, percent

DELIVERIES_SHOWN = 30
"""As many as `pipelines.ingest.expectations` looks back at."""
COLOURS = {"critical": ORANGE, "warning": BLUE}

_STEP, _BAR, _HEIGHT, _LEAST = 8, 6, 26, 3


@dataclass(frozen=True, slots=True)
class Broke:
    """One delivery and how many of its checked rows broke a rule."""

    failed: int
    checked: int

    @property
    def share(self) -> float:
        """Share of the checked rows; 0 where none was checked."""
        return self.failed / self.checked if self.checked else 0.0


def sparkline(series: Sequence[Broke], severity: str) -> Markup:
    """Draw the newest deliveries, the oldest of them at the left; nothing where there is only one.

    A bar's height is the delivery's share of rows that broke the rule, against the highest one drawn; a delivery
    without any is a grey line.
    """
    if len(series) < 2:
        return Markup("")
    drawn = series[-DELIVERIES_SHOWN:]
    top = max(one.share for one in drawn)
    bars = Markup("").join(_bar(place, one, top, severity) for place, one in enumerate(drawn))
    told = (
        f"Rows that broke the rule in {counted(len(drawn), 'delivery', 'deliveries')}, oldest first: "
        f"{listed([number(one.failed) for one in drawn])}; at most {percent(top)} of a delivery."
    )
    width = _STEP * len(drawn)
    return Markup(
        '<svg class="spark" role="img" width="{}" height="{}" viewBox="0 0 {} {}" aria-label="{}">{}</svg>'
    ).format(width, _HEIGHT, width, _HEIGHT, told, bars)


def _bar(place: int, one: Broke, top: float, severity: str) -> Markup:
    height = max(round(_HEIGHT * one.share / top), _LEAST) if one.failed else 1
    colour = COLOURS[severity] if one.failed else GREY
    return Markup('<rect x="{}" y="{}" width="{}" height="{}" fill="{}"/>').format(
        place * _STEP, _HEIGHT - height, _BAR, height, escape(colour)
    )
