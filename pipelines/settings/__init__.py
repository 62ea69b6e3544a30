"""The sections of a shop's settings, each checked by itself; `pipelines.shop` puts them together.

A number or name that a shop could want to change stands here. What the settings do is said where they are
used.
"""

from pipelines.settings.base import Settings, check_timezone
from pipelines.settings.lists import SegmentList
from pipelines.settings.orders import LineKind, OrderRules, ReturnRules
from pipelines.settings.people import Consent, Identity
from pipelines.settings.predictions import Predictions
from pipelines.settings.sources import Contracts, Database, Layout, Source
from pipelines.settings.tiers import Tiers

__all__ = [
    "Consent",
    "Contracts",
    "Database",
    "Identity",
    "Layout",
    "LineKind",
    "OrderRules",
    "Predictions",
    "ReturnRules",
    "SegmentList",
    "Settings",
    "Source",
    "Tiers",
    "check_timezone",
]
