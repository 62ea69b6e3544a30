import re
from datetime import UTC, datetime
from itertools import pairwise

import polars as pl
import pytest

from data_contracts import table
from models.satisfaction import satisfaction
from pipelines.report.report import render_report
from tests.pipelines.report.composed_tables import AS_OF, KEY_MARK, Composed, frame, list_row, shop
from tests.pipelines.report.page_reader import read

NOON = datetime(AS_OF.year, AS_OF.month, AS_OF.day, 12, tzinfo=UTC)


def render(tables: Composed, **settings: object) -> str:
    return render_report(tables, shop(**settings), AS_OF, "now")


@pytest.fixture(scope="module")
def empty_page() -> str:
    return render(Composed({}), lists=())


@pytest.mark.parametrize("which", ["page", "empty_page"])
def test_page_asks_for_nothing_from_anywhere(which: str, request: pytest.FixtureRequest) -> None:
    page: str = request.getfixturevalue(which)
    reader = read(page)
    for tag, attributes in reader.elements:
        assert tag not in ("script", "iframe", "object", "embed", "img", "form"), tag
        assert not any(name.startswith("on") for name in attributes), attributes
        for name in ("src", "href", "xlink:href", "action", "data", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:,")), attributes
    assert not re.search(r"@import|url\((?!#)", page)
    assert "http" not in page.replace("http-equiv", "")


def test_page_holds_no_customer_key(page: str) -> None:
    assert KEY_MARK not in page


@pytest.mark.parametrize("which", ["page", "empty_page"])
def test_tags_are_balanced_and_ids_single(which: str, request: pytest.FixtureRequest) -> None:
    reader = read(request.getfixturevalue(which))
    assert not reader.unbalanced
    assert not reader.open_tags
    ids = [attributes["id"] for _, attributes in reader.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for link in reader.attributes("a"):
        assert link["href"].removeprefix("#") in ids
    for clipped in (
        attributes["clip-path"] for _, attributes in reader.elements if "clip-path" in attributes
    ):
        assert re.fullmatch(r"url\(#(.+)\)", clipped)[1] in ids  # type: ignore[index]


def test_every_picture_says_in_words_what_it_shows(page: str) -> None:
    pictures = read(page).attributes("svg")
    assert len(pictures) == 2 * 19
    assert all(picture["role"] == "img" and len(picture["aria-label"]) > 60 for picture in pictures)


@pytest.mark.parametrize("which", ["page", "empty_page"])
def test_headings_skip_no_level(which: str, request: pytest.FixtureRequest) -> None:
    levels = [level for level, _ in read(request.getfixturevalue(which)).headings]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_every_picture_has_its_numbers_as_a_table(page: str) -> None:
    reader = read(page)
    figures = len(reader.attributes("figure"))
    assert figures == 19
    assert len(reader.attributes("details")) == figures
    assert len(reader.attributes("table")) >= figures


def test_page_is_the_same_for_the_same_tables(tables: Composed) -> None:
    few = Composed({name: tables(name) for name in ("orders", "returns", "purchases", "rfm")})
    assert render(few) == render(few)


def test_page_is_small(page: str) -> None:
    assert len(page.encode()) < 3_000_000


def test_headline_numbers_are_those_of_the_tables(tables: Composed, page: str) -> None:
    text = read(page).text
    valid = tables("orders").filter("is_valid").collect()
    by_customer = valid.drop_nulls("customer_key").group_by("customer_key").len()
    again = by_customer.filter(pl.col("len") > 1).height
    matched = tables("returns").filter(pl.col("order_id").is_not_null(), pl.col("returned_day") <= AS_OF)
    net = float(valid["gross"].sum()) - float(matched.collect()["amount"].sum())
    without = valid.filter(pl.col("customer_key").is_null())
    assert f"Customers {by_customer.height} with" in text
    assert f"Valid orders {valid.height:,} {without.height} of them without a customer" in text
    assert f"Net revenue €{net:,.0f}" in text
    assert f"Repeat purchase rate {again / by_customer.height:.1%}".replace("%", " %") in text
    assert f"{again} of {by_customer.height} customers" in text
    assert "3 of " + f"{valid.height + 3} orders do not count" in text


def test_what_came_in_is_told_with_its_faults(page: str) -> None:
    text = read(page).text
    assert (
        "Every one of 1,500 delivered rows is accounted for: 1,470 accepted, 23 had come before and 7 set aside."
        in text
    )
    assert "7 rows of orders broke the rule: Every line has a price." in text
    assert "Columns that no setting of the shop uses: Colour, Ship <to>." in text


def test_text_of_files_is_escaped(page: str) -> None:
    assert "Ship <to>" not in page
    assert "<no value>" not in page
    assert "Composed &amp; Sons" in page


def test_champions_are_named_in_plain_words(page: str) -> None:
    text = read(page).text
    assert "Published after the back-test: “Last 12 months again” for what customers will be worth" in text
    assert (
        "“Last 12 months again” has the best normalised Gini (0.610) and its total is off by −5.0 %." in text
    )
    assert "54 customers are expected to bring €6,831 in the next 365 days" in text


def test_origins_of_the_back_test_are_counted(tables: Composed) -> None:
    once = tables("backtest").with_columns(origins=pl.lit(1, pl.Int32))
    thrice = tables("backtest").with_columns(origins=pl.lit(3, pl.Int32))
    says = "the same from 2 earlier days, each 180 days before the next"
    few = Composed({"readiness": tables("readiness")})
    assert "earlier day" not in read(render(few.replaced(backtest=once))).text
    assert says in read(render(few.replaced(backtest=thrice))).text


def test_lists_come_in_the_shops_order_with_effect_and_expiry(page: str) -> None:
    text = read(page).text
    assert text.index("Second list") < text.index("First list")
    assert "A rise of 41.0 points or more. 30.0 % would order within 90 days anyway (composed)" in text
    assert "no effect, however large, would be told from chance" in text
    assert "13 June 2023, 03:00 (Europe/Berlin); after that it is not handed out." in text
    assert "22 people of 54 are in the file; 6 more are held out." in text


def test_lists_of_a_sample_do_not_expire() -> None:
    tables = Composed({"campaign_lists": frame("campaign_lists", [list_row("first", expires_at=None)])})
    text = read(render(tables, sample=True)).text
    assert "Valid until Lists of a sample shop do not expire." in text


def test_without_surveys_nothing_is_made_up(page: str) -> None:
    text = read(page).text
    assert "No surveys connected." in text
    assert 'table = "survey_answers"' in text


def test_satisfaction_is_told_with_interval_and_response_rate() -> None:
    answers = [
        {"survey_id": f"{kind}{n}", "customer_key": f"{KEY_MARK}{n}", "kind": kind, "score": score,
         "answered_at": NOON, "answered_day": AS_OF}
        for kind, score, people in (("nps", 9, 40), ("csat", 4, 12))
        for n in range(people)
    ]  # fmt: skip
    invitations = [
        {"survey_id": f"nps{n}", "customer_key": f"{KEY_MARK}{n}", "kind": "nps", "sent_at": NOON, "sent_day": AS_OF}
        for n in range(80)
    ]  # fmt: skip
    found = satisfaction(frame("survey_answers", answers), frame("survey_invitations", invitations), AS_OF)
    page = render(Composed({"satisfaction": found.collect().lazy()}), lists=())
    text = read(page).text
    assert "No surveys connected" not in text
    assert "NPS +100 +100 to +100 40 80 50.0 %" in text
    assert "CSAT too few answers to say" in text
    assert KEY_MARK not in page


def test_shop_that_is_not_ready_says_why() -> None:
    reasons = "41 customers have a valid order, and at least 500 are needed"
    rows = [{"as_of": AS_OF, "condition": "customers", "found": 41, "is_ready": False, "reasons": reasons}]
    text = read(render(Composed({"readiness": frame("readiness", rows)}))).text
    assert f"Not ready for predictions: {reasons}." in text
    assert "In the back-test" not in text


def test_empty_shop_says_so_in_every_section(empty_page: str) -> None:
    reader = read(empty_page)
    assert not reader.attributes("svg")
    for says in (
        "There is no valid order up to 10 June 2023",
        "Nothing was delivered yet.",
        "No cohort is a full month old yet",
        "No merchandise came back",
        "No surveys connected.",
        "was not computed for this day",
        "No customer has a stage yet.",
        "No lists yet.",
    ):
        assert says in reader.text


def test_blocked_delivery_and_lost_rows_raise_an_alarm() -> None:
    rows = [{"receipt_id": "a", "table": "orders", "rows": 10, "accepted": 4, "quarantined": 5, "replayed": 0,
             "erased": 0, "is_blocked": True}]  # fmt: skip
    text = read(render(Composed({"deliveries": frame("deliveries", rows)}))).text
    assert "1 row of 10 delivered are not accounted for" in text
    assert "1 delivery set aside as a whole" in text


def test_every_table_read_is_in_the_dictionary(tables: Composed) -> None:
    asked: set[str] = set()

    def noting(name: str) -> pl.LazyFrame:
        asked.add(name)
        return table(name).empty().lazy()

    render_report(noting, shop(), AS_OF, "now")
    assert {"orders", "returns", "purchases", "deliveries", "campaign_lists"} <= asked
