"""Claim 11 says what would be needed."""

from __future__ import annotations

from datetime import date

from models.claims import Facts, Status
from models.claims.tracking_views import findings


def test_no_table_tells_how_often_a_parcel_is_looked_up() -> None:
    (found,) = findings(Facts({}), date(2024, 6, 30))
    assert found.status is Status.CANNOT_BE_TESTED
    assert found.needs == ("tracking_views",)
    assert found.claimed is not None and (found.claimed.low, found.claimed.high) == (3.0, 6.0)
