"""Charts as pictures: SVG that can stand beside others in one page, and PNG; both without a browser or a request.

Drawing belongs to `pipelines.report.figures`; here finished charts are only rendered.
"""

import hashlib
import re
from html import escape
from typing import Any

from pipelines.report.theme import Chart

_NOISE = re.compile(r' (?:pointer-events="none"|opacity="1"|class="[^"]*"|role="[^"]*"|aria-[a-z]+="[^"]*")')
_HIDDEN = re.compile(r'<path[^>]*display="none"[^>]*/>|<path d="M0,0h0v0h0Z"/>')
_ID = re.compile(r'\bid="([^"]+)"')


def to_svg(chart: Chart, prefix: str | None = None) -> str:
    """Render a chart as SVG.

    The text is the same for the same chart. Ids start with ``prefix``, by default a fingerprint of the picture, so that
    pictures can be put into one page. The chart's description becomes the picture's text alternative.
    """
    spec = _spec(chart)
    svg = _HIDDEN.sub("", _NOISE.sub("", _vl_convert().vegalite_to_svg(spec)))
    # vl-convert numbers clip paths through the life of the process: two charts, two runs, never the same ids.
    found = list(dict.fromkeys(_ID.findall(svg)))
    for position, name in enumerate(found):
        svg = re.sub(rf'(id="|url\(#|href="#){re.escape(name)}(?=["\)])', rf"\g<1>@{position}", svg)
    prefix = prefix or "p" + hashlib.sha256(svg.encode()).hexdigest()[:8]
    svg = re.sub(r'(id="|url\(#|href="#)@', rf"\g<1>{prefix}-", svg)
    label = escape(str(spec.get("description", "")), quote=True)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)


def to_png(chart: Chart, scale: float = 2.0) -> bytes:
    """Render a chart as PNG, twice its size in pixels so that it is sharp."""
    return _vl_convert().vegalite_to_png(_spec(chart), scale=scale)


def _spec(chart: Chart) -> dict[str, Any]:
    # The charts are ours and tested: checking each against the whole schema again costs more than drawing it.
    return chart.to_dict(validate=False)


def _vl_convert() -> Any:
    import vl_convert

    return vl_convert
