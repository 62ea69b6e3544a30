"""A real PostgreSQL as a source: exact values, only what changed, nothing lost between two nights."""

import resource
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import DeliveryError, ShopError
from pipelines.lake import Lake
from pipelines.settings import Database, Source
from pipelines.shop import Shop
from pipelines.sources.postgres import extract, newest_change
from tests.pipelines.small_shops import NOW, ingest, write_shop
from tests.services.postgres_server import Server, running_server

pytestmark = [
    pytest.mark.services,
    pytest.mark.filterwarnings("ignore:module 'sre_constants':DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:great_expectations.*"),
]
ADDRESS = "SHOP_DATABASE"
LINES = """
CREATE TABLE lines (order_no int, at timestamptz, mail text, sku text, qty int, price numeric(12, 4),
    changed timestamptz)
"""
SOURCE = f"""
[[sources]]
name = "database"
table = "orders"
format = "postgres"
database = {{ address_from = "{ADDRESS}", table = "lines", updated_at = "changed" }}

[sources.columns]
order_id = "order_no"
ordered_at = "at"
email = "mail"
product_id = "sku"
quantity = "qty"
unit_price = "price"
updated_at = "changed"
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with running_server() as server:
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    monkeypatch.setenv(ADDRESS, running.address)
    running.run("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    return running


def source(**changes: str | float | None) -> Source:
    database = Database.model_validate({"address_from": ADDRESS, **changes})
    return Source(name="database", table="orders", format="postgres", database=database)


def test_every_value_arrives_as_the_text_that_stands_for_it(server: Server, tmp_path: Path) -> None:
    server.run(
        'CREATE TABLE "Odd Names" (i bigint, n numeric, at timestamptz, local timestamp, d date, yes boolean, '
        'j jsonb, many text[], "with ""quotes""" text)',
        """INSERT INTO "Odd Names" VALUES (9007199254740993, 0.10000000000000000001, '2026-05-01 09:59+02',
        '2026-05-01 09:59', '2026-05-01', true, '{"a": 1}', '{x,y}', 'ü'), (null, null, null, null, null, null, null,
        null, null)""",
    )
    found = extract(source(table="Odd Names"), tmp_path)
    assert found is not None
    assert pl.read_parquet(found).rows() == [
        ("9007199254740993", "0.10000000000000000001", "2026-05-01T07:59:00.000000+00:00",
         "2026-05-01T09:59:00.000000", "2026-05-01", "true", '{"a": 1}', "{x,y}", "ü"),
        (None,) * 9,
    ]  # fmt: skip
    assert newest_change(found) is None


def insert(order: int, changed: str, price: str = "9.9950") -> str:
    at = "'2026-05-01 10:00+00'"
    return f"INSERT INTO lines VALUES ({order}, {at}, 'ann@example.com', 'MUG', 2, {price}, '{changed}+00')"


def database_shop(folder: Path) -> tuple[Shop, Lake]:
    shop = write_shop(folder / "shop", [], more=SOURCE)
    return shop, Lake.make(folder / "lake", shop.name)


def night(shop: Shop, lake: Lake, number: int) -> str:
    """Take in what is new; the sentence of conservation."""
    outcomes = ingest(shop, lake, datetime(2026, 6, 1, 3, tzinfo=NOW.tzinfo) + timedelta(days=number))
    (verdict,) = [one for one in outcomes["deliveries"].verdicts if one.check == "nothing_is_lost"]
    assert verdict.passed
    return verdict.says.partition(" accepted")[0]


def test_nights_fetch_what_changed_and_a_long_transaction_is_not_lost(server: Server, tmp_path: Path) -> None:
    server.run(LINES, insert(1, "2026-05-01 12:00"), insert(2, "2026-05-01 12:30"))
    shop, lake = database_shop(tmp_path)
    assert night(shop, lake, 0) == "2 delivered = 2"
    assert (
        lake.scan("orders").select(pl.col("gross").cast(pl.String)).collect()["gross"].to_list()
        == ["19.9900"] * 2
    )
    # Committed after the first night under a time before its newest: within the overlap.
    server.run(insert(3, "2026-05-01 12:10"), insert(4, "2026-05-02 08:00"))
    assert night(shop, lake, 1) == "6 delivered = 4"
    server.run("UPDATE lines SET price = 5, changed = '2026-05-02 09:00+00' WHERE order_no = 4")
    assert night(shop, lake, 2) == "7 delivered = 5"
    assert night(shop, lake, 3) == "7 delivered = 5"  # the same rows as the night before: nothing to take
    values = dict(lake.scan("orders").select("order_id", pl.col("gross").cast(pl.Float64)).collect().rows())
    assert values == {"1": 19.99, "2": 19.99, "3": 19.99, "4": 10.0}
    assert not list((lake.root / "landed" / "extracts").glob("*/*.parquet"))


def test_an_extract_that_was_fetched_and_not_landed_lands_with_the_next(
    server: Server, tmp_path: Path
) -> None:
    server.run(LINES, insert(1, "2026-05-01 12:00"))
    shop, lake = database_shop(tmp_path)
    folder = lake.root / "landed" / "extracts" / "database"
    assert extract(shop.sources[0], folder) is not None  # and the run died
    server.run("DELETE FROM lines", insert(2, "2026-05-01 13:00"))
    assert night(shop, lake, 0) == "2 delivered = 2"


def test_what_cannot_be_fetched_is_told_without_address_or_password(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.run(LINES)
    assert extract(source(table="lines"), tmp_path) is None
    for asked, told in [
        (source(table="nothing"), 'relation "nothing" does not exist'),
        (source(query="SELECT nothing FROM lines"), 'column "nothing" does not exist'),
        (source(query="SELECT 1; DROP TABLE lines"), "syntax error"),
        (source(query="DELETE FROM lines RETURNING 1"), "syntax error"),
        (
            source(table="lines", updated_at="when"),
            r"no column 'when' to tell changes by\. It has: order_no, at",
        ),
    ]:
        with pytest.raises(ShopError, match=told):
            extract(asked, tmp_path)
    monkeypatch.setenv(ADDRESS, "postgresql://reader:very-secret@127.0.0.1:1/shop")
    with pytest.raises(
        DeliveryError, match=rf"database of \${ADDRESS} cannot be reached \(Connection refused"
    ) as told:
        extract(source(table="lines"), tmp_path)
    assert "very-secret" not in str(told.value)
    assert "127.0.0.1" not in str(told.value)
    monkeypatch.delenv(ADDRESS)
    with pytest.raises(ShopError, match=f"environment variable {ADDRESS} is not set"):
        extract(source(table="lines"), tmp_path)


def test_a_million_rows_pass_in_flat_memory(server: Server, tmp_path: Path) -> None:
    server.run(
        LINES,
        "INSERT INTO lines SELECT n / 3, '2026-05-01'::timestamptz, 'p' || n % 300000 || '@example.com', 'SKU' || n % "
        "5000, 1 + n % 4, (n % 9999)::numeric / 100, '2026-05-01'::timestamptz FROM generate_series(1, 1000000) AS n",
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = extract(source(table="lines", updated_at="changed"), tmp_path)
    assert found is not None
    assert pl.scan_parquet(found).select(pl.len()).collect().item() == 1_000_000
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 500, f"{grown:.0f} MB"
