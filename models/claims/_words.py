"""Numbers as a sentence shows them.

What does not belong here: shares and ratios with their interval (`models.claims._part`), sentences.
"""

from __future__ import annotations

from models.claims._estimate import Estimate

__all__ = ["count", "percent", "signed", "signed_percent"]

_MINUS = "\u2212"


def count(number: int) -> str:
    """12345 as 12,345."""
    return f"{number:,}"


def percent(share: float) -> str:
    """0.384 as 38.4 %."""
    return f"{100 * share:.1f} %"


def signed(number: float, digits: int = 1) -> str:
    """5.83 as +5.8; with a real minus sign, as the report has it."""
    return f"{number:+.{digits}f}".replace("-", _MINUS)


def signed_percent(found: Estimate) -> str:
    """A change with its interval: "+5.0 % (95 % interval +3.1 to +6.9 %)"."""
    text = f"{signed(100 * found.value)} %"
    if found.low is None or found.high is None:
        return text
    return f"{text} (95 % interval {signed(100 * found.low)} to {signed(100 * found.high)} %)"
