"""Who of a built file must not be in it any more: ordered, opted out or was erased since. By what is known now.

The newest committed rows count, not those of the list's snapshot. It is worked out once and remembered until one of
the tables changes: many may download at once. Leaving people out of a file is the business of `files`.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Any, Final, Generic, TypeVar

import polars as pl

from pipelines.delivery.permissions import GRANTED, consent, suppressed
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

LOOKED_AT: Final = ("orders", "suppressions", "consents", "customers", "identity_map")
Made = TypeVar("Made")


class Remembered(Generic[Made]):
    """What was worked out last, by what it was worked out from; who asks for the same at once waits for it."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._kept: OrderedDict[Hashable, tuple[Lock, list[Made]]] = OrderedDict()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Give what belongs to a key, working it out at the first time."""
        with self._lock:
            lock, made = self._kept.setdefault(key, (Lock(), []))
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                self._kept.popitem(last=False)
        with lock:
            if not made:
                made.append(make())
            return made[0]


def stamp(lake: Lake, *names: str) -> tuple[int, ...]:
    """Something that changes with every commit to one of these tables; costs a look at the disk for each."""
    return tuple(_changed_at(lake.path(name) / "_delta_log") for name in names)


def departed(
    shop: Shop, lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any], rows_path: Path
) -> pl.Series:
    """Keys of a built file's customers who have left since the list was made: customer_key.

    Parameters
    ----------
    snapshot, campaign
        The run that made the list, and the list's row of ``campaign_lists``.
    rows_path
        The built file's rows, with the customers' keys as they were then.
    """
    key = (
        rows_path,
        _changed_at(rows_path),
        shop.settings_hash(),
        snapshot.snapshot_id,
        stamp(lake, *LOOKED_AT),
    )
    return _DEPARTED.get(key, lambda: _work_out(shop, lake, snapshot, campaign, rows_path))


_DEPARTED: Remembered[pl.Series] = Remembered(256)


def is_stale(shop: Shop, newest_order: date | None, now: datetime) -> bool:
    """Whether a shop's data are too old for lists to be handed out; a sample's never are.

    As for publishing, the day before is the one that should be known: see `pipelines.publishable`.
    """
    if shop.sample:
        return False
    yesterday = now.astimezone(shop.zone).date() - timedelta(days=1)
    return newest_order is None or (yesterday - newest_order).days > shop.max_age_days


def newest_order_day(lake: Lake) -> date | None:
    """Day of the newest valid order that is known."""

    def look() -> date | None:
        return lake.scan("orders").filter("is_valid").select(pl.col("order_day").max()).collect().item()

    return _NEWEST.get((lake.root, stamp(lake, "orders")), look)


_NEWEST: Remembered[date | None] = Remembered(8)


def _work_out(
    shop: Shop, lake: Lake, snapshot: Snapshot, campaign: Mapping[str, Any], rows_path: Path
) -> pl.Series:
    """Ask only the tables that changed since the list's run: the gate saw the others as they are.

    People are compared by 64 bits of a hash of their keys, in a third of the time and memory. That one who was erased
    is taken for one of ten million customers has a chance of 5e-13.
    """
    is_new = {name: lake.version(name) != snapshot.versions.get(name) for name in LOOKED_AT}
    has_new_settings = snapshot.settings_hash != shop.settings_hash()
    people = _listed(lake, rows_path, has_merges=is_new["identity_map"])
    channel = str(campaign["channel"])
    since = pl.col("is_valid") & (pl.col("order_day") > campaign["as_of"])
    gone = [_of(people, lake.scan("orders").filter(since).select("customer_key"))]
    if is_new["suppressions"]:
        gone.append(_of(people, suppressed(lake.scan("suppressions"), channel)))
    if is_new["customers"] or is_new["consents"] or has_new_settings:
        known = _of(people, lake.scan("customers").select("customer_key", "country"))
        # Who is no customer any more was erased.
        gone.append(people.join(known, on="customer_key", how="anti"))
        if is_new["consents"] or has_new_settings:
            told = _of(people, lake.scan("consents").select("customer_key", "channel", "is_granted"))
            agreed = consent(known.lazy(), told.lazy(), channel, shop).filter(
                pl.col("consent").is_in(GRANTED)
            )
            gone.append(people.join(agreed.collect(), on="customer_key", how="anti"))
    left = pl.concat([frame.select("customer_key") for frame in gone]).unique()
    listed = people.join(left, on="customer_key", how="semi")["listed"]
    keys = (
        pl.scan_parquet(rows_path)
        .select("customer_key")
        .filter(_hash("customer_key").is_in(listed.implode()))
    )
    return keys.collect(engine="streaming")["customer_key"].unique()


def _of(people: pl.DataFrame, rows: pl.LazyFrame) -> pl.DataFrame:
    """Rows of a table that are about these people, by the hashes of their keys; the rest is read past."""
    hashed = rows.with_columns(_hash("customer_key"))
    return hashed.filter(pl.col("customer_key").is_in(people["customer_key"].implode())).collect(
        engine="streaming"
    )


def _listed(lake: Lake, rows_path: Path, *, has_merges: bool) -> pl.DataFrame:
    """Everybody in a built file, as hashes: listed (the key in the file) and customer_key (the key by now).

    They differ where people turned out to be one since.
    """
    listed = (
        pl.scan_parquet(rows_path).select(_hash("customer_key").alias("listed")).collect(engine="streaming")
    )
    if not has_merges:
        return listed.with_columns(pl.col("listed").alias("customer_key"))
    was_merged = pl.col("customer_key").is_not_null() & (pl.col("own_key") != pl.col("customer_key"))
    aliases = (
        lake.scan("identity_map")
        .filter(was_merged)
        .select(_hash("own_key"), _hash("customer_key"))
        .filter(pl.col("own_key").is_in(listed["listed"].implode()))
        .unique("own_key")
        .collect(engine="streaming")
    )
    return listed.join(aliases, left_on="listed", right_on="own_key", how="left").with_columns(
        pl.coalesce("customer_key", "listed").alias("customer_key")
    )


def _hash(column: str) -> pl.Expr:
    return pl.col(column).hash(0).alias(column)


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0
