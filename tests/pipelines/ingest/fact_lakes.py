"""Composed rows put where the contract leaves them, and the facts made of them by the steps of the ingest."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import polars as pl

from data_contracts import conform, table
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Stage
from pipelines.ingest.quarantine import valid_rows
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.small_shops import NOW, SETTINGS, Row, ingest_steps, raw_rows, write_shop


def put(
    shop: Shop, lake: Lake, name: str, rows: Sequence[Row], *, source: str | None = None, number: int = 1
) -> None:
    """Add one delivery, all of it valid; a higher number reaches further and comes later."""
    delivery_id = f"{source or name}-{number:012}-1"
    later = [pl.col(moment) + timedelta(days=number - 1) for moment in ("delivered_through", "received_at")]
    raw = raw_rows(name, rows, delivery_id).with_columns(later)
    valid = valid_rows(raw, raw.filter(pl.lit(False)), name, shop)
    lake.append(f"valid_{name}", conform(valid, table(f"valid_{name}")), fingerprint=delivery_id)


def make_facts(shop: Shop, lake: Lake) -> None:
    """Carry out every step that makes a fact."""
    steps = ingest_steps(shop)
    given = Given(shop, lake, Moment("composed run", NOW, None), steps)
    for step in steps.values():
        if step.stage is Stage.FACTS:
            carry_out(step, given)


def facts_of(
    folder: Path,
    deliveries: Mapping[str, Sequence[Sequence[Row]]],
    *,
    settings: str = SETTINGS,
    more: str = "",
) -> tuple[Shop, Lake]:
    """Make a shop of deliveries, by table and position, and its facts."""
    shop = write_shop(folder, deliveries, settings=settings, more=more)
    lake = Lake.make(folder / "lake", shop.name)
    for name, files in deliveries.items():
        for number, rows in enumerate(files, start=1):
            put(shop, lake, name, rows, number=number)
    make_facts(shop, lake)
    return shop, lake
