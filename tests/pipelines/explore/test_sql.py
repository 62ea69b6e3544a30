"""SQL gives what reading gives, to the cent and the day; it reads nothing else and writes nothing."""

import os
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.explore.sql import QueryError
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published, bytes_of

pytestmark = pytest.mark.xdist_group("published_small_shop")


@pytest.fixture
def lab(published_small_shop: Published) -> Lab:
    return Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)


def test_every_table_comes_out_as_it_is_read(lab: Lab) -> None:
    for name in lab.tables()["table"]:
        found, read = lab.sql(f"SELECT * FROM {name}"), lab.read(name).collect()
        assert found.schema == read.schema, name
        assert_frame_equal(found, read, check_row_order=False)


def test_amounts_days_moments_and_counts_keep_their_types(lab: Lab) -> None:
    row = lab.sql(
        "SELECT sum(net) AS net, max(order_day) AS day, max(ordered_at) AS moment, sum(1) AS n, avg(net) AS mean "
        "FROM orders"
    )
    orders = lab.read("orders").collect()
    assert row.schema["n"] == pl.Int64
    assert row.schema["mean"] == pl.Float64
    assert row.schema["moment"] == pl.Datetime("us", "UTC")
    assert row.row(0)[:4] == (
        Decimal(orders["net"].sum()), orders["order_day"].max(), orders["ordered_at"].max(), orders.height,
    )  # fmt: skip


def test_several_tables_are_joined_and_names_are_not_case_sensitive(lab: Lab) -> None:
    found = lab.sql(
        """
        WITH spent AS (SELECT customer_key, sum(net) AS net FROM Orders WHERE is_valid GROUP BY 1)
        SELECT count(*) AS customers, sum(net) AS net FROM customers LEFT JOIN spent USING (customer_key)
        """
    )
    valid = lab.read("orders").filter("is_valid").collect()
    assert found.row(0) == (12, valid["net"].sum())


def test_a_runs_own_day_is_read_under_a_tables_name_and_every_day_under_its_own(
    two_nights: Published,
) -> None:
    newest = two_nights.snapshot.as_of
    past = Lab.open(two_nights.shop.folder, two_nights.lake.root, as_of=newest - timedelta(days=30))
    assert past.sql("SELECT DISTINCT as_of FROM rfm").to_series().to_list() == [past.as_of]
    days = past.sql("SELECT as_of, count(*) AS n FROM rfm_all_days GROUP BY 1 ORDER BY 1")
    assert days["as_of"].to_list() == [past.as_of, newest]
    # A past day's run does not hold the tables that keep the newest day only: they are made again of its facts.
    last = past.sql("SELECT max(order_day) AS day FROM purchases").item()
    assert last == past.read("purchases").select(pl.col("order_day").max()).collect().item() <= past.as_of


def test_months_are_those_of_utc_wherever_the_lab_stands(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "TZ", "Pacific/Kiritimati")
    found = lab.sql("SELECT date_trunc('month', TIMESTAMPTZ '2024-05-31 23:30:00+00') AS month").item()
    assert found == datetime(2024, 5, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT * FROM ordrs", "There is no table 'ordrs'. Did you mean orders"),
        ("SELECT * FROM xyz", r"There is no table 'xyz'. `lab.tables\(\)` lists them"),
        ("SELECT * FROM shipments", "wrote no table shipments: it is not delivered"),
        ("SELECT aovv FROM revenue", "Did you mean aov"),
        ("SELECT order_dy FROM orders", "Did you mean order_day"),
        ("SELECT FROM WHERE", "syntax error"),
        ("SELECT 1; SELECT 2", "Ask one SELECT"),
        ("", "Ask one SELECT"),
        ("DROP TABLE orders", "a lab reads tables and changes nothing"),
        ("COPY orders TO 'orders.csv'", "a lab reads tables and changes nothing"),
        ("INSERT INTO orders SELECT * FROM orders", "a lab reads tables and changes nothing"),
        ("INSTALL httpfs", "a lab reads tables and changes nothing"),
        ("SET enable_external_access = true", "a lab reads tables and changes nothing"),
        ("SELECT * FROM read_text('pyproject.toml')", "Cannot access file"),
        ("SELECT * FROM 'pyproject.toml'", "no table"),
        ("SELECT * FROM glob('*')", "Cannot access file"),
        ("SELECT * FROM lab", "no table 'lab'"),
    ],
)
def test_what_cannot_be_asked_is_told_plainly(lab: Lab, query: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        lab.sql(query)


def test_files_of_the_lake_beside_those_named_stay_closed(published_small_shop: Published, lab: Lab) -> None:
    lake = published_small_shop.lake
    before = bytes_of(lake.root)
    with pytest.raises(QueryError, match="Cannot access file"):
        lab.sql(f"SELECT * FROM read_parquet('{lake.path('contacts')}/*.parquet')")
    lab.sql("SELECT count(*) FROM orders")
    assert bytes_of(lake.root) == before
