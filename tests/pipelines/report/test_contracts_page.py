"""The page of contracts over composed deliveries: every file, row and person here is made up."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts.dictionary import table_names
from data_contracts.suites import rules
from pipelines.ingest.quarantine import BLOCKED
from pipelines.lake import Lake
from pipelines.report.contract_findings import column_names, days
from pipelines.report.contract_rules import GROUPS
from pipelines.report.contracts import contracts_page, write_contracts_page
from pipelines.report.figures.contracts import Broke, sparkline
from pipelines.report.intake import FATES, gather
from pipelines.shop import Shop, Source
from pipelines.summary import summarise
from tests.pipelines.published_shops import Published
from tests.pipelines.report.composed_tables import Composed, frame, shop
from tests.pipelines.report.page_reader import Page, read
from tests.pipelines.small_shops import SETTINGS, deliver, ingest, order_line, return_row, write_shop

FIRST = datetime(2024, 5, 1, 3, tzinfo=UTC)
NOW = FIRST + timedelta(days=8, hours=1)
PERSON = "kim.composed@example.com"
NEEDS_PRICE, NEEDS_NAME = "unit_price_is_given", "customer_is_named"

Faults = Mapping[int, Mapping[str, int]]


def delivery(number: int, **more: Any) -> dict[str, Any]:
    """Delivery ``number`` of the source orders: 100 rows, all accepted, one a night."""
    row = {
        "receipt_id": f"orders-{number}", "delivery_id": f"orders-{number}", "source": "orders", "table": "orders",
        "file_name": f"orders_{number}.csv", "received_at": FIRST + timedelta(days=number), "rows": 100,
        "accepted": 100, "quarantined": 0, "replayed": 0, "kept": 100, "erased": 0, "is_repeat": False,
        "is_blocked": False, "unknown_columns": "", "notes": "",
    }  # fmt: skip
    return row | more


def lake_of(
    deliveries: Sequence[dict[str, Any]],
    faults: Faults = {},  # noqa: B006
    valid_orders: Sequence[dict[str, Any]] = (),
) -> Composed:
    """Tables that belong together: a delivery's first rows break rules; critical ones are set aside."""
    severity = {rule.name: rule.severity for rule in rules("orders")} | {BLOCKED: "critical"}
    broken = [
        {"delivery_id": f"orders-{number}", "row_number": row, "rule": rule, "severity": severity[rule]}
        for number, counts in faults.items()
        for rule, count in counts.items()
        for row in range(1, count + 1)
    ]
    aside: dict[tuple[str, int], list[str]] = {}
    for fault in broken:
        if fault["severity"] == "critical":
            aside.setdefault((fault["delivery_id"], fault["row_number"]), []).append(fault["rule"])
    quarantine = [
        {
            "delivery_id": delivery_id, "row_number": row, "rules": ",".join(sorted(names)),
            "row_as_delivered": f'{{"order_id":"{delivery_id}-{row}","email":"{PERSON}"}}',
        }
        for (delivery_id, row), names in aside.items()
    ]  # fmt: skip
    checked = sum(row["kept"] for row in deliveries)
    results = [
        {
            "table": "orders", "rule": rule.name, "says": rule.says, "severity": rule.severity, "checked": checked,
            "failed": sum(counts.get(rule.name, 0) for counts in faults.values()),
        }
        for rule in rules("orders")
    ]  # fmt: skip
    return Composed(
        {
            "deliveries": frame("deliveries", list(deliveries)),
            "contract_results": frame("contract_results", results if deliveries else []),
            "orders_faults": frame("orders_faults", [row for row in broken if row["rule"] != BLOCKED]),
            "orders_quarantine": frame("orders_quarantine", quarantine),
            "valid_orders": frame("valid_orders", list(valid_orders)),
        }
    )


def page_of(tables: Composed, now: datetime = NOW, **more: Any) -> str:
    composed = shop(**more)
    return contracts_page(gather(tables, composed, now), composed, now)


def finding_of(page: str) -> str:
    return next(text for level, text in read(page).headings if level == 2).replace("\u00a0", " ")


def cells_of(page: str, caption: str) -> list[list[str]]:
    """A plain table's rows of text."""
    body = page.split(f"<caption>{caption}</caption>")[1].split("</table>")[0].split("<tbody>")[1]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in body.split("</tr>") if "<t" in row]


BLOCKED_NIGHT = lake_of(
    [
        *(delivery(n) for n in range(6)),
        delivery(6, accepted=95, quarantined=5, notes="dates are read day first: 40 of 100 leave no choice"),
        delivery(7, accepted=0, quarantined=100, is_blocked=True, unknown_columns="Colour,Ship <to>"),
    ],
    {
        2: {NEEDS_NAME: 9},
        6: {NEEDS_PRICE: 5, NEEDS_NAME: 20},
        7: {NEEDS_PRICE: 97, BLOCKED: 100, NEEDS_NAME: 1},
    },
)
GOOD_NIGHT = lake_of([delivery(n, replayed=10, accepted=90, kept=90) for n in range(8)])
EVERY_TABLE = tuple(
    Source(name=name, table=name, format="csv", path="*.csv", columns={})
    for name in (name.removeprefix("valid_") for name in table_names() if name.startswith("valid_"))
)
PAGES: Mapping[str, tuple[Composed, dict[str, Any]]] = {
    "blocked": (BLOCKED_NIGHT, {}),
    "good": (GOOD_NIGHT, {}),
    "nothing yet": (Composed({}), {}),
    "every table": (GOOD_NIGHT, {"sources": EVERY_TABLE}),
}


@cache
def made(name: str) -> str:
    """One of the pages, made once."""
    tables, more = PAGES[name]
    return page_of(tables, **more)


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    return made(request.param)


def test_a_page_asks_for_nothing_from_anywhere(page: str) -> None:
    for tag, attributes in read(page).elements:
        assert tag not in ("script", "iframe", "object", "embed", "img", "form"), tag
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:,")), attributes
    assert not re.search(r"@import|url\((?!#)", page)
    assert "http" not in page.replace("http-equiv", "")


def test_tags_are_balanced_ids_single_and_headings_skip_no_level(page: str) -> None:
    reader = read(page)
    assert not reader.unbalanced
    assert not reader.open_tags
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert all(link["href"].removeprefix("#") in ids for link in reader.attributes("a"))
    levels = [level for level, _ in reader.headings]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_no_row_that_waits_shows_what_stands_in_it(page: str) -> None:
    assert PERSON not in page
    assert "example.com" not in page


def test_every_picture_says_in_words_what_it_shows(page: str) -> None:
    pictures = read(page).attributes("svg")
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 60 for picture in pictures)


def test_a_blocked_delivery_stands_on_top_with_file_rule_rows_since_when_and_remedy() -> None:
    text = read(made("blocked")).text
    assert finding_of(made("blocked")) == "orders_7.csv was blocked: 100 rows set aside as a whole."
    assert (
        "orders_7.csv (source orders), since 8 May 2024: “Every line has a price.” failed on 97 of 100 rows "
        "(97.0 %; a delivery is blocked above 20 %). 5 rows of other deliveries wait. "
        "What to do: Deliver a corrected file" in text
    )


def test_rows_that_wait_are_told_with_their_file_and_rule() -> None:
    page = page_of(lake_of([delivery(0), delivery(1, accepted=96, quarantined=4)], {1: {NEEDS_PRICE: 4}}))
    assert finding_of(page) == "4 rows wait for a correction, from orders_1.csv. All others went on."
    assert "since 2 May 2024: 4 of 100 rows wait: “Every line has a price.” (4)" in read(page).text
    assert cells_of(page, "Rows that wait, by file and rules they broke") == [
        ["orders_1.csv", "orders", "2\u00a0May 2024", "4", "Every line has a price."]
    ]


def test_rows_that_a_corrected_file_answered_wait_no_longer() -> None:
    corrected = [
        {"delivery_id": "orders-1", "row_number": n, "is_replay": False, "order_id": f"orders-0-{n}"}
        for n in (1, 2)
    ]
    deliveries = [delivery(0, accepted=98, quarantined=2), delivery(1, rows=2, accepted=2, kept=2)]
    page = page_of(lake_of(deliveries, {0: {NEEDS_PRICE: 2}}, corrected))
    assert finding_of(page).startswith(
        "All is kept: no row waits. The newest 1 delivery, of 2 May 2024, brought 2"
    )
    assert "2 rows set aside before came again, corrected." in read(page).text
    assert "No row waits." in read(page).text


def test_a_good_night_says_so_and_folds_the_rules() -> None:
    page = made("good")
    assert finding_of(page).startswith("All is kept: no row waits.")
    assert "orders: Every row keeps every rule." in read(page).text
    assert 'class="note' not in page
    assert f"{len(rules('orders'))} of {len(rules('orders'))}" in read(page).text
    assert "What to do" not in page


def test_nothing_delivered_is_said_in_plain_words() -> None:
    text = read(made("nothing yet")).text
    assert finding_of(made("nothing yet")) == "Nothing was delivered yet."
    assert "orders: No row was delivered yet, so nothing was checked." in text
    assert "nothing came yet" in text
    assert "No row waits." in text


def test_a_page_of_every_table_has_the_promises_of_each() -> None:
    page = made("every table")
    assert len(EVERY_TABLE) >= 16
    for source in EVERY_TABLE:
        assert f"<summary>{source.table}: " in page
    assert "Nothing ever came from" in read(page).text
    assert len(page.encode()) < 400_000


def test_delivered_rows_are_the_sum_of_where_they_went_in_every_line() -> None:
    rows = cells_of(made("good"), "By source and table, over all deliveries")
    numbers = [[int(cell.replace(",", "")) for cell in row[2:]] for row in rows]
    assert numbers == [[8, 800, 720, 0, 80, 0]] * 2
    for _, delivered, *went in numbers:
        assert delivered == sum(went)


def test_rows_that_do_not_add_up_are_told() -> None:
    assert "do not add up" in page_of(lake_of([delivery(0, accepted=99)]))


def told_by_delivery(reader: Page) -> list[list[int]]:
    labels = [svg["aria-label"] for svg in reader.attributes("svg") if svg.get("class") == "spark"]
    series = [label.split("oldest first: ")[1].split(";")[0] for label in labels]
    return [[int(number) for number in re.findall(r"\d+", one)] for one in series]


def test_counts_by_delivery_add_up_to_the_rules_own() -> None:
    reader = read(made("blocked"))
    assert told_by_delivery(reader) == [[0, 0, 0, 0, 0, 0, 5, 97], [0, 0, 9, 0, 0, 0, 20, 1]]
    assert (
        "102 of 800 rows (12.75 %): row is set aside in 2 of 8 deliveries; in each since orders_6.csv"
        in reader.text
    )
    assert "30 of 800 rows (3.75 %): row is kept and counted" in reader.text


def test_a_rule_that_broke_before_and_not_since_says_so() -> None:
    page = page_of(lake_of([delivery(0), delivery(1), delivery(2)], {1: {NEEDS_NAME: 3}}))
    assert "in 1 of 3 deliveries; last in orders_1.csv, 2 May 2024, not since" in read(page).text


def test_how_files_are_written_and_unused_columns_are_told() -> None:
    assert "Columns not used: Colour, Ship &lt;to&gt;." in made("blocked")
    page = page_of(lake_of([delivery(0, notes="dates are read day first: 40 of 100 leave no choice")]))
    assert "orders : dates are read day first: 40 of 100 leave no choice." in read(page).text


def test_a_column_whose_name_is_data_is_not_shown() -> None:
    told = column_names([f"Colour, {PERSON}", "0171 555 0123", "Colour", None, ""])
    assert told == ["Colour", "(looks like data, not shown)"]


def test_a_late_source_and_half_a_file_are_marked() -> None:
    tables = lake_of([*(delivery(n) for n in range(7)), delivery(7, rows=20, accepted=20, kept=20)])
    page = page_of(tables, NOW + timedelta(days=4))
    text = read(page).text
    assert (
        "orders is late: nothing new for 5.0 days" in text or "orders is late: nothing new for 5 days" in text
    )
    assert "orders brought 20 rows, usually 33 to 300: half a file?" in text
    (row,) = cells_of(page, "Newest delivery of each source against its own history")
    assert row[-1] == "▲ too few rows, ▲ late"


def test_a_sample_shop_is_never_late() -> None:
    page = page_of(GOOD_NIGHT, NOW + timedelta(days=400), sample=True)
    assert "▲" not in page
    assert "A sample shop is never late." in page


def test_text_of_files_is_escaped() -> None:
    page = page_of(
        lake_of([delivery(0, file_name="<b>x</b>.csv", accepted=99, quarantined=1)], {0: {NEEDS_PRICE: 1}})
    )
    assert "<b>x" not in page
    assert "&lt;b&gt;x&lt;/b&gt;.csv" in page


def test_a_page_is_the_same_for_the_same_tables() -> None:
    assert page_of(BLOCKED_NIGHT) == made("blocked")


@pytest.mark.parametrize(
    ("value", "says"), [(None, "not known before 6 deliveries"), (0.01, "under an hour"), (0.1, "2 hours"),
                        (1.0, "1 day"), (1.53, "1.5 days"), (12.4, "12 days")],
)  # fmt: skip
def test_lengths_of_time_are_said_shortly(value: float | None, says: str) -> None:
    assert days(value).replace("\u00a0", " ") == says


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 100), min_size=2, max_size=40))
def test_a_small_picture_has_one_bar_a_delivery_and_none_is_lost(failed: list[int]) -> None:
    drawn = sparkline([Broke(count, 100) for count in failed], "warning")
    heights = [int(height) for height in re.findall(r'<rect [^>]*height="(\d+)"', drawn)]
    shown = failed[-30:]
    assert len(heights) == len(shown)
    for height, count in zip(heights, shown, strict=True):
        assert height == 1 if count == 0 else 3 <= height <= 26
    assert not any(shown) or max(heights) == 26


def test_one_delivery_needs_no_picture() -> None:
    assert sparkline([Broke(3, 10)], "critical") == ""


@pytest.fixture(scope="module")
def real(great_expectations: None, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shop, Lake]:
    """Two nights of a composed shop, really taken in: rows without a price, then returns without a time."""
    folder = tmp_path_factory.mktemp("contracts")
    opened = write_shop(folder, ["orders", "returns"], settings=SETTINGS.replace("block_share = 1.0", ""))
    lake = Lake.make(folder / "lake", opened.name)
    lines = [order_line(str(n), email=PERSON, unit_price="" if n == 1 else "5.00") for n in range(10)]
    deliver(folder, "orders", "first", lines)
    deliver(folder, "returns", "first", [return_row("R1")])
    ingest(opened, lake, FIRST)
    deliver(folder, "returns", "second", [return_row(f"R{n}", returned_at="some day") for n in range(2, 6)])
    ingest(opened, lake, FIRST + timedelta(days=1))
    return opened, lake


@pytest.mark.xdist_group("gx")
def test_the_page_of_a_real_lake_names_the_blocked_file_and_shows_nobody(real: tuple[Shop, Lake]) -> None:
    opened, lake = real
    path = write_contracts_page(lake, opened, FIRST + timedelta(days=1))
    page = path.read_text(encoding="utf-8")
    assert path == lake.root / "reports" / "contracts.html"
    assert list(path.parent.iterdir()) == [path]
    assert finding_of(page) == "second.csv was blocked: 4 rows set aside as a whole."
    assert "1 row of other deliveries waits." in read(page).text
    assert PERSON not in page
    assert "some day" not in page


@pytest.mark.xdist_group("gx")
def test_counts_of_a_real_lake_agree_with_its_tables(real: tuple[Shop, Lake]) -> None:
    opened, lake = real
    found = gather(lake.scan, opened, FIRST + timedelta(days=1))
    assert found.is_conserved
    assert int(found.waiting["waiting"].sum()) == 5 == int(found.new["quarantined"].sum())
    by_rule = found.by_rule.group_by("table", "rule").agg(pl.col("failed").sum()).sort("table", "rule")
    told = found.results.filter(pl.col("failed") > 0).select("table", "rule", "failed").sort("table", "rule")
    assert by_rule.equals(told)
    checked = dict(found.results.select("table", "checked").unique().iter_rows())
    assert checked == dict(found.new.group_by("table").agg(pl.col("kept").sum()).iter_rows())
    assert set(FATES) < set(found.deliveries.columns)


def test_a_lake_without_a_delivery_has_a_page(tmp_path: Path) -> None:
    composed = shop()
    lake = Lake.make(tmp_path / "lake", composed.name)
    page = write_contracts_page(lake, composed, NOW).read_text(encoding="utf-8")
    assert finding_of(page) == "Nothing was delivered yet."


@pytest.mark.xdist_group("published_small_shop")
def test_a_run_leaves_the_page_beside_its_report_and_says_where(published_small_shop: Published) -> None:
    lake = published_small_shop.lake
    recorded = {row["page"]: row for row in lake.scan("reports").collect().to_dicts()}
    assert set(recorded) == {"report", "contracts"}
    page = lake.root / recorded["contracts"]["file_name"]
    assert page.parent == (lake.root / recorded["report"]["file_name"]).parent
    assert page.read_bytes() == (lake.root / "reports" / "contracts.html").read_bytes()
    assert finding_of(page.read_text(encoding="utf-8")).startswith("All is kept")
    summary = summarise(published_small_shop.shop, lake, published_small_shop.snapshot, 1.0)
    assert f"Contracts      {page}" in summary.text
    assert summary.facts["contracts"] == [str(page)]


def test_every_rule_stands_in_a_group_that_the_page_shows() -> None:
    for source in EVERY_TABLE:
        assert {rule.group for rule in rules(source.table)} <= set(GROUPS)
