"""A figure as it stands in a page: drawn twice, for wide screens and paper, and for phones."""

from dataclasses import dataclass, replace

from markupsafe import Markup

from pipelines.report.pictures import to_svg
from pipelines.report.theme import NARROW, WIDE, Figure, Look

_NAMESPACES = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
"""A picture inside a page needs none."""


@dataclass(frozen=True, slots=True)
class Shown:
    """Name, figure, both pictures, and the line below them."""

    name: str
    figure: Figure
    wide: Markup
    narrow: Markup
    footer: str


def shown(name: str, figure: Figure | None, look: Look) -> Shown | None:
    """Draw a figure for a page; ``name`` is unique in it and begins all ids."""
    if figure is None:
        return None
    wide, narrow = (
        Markup(
            to_svg(figure.chart(replace(look, width=width)), prefix=f"{name}-{form}").replace(_NAMESPACES, "")
        )
        for form, width in (("w", WIDE), ("n", NARROW))
    )
    return Shown(name, figure, wide, narrow, figure.footer(look))
