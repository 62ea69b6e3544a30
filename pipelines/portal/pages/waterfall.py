"""The gate as a waterfall: where each bar lies, for a wide screen and for a phone. The template draws it.

The rule takes nearly everybody out, and beside everybody the steps that follow would be hairs. So the picture has
two parts: all customers down to those whom the rule means, and these, on a scale of their own, down to the file.
"""

from dataclasses import dataclass
from typing import Literal

from pipelines.portal.facts import ListPage
from pipelines.portal.pages import words

Kind = Literal["all", "out", "hold", "in"]


@dataclass(frozen=True, slots=True)
class Bar:
    """One row of the picture.

    Attributes
    ----------
    start, width
        Shares of the part's scale, 0 to 1.
    customers
        How many; those taken out are shown with a minus.
    """

    label: str
    kind: Kind
    start: float
    width: float
    customers: int

    @property
    def is_out(self) -> bool:
        """Whether these people leave here."""
        return self.kind in ("out", "hold")


@dataclass(frozen=True, slots=True)
class Part:
    """Bars on one scale."""

    title: str
    bars: tuple[Bar, ...]


def waterfall(page: ListPage) -> tuple[Part, ...]:
    """Both parts of a list's picture; one where the rule means nobody."""
    if not page.everyone:
        return ()
    whole = float(page.everyone)
    first = [Bar("All customers", "all", 0.0, 1.0, page.everyone)]
    second: list[Bar] = []
    eligible = page.eligible
    for stop in page.stops:
        label = words.step(stop.step)
        if stop.step in ("suppressed", "not_eligible"):
            first.append(Bar(label, "out", stop.left / whole, stop.customers / whole, stop.customers))
        elif eligible and stop.customers:
            kind: Kind = "hold" if stop.step == "held_out" else "out"
            second.append(Bar(label, kind, stop.left / eligible, stop.customers / eligible, stop.customers))
    first.append(Bar("Fit this list", "in", 0.0, eligible / whole, eligible))
    if not eligible:
        return (Part("All customers", tuple(first)),)
    people = page.card.people
    closer = (
        Bar("Fit this list", "in", 0.0, 1.0, eligible),
        *second,
        Bar("In the file", "in", 0.0, people / eligible, people),
    )
    return (Part("From all customers …", tuple(first)), Part("… to the file, seen closer", closer))


def picture_in_words(page: ListPage) -> str:
    """The picture in one sentence, for who cannot see it."""
    steps = ", ".join(
        f"{stop.customers:,} {words.step(stop.step).lower()}" for stop in page.stops if stop.customers
    )
    return (
        f"Waterfall: of {page.everyone:,} customers {page.card.people:,} are in the file. "
        f"Left out on the way: {steps or 'nobody'}. The table below has the same numbers."
    )
