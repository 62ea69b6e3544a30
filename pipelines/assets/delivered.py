"""What facts are made from: the valid rows of connected tables, with the numbers of several systems told apart.

Which facts there are is said by `facts` and `optional_facts`.
"""

import polars as pl

from data_contracts import table
from pipelines.assets.given import Given
from pipelines.assets.landing import connected_tables
from pipelines.ingest.numbers import with_numbers
from pipelines.shop import Numbers, Shop
from pipelines.sources.arrivals import source_name


def fed_by(shop: Shop, *tables: str) -> tuple[str, ...]:
    """Names of the valid tables among ``tables`` that a source feeds."""
    connected = connected_tables(shop)
    return tuple(f"valid_{name}" for name in tables if name in connected)


def is_connected(given: Given, name: str) -> bool:
    """Whether a source feeds the delivered table ``name``."""
    return name in connected_tables(given.shop)


def source_of(given: Given, name: str) -> dict[str, str]:
    """Delivery id to source name, of every delivery of a table."""
    ids = given.table(f"valid_{name}").select(pl.col("delivery_id").unique()).collect().to_series()
    return {delivery_id: source_name(delivery_id) for delivery_id in ids}


def numbers_of(given: Given, name: str) -> dict[str, Numbers]:
    """Delivery id to whose numbers it brings; a source that is no longer in the settings keeps its own."""
    known = {source.name: given.shop.numbers_of(source) for source in given.shop.sources}
    return {
        delivery_id: known.get(source, Numbers(source, source))
        for delivery_id, source in source_of(given, name).items()
    }


def valid_rows(given: Given, name: str) -> pl.LazyFrame:
    """Rows of ``valid_<name>`` with ``customer_numbers``; none where no source feeds it."""
    if not is_connected(given, name):
        return with_numbers(table(f"valid_{name}").empty().lazy(), name, {})
    return with_numbers(given.table(f"valid_{name}"), name, numbers_of(given, name))


def rates(given: Given) -> pl.LazyFrame | None:
    """Exchange rates as delivered; None where no source delivers any."""
    return given.table("valid_rates") if is_connected(given, "rates") else None
