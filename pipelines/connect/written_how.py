"""How a source's files write dates and numbers: settled once in its layout, so that small files need no evidence.

The evidence is found by `pipelines.sources.conventions`; a person is asked where there is none.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.connect.asking import Asker
from pipelines.connect.drafts import Draft
from pipelines.sources.arrivals import Arrival
from pipelines.sources.date_conventions import ASK_ORDER
from pipelines.sources.number_conventions import ASK_POINT

MOST_FILES = 12
"""So many of a source's files are asked for evidence."""
ORDERS = {"03/04/2026 is 3 April": "day first", "03/04/2026 is March 4": "month first"}
POINTS = {"1,234 is a bit more than one": ",", "1,234 is a bit more than a thousand": "."}


@dataclass(frozen=True)
class Written:
    """A draft with its layout, and what is to be said about it."""

    draft: Draft
    notes: tuple[str, ...]
    is_open: bool


def with_layout(draft: Draft, arrivals: Sequence[Arrival], ask: Asker | None) -> Written:
    """Settle the order of dates and the decimal point of a source."""
    step = max(1, len(arrivals) // MOST_FILES)
    found = [arrival.conventions for arrival in arrivals[::step]]
    layout: dict[str, str] = {}
    reasons: dict[str, str] = {}
    for setting, start in (("dates", "dates are"), ("decimal", "numbers have")):
        told = {getattr(one, setting): note for one in found for note in one.notes if note.startswith(start)}
        if len(told) == 1:
            layout[setting], note = next(iter(told.items()))
            reasons[setting] = note.partition(": ")[2]
    notes = dict.fromkeys(note for one in found for note in one.notes if not _is_settled(note, layout))
    for setting, question, options in (("dates", ASK_ORDER, ORDERS), ("decimal", ASK_POINT, POINTS)):
        open_notes = [note for note in notes if question in note]
        if open_notes and setting not in layout and ask is not None:
            answer = ask.pick(
                f"Source {draft.source.name}: {open_notes[0].split('. ')[0]}. Which is right?", list(options)
            )
            if answer is not None:
                layout[setting], reasons[setting] = options[answer], "as told"
                notes = {note: None for note in notes if note not in open_notes}
    source = draft.source.model_copy(update={"layout": draft.source.layout.model_copy(update=layout)})
    settled = replace(draft, source=source, reasons={**draft.reasons, **reasons})
    is_open = any(question in note for note in notes for question in (ASK_ORDER, ASK_POINT))
    return Written(settled, tuple(notes), is_open)


def _is_settled(note: str, layout: dict[str, str]) -> bool:
    """Whether the layout says what a note says or asks."""
    return ("dates" in layout and (note.startswith("dates are") or ASK_ORDER in note)) or (
        "decimal" in layout and (note.startswith("numbers have") or ASK_POINT in note)
    )
