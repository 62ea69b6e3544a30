"""Questions beside what a run wrote: a customer's features on another day, a list with other settings.

Nothing is kept of the answers. What a model would have foretold is asked in `pipelines.explore.own_models`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.errors import AsOfError
from pipelines.explore.opened import Opened, as_day

if TYPE_CHECKING:
    from pipelines.delivery.preview import Preview
    from pipelines.settings import SegmentList


def features_on(lab: Opened, as_of: date | str | None, horizon_days: int | None) -> pl.LazyFrame:
    """Make the features of a day; see `pipelines.lab.Lab.features`.

    Raises
    ------
    AsOfError
        The day lies after the newest finished run's.
    """
    from models.features import features
    from pipelines.assets.known import feature_tables, with_rows

    day = lab.as_of if as_of is None else as_day(as_of)
    if day > lab.as_of:
        raise AsOfError(f"{day} lies after the newest finished run's day, {lab.as_of}. Give an earlier day.")
    return features(day, horizon_days=horizon_days, **with_rows(feature_tables(lab.shop), lab.read))


def previewed(lab: Opened, settings: Mapping[str, Any] | SegmentList) -> Preview:
    """Try a list out; see `pipelines.lab.Lab.preview`."""
    from pipelines.delivery.night import tables_of
    from pipelines.delivery.preview import preview
    from pipelines.keys import keys_of

    made_at = datetime.combine(lab.as_of, time(), UTC)
    salt = keys_of(lab.shop, lab.lake.root).hold_out
    return preview(lab.shop, tables_of(lab.lake, lab.snapshot), settings, salt=salt, made_at=made_at)
