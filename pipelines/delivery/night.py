"""Where a night's gates read from: the run that makes the lists, or a finished run that somebody asks about.

Making the lists is `pipelines.assets.lists`' business, asking afterwards `why`'s and `preview`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from data_contracts import table
from pipelines.delivery.contact_cap import used_lists
from pipelines.delivery.permissions import Permissions
from pipelines.delivery.population import Sources
from pipelines.delivery.rules import Bought
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

CORE: Final = (
    "customer_profile", "consents", "suppressions", "contacts", "orders", "returns", "order_lines",
)  # fmt: skip
WHERE_CONNECTED: Final = ("tickets", "shipments", "messages")

Read = Callable[[str], pl.LazyFrame]


@dataclass(frozen=True, slots=True)
class Tables:
    """Where a night's tables are read from.

    Attributes
    ----------
    of_day
        Gives a table's rows of the night's day.
    of_all_days
        Gives those of every day.
    """

    of_day: Read
    of_all_days: Read


def tables_of(lake: Lake, snapshot: Snapshot) -> Tables:
    """The tables of a finished run; of one that it did not have there are no rows."""

    def all_days(name: str) -> pl.LazyFrame:
        version = snapshot.versions.get(name)
        return table(name).empty().lazy() if version is None else lake.scan(name, version=version)

    def day(name: str) -> pl.LazyFrame:
        rows = all_days(name)
        return rows.filter(pl.col("as_of") == snapshot.as_of) if table(name).is_kept_by_as_of else rows

    return Tables(day, all_days)


def tables_read(shop: Shop) -> tuple[str, ...]:
    """Tables that the gate looks at, of those that the shop has."""
    connected = {source.table for source in shop.sources}
    return (*CORE, *(name for name in WHERE_CONNECTED if name in connected))


def sources_of(shop: Shop, tables: Tables, as_of: date) -> Sources:
    """Gather the tables of a night as its population takes them."""
    has, read = tables_read(shop), tables.of_day
    return Sources(
        profile=read("customer_profile"),
        permissions=Permissions(*(read(name) for name in ("consents", "suppressions", "contacts"))),
        cases={name: read(name) for name in ("orders", "returns", "tickets", "shipments") if name in has},
        messages=read("messages") if "messages" in has else None,
        bought=lambda question: _bought(read("orders"), read("order_lines"), question, as_of),
        used=used_lists(read("download_ledger").collect(), read("campaign_sendings").collect(), shop.zone),
        members=tables.of_all_days("list_members"),
    )


def _bought(orders: pl.LazyFrame, lines: pl.LazyFrame, question: Bought, as_of: date) -> pl.LazyFrame:
    """Customers who bought a product, or of a category, by the day's end."""
    column = "product_id" if question.what == "bought" else "category"
    asked = lines.filter((pl.col("kind") == "merchandise") & (pl.col(column) == question.value))
    bought = orders.filter(
        pl.col("is_valid") & (pl.col("order_day") <= as_of) & pl.col("customer_key").is_not_null()
    )
    return bought.join(asked.select("order_id"), on="order_id", how="semi").select("customer_key").unique()
