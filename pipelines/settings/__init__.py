"""The sections of a shop's settings, each checked by itself; `pipelines.shop` puts them together.

A number or name that a shop could want to change stands here. What the settings do is said where they are
used.
"""

from pipelines.settings.base import Settings, check_locale, check_timezone
from pipelines.settings.lists import ContactCap, SegmentList
from pipelines.settings.orders import LineKind, OrderRules, ReturnRules
from pipelines.settings.own_models import OwnModel
from pipelines.settings.people import Consent, Identity, OpenCases
from pipelines.settings.predictions import Predictions
from pipelines.settings.profit import Profit
from pipelines.settings.ready_lists import ready_lists
from pipelines.settings.sources import Contracts, Database, Layout, Source
from pipelines.settings.tiers import Tiers

__all__ = [
    "Consent",
    "ContactCap",
    "Contracts",
    "Database",
    "Identity",
    "Layout",
    "LineKind",
    "OpenCases",
    "OrderRules",
    "OwnModel",
    "Predictions",
    "Profit",
    "ReturnRules",
    "SegmentList",
    "Settings",
    "Source",
    "Tiers",
    "check_locale",
    "check_timezone",
    "ready_lists",
]
