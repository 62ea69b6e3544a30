"""Lab: reads finished runs and nothing else, says what there is, and writes nothing."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from data_contracts import ContractError, table
from pipelines.errors import AsOfError, LakeError, ShopError
from pipelines.lab import Lab
from tests.pipelines.published_shops import NIGHT, Published, bytes_of, copy_of, publish

pytestmark = pytest.mark.xdist_group("published_small_shop")


@pytest.fixture
def published(published_small_shop: Published) -> Published:
    return published_small_shop


@pytest.fixture
def lab(published: Published) -> Lab:
    return Lab.open(published.shop.folder, published.lake.root)


def test_the_lab_opens_at_the_newest_finished_run_by_argument_or_environment(
    published: Published, lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (lab.as_of, lab.snapshot) == (published.snapshot.as_of, published.snapshot)
    monkeypatch.setenv("RETENTION_SHOP", str(published.shop.folder))
    monkeypatch.setenv("RETENTION_LAKE", str(published.lake.root))
    opened = Lab.open()
    assert (opened.shop, opened.lake.root, opened.snapshot) == (lab.shop, lab.lake.root, lab.snapshot)


def test_a_lab_is_told_in_one_line(lab: Lab) -> None:
    tables = lab.tables().height
    assert repr(lab) == f"Lab({lab.shop.name}, as of {lab.as_of}, {tables} tables)"


def test_claims_are_read_in_words(lab: Lab) -> None:
    shown, stored = lab.claims(), lab.read("claims").sort("claim", maintain_order=True).collect()
    assert shown.columns == ["claim", "part", "claimed", "found", "status", "says"]
    assert shown.select("claim", "part", "status", "says").equals(
        stored.select("claim", "part", "status", "says")
    )
    assert shown.filter(pl.col("found") == "").height == stored["number"].null_count()
    assert shown._repr_html_().count("<tr>") == 1 + stored.height


def test_a_lab_opens_without_what_only_some_questions_need(published: Published) -> None:
    asks = (
        "import sys; from pipelines.lab import Lab; Lab.open(*sys.argv[1:]).read('orders').head().collect(); "
    )
    tells = (
        "print(*{'altair', 'dagster', 'duckdb', 'great_expectations', 'sklearn'}.intersection(sys.modules))"
    )
    folders = [str(published.shop.folder), str(published.lake.root)]
    command = [sys.executable, "-c", asks + tells, *folders]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == ""


def test_tables_lists_every_table_with_its_rows(lab: Lab) -> None:
    tables = lab.tables()
    rows = dict(tables.select("table", "rows").iter_rows())
    assert rows["orders"] == 65
    assert rows["customer_profile"] == 12
    assert rows["customer_predictions"] == 0
    assert rows["champions"] == 0
    assert dict(tables.select("table", "one_row_per").iter_rows())["orders"] == table("orders").grain
    assert tables["table"].is_unique().all()


def test_every_table_can_be_read_and_has_the_promised_columns(lab: Lab) -> None:
    for name in lab.tables()["table"]:
        assert dict(lab.read(name).collect().schema) == dict(table(name).schema)


def test_days_are_read_by_none_all_or_day(lab: Lab) -> None:
    newest = lab.read("rfm").collect()
    assert newest["as_of"].unique().to_list() == [lab.as_of]
    for same in (lab.as_of, lab.as_of.isoformat(), "all"):
        assert lab.read("rfm", as_of=same).collect().equals(newest)
    assert lab.read("orders", as_of="all").collect().height == 65
    with pytest.raises(AsOfError, match=f"no rows for 2020-01-01; it has {lab.as_of}"):
        lab.read("rfm", as_of="2020-01-01")
    with pytest.raises(AsOfError, match="must be a day such as 2011-12-09, or 'all', not 'yesterday'"):
        lab.read("rfm", as_of="yesterday")
    # It would be the newest day's rows under another day's name.
    with pytest.raises(AsOfError, match="Table purchases keeps no days"):
        lab.read("purchases", as_of=lab.as_of - timedelta(days=30))


def test_features_are_what_was_known_of_each_customer_on_a_day(lab: Lab) -> None:
    newest = lab.features().collect()
    assert newest.height == lab.read("customers").collect().height
    before = lab.as_of - timedelta(days=30)
    known = lab.read("orders").filter("is_valid", pl.col("order_day") <= before).collect()
    matrix = lab.features(before).collect()
    assert set(matrix["customer_key"]) == set(known["customer_key"].drop_nulls())
    first_day = known.select(pl.col("order_day").min()).item()
    assert (matrix["T"] <= (before - first_day).days).all()
    # The shop tells of no parcels: such a feature would be a zero that nobody knows.
    assert "parcels" not in matrix.columns


def test_what_is_not_there_is_told_with_what_is(published: Published, lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match=r"no table 'order' in the dictionary. Did you mean orders"):
        lab.read("order")
    with pytest.raises(ContractError, match="Did you mean"):
        lab.describe("custmers")
    with pytest.raises(LakeError, match="Table raw_returns was not written by a finished run"):
        lab.read("raw_returns")
    with pytest.raises(LakeError, match="Table orders has no version 99; it has 0 to 0"):
        lab.read("orders", version=99)
    with pytest.raises(LakeError, match=r"does not exist. Run `retention run`"):
        Lab.open(published.shop.folder, tmp_path / "nowhere")
    with pytest.raises(ShopError, match="no shop 'nobody'"):
        Lab.open("nobody", published.lake.root)


def test_describe_gives_the_dictionary(lab: Lab) -> None:
    described = lab.describe("customer_profile").frame.rows_by_key("column", named=True)
    assert set(described) == set(table("customer_profile").schema)
    assert described["historic_clv"][0]["unit"] == "shop currency"
    assert described["customer_key"][0]["privacy"] == "pseudonym"


def test_has_tells_what_the_shop_delivers(lab: Lab) -> None:
    assert lab.has("orders")
    assert lab.has("survey_answers")
    assert not lab.has("champions"), "written, without rows"
    assert not lab.has("shipments"), "never written"
    with pytest.raises(ContractError, match="Did you mean orders"):
        lab.has("order")


def test_claims_are_tested_on_the_tables_that_hold_rows(lab: Lab) -> None:
    facts = lab.claim_facts(margin=0.4)
    assert facts.options["margin"] == 0.4
    assert {"orders", "purchases", "survey_answers"} <= set(facts.tables)
    assert facts.lacks("shipments", "champions", "orders") == ("shipments", "champions")


def test_the_lab_sees_nothing_of_a_run_that_is_not_finished(published: Published, tmp_path: Path) -> None:
    copy = copy_of(published, tmp_path)
    lab = Lab.open(copy.shop.folder, copy.lake.root)
    seen = {name: lab.read(name).collect() for name in ("orders", "purchases", "rfm", "campaign_lists")}
    # The next night breaks off before its snapshot.
    publish(
        copy.shop,
        copy.lake,
        lab.as_of + timedelta(days=1),
        NIGHT + timedelta(days=1),
        leave_out=["reports", "snapshots"],
    )
    again = Lab.open(copy.shop.folder, copy.lake.root)
    assert again.snapshot == lab.snapshot
    assert copy.lake.as_of("purchases") == lab.as_of + timedelta(days=1)
    for name, rows in seen.items():
        assert again.read(name).collect().sort(rows.columns).equals(rows.sort(rows.columns)), name
    assert again.tables().equals(lab.tables())


def test_a_past_days_finished_run_is_read_as_of_that_day_in_every_table(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copy_of(published, tmp_path)
    past = published.snapshot.as_of - timedelta(days=40)
    publish(copy.shop, copy.lake, past)
    lab = Lab.open(copy.shop.folder, copy.lake.root, as_of=past)
    assert lab.snapshot.as_of == lab.as_of == past
    # purchases are kept for the newest day only; a past day must not be shown those.
    assert lab.read("purchases").select(pl.col("order_day").max()).collect().item() <= past
    assert lab.read("orders").collect().height == 65
    monkeypatch.setenv("RETENTION_SHOP", str(copy.shop.folder))
    monkeypatch.setenv("RETENTION_LAKE", str(copy.lake.root))
    monkeypatch.setenv("RETENTION_AS_OF", past.isoformat())
    assert Lab.open().snapshot == lab.snapshot
    # Who names a shop, such as the one to practise on, does not mean the night's day.
    assert Lab.open(copy.shop.folder).as_of == published.snapshot.as_of
    with pytest.raises(LakeError, match="no finished run for 2020-01-01"):
        Lab.open(as_of="2020-01-01")


def test_reading_writes_nothing(published: Published, lab: Lab) -> None:
    before = bytes_of(published.lake.root)
    lab.tables()
    lab.read("purchases").collect()
    assert bytes_of(published.lake.root) == before
