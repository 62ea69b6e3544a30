"""Claim 11: a parcel is tracked 3 to 6 times on average. No table of the lab holds looks at a tracking page.

What does not belong here: parcels and when they came (`models.service`).
"""

from __future__ import annotations

from datetime import date

from models.claims._finding import Claimed, Facts, Finding, Sense, Status, Unit

__all__ = ["findings"]


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Say what would be needed."""
    return [
        Finding(
            claim=11,
            part="looks a parcel",
            definition=(
                "Looks at the tracking page over parcels that arrived, parcels that nobody looked "
                "for included. It would "
                "take one row a look: the order or shipment it was for and the moment, from the "
                "carrier, the tracking "
                "service or the shop's own web statistics."
            ),
            status=Status.CANNOT_BE_TESTED,
            says=(
                "Nobody can tell how often parcels are looked up: that takes a record of each look "
                "at the tracking page "
                "(order or parcel, and when), which is none of the tables the lab reads today."
            ),
            claimed=Claimed(low=3.0, high=6.0, sense=Sense.ABOUT, unit=Unit.COUNT),
            needs=("tracking_views",),
        )
    ]
