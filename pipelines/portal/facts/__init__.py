"""What the pages and the JSON of the portal tell, as small frozen records; nobody in them can be recognised.

How the numbers are found belongs to `pipelines.portal.shelf`, how they are written for people to
`pipelines.portal.pages`.
"""

from pipelines.portal.facts.campaigns import Campaign, Outcome, Pressure
from pipelines.portal.facts.data import BrokenRule, Freshness, Quality, SourceState, TableState
from pipelines.portal.facts.lists import (
    BuiltFile,
    Card,
    Cause,
    Group,
    ListPage,
    Made,
    Overlap,
    Overview,
    Sent,
    Someone,
    State,
    Stop,
    Taken,
)

__all__ = [
    "BrokenRule", "BuiltFile", "Campaign", "Card", "Cause", "Freshness", "Group", "ListPage", "Made", "Outcome",
    "Overlap", "Overview", "Pressure", "Quality", "Sent", "Someone", "SourceState", "State", "Stop", "TableState",
    "Taken",
]  # fmt: skip
