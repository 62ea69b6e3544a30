"""Tables that keep the newest day only, as they were on an earlier one: made again from the facts of that run."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

import polars as pl

from pipelines.snapshots import LakeAtSnapshot

if TYPE_CHECKING:
    from pipelines.explore.opened import Opened


def made_of_facts(lab: Opened, name: str) -> pl.LazyFrame | None:
    """Make a past day's rows of a table that keeps the newest day only; None of any other table."""
    from pipelines.assets.catalogue import steps_of
    from pipelines.assets.given import Given
    from pipelines.assets.step import Keeps, Moment

    steps = steps_of(lab.shop)
    if name not in steps or steps[name].keeps is not Keeps.NEWEST_DAY:
        return None
    moment = Moment("lab", datetime.combine(lab.as_of, time(), UTC), lab.as_of)
    return Given(lab.shop, LakeAtSnapshot(lab.lake.root, lab.snapshot), moment, steps).table(name)
