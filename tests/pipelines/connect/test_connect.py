"""From files to a shop that opens and whose deliveries are read: nothing invented, nothing lost without a word."""

import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl
import pytest

from pipelines.connect.asking import Wishes
from pipelines.connect.connect import Connected, connect
from pipelines.errors import DeliveryError, ShopError
from pipelines.shop import SAMPLES, Shop
from pipelines.sources.arrivals import arrivals
from tests.pipelines.connect.composed_files import (
    english_orders,
    german_orders,
    shopify_orders,
    typeform_answers,
    workbook,
    write_rows,
)

GIVEN = Wishes(timezone="Europe/London", currency="GBP")


class Answers:
    """A person who answers in order, and what was asked."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)
        self.questions: list[str] = []

    def pick(self, question: str, options: Sequence[str]) -> str | None:
        self.questions.append(question)
        answer = self.answers.pop(0)
        assert answer is None or answer in options
        return answer

    def text(self, question: str, check: Callable[[str], object]) -> str:
        self.questions.append(question)
        answer = self.answers.pop(0)
        assert answer is not None
        check(answer)
        return answer


def understood(folder: Path, *files: Path, wishes: Wishes = GIVEN, ask: Answers | None = None) -> Connected:
    return connect([str(file) for file in files], folder / "shop.toml", wishes, ask, lambda _: None)


def opened(folder: Path, made: Connected) -> Shop:
    """Write what was made, open it and read all that it delivers."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "shop.toml").write_text(made.text, encoding="utf-8")
    shop = Shop.open(folder)
    assert shop.model_dump(exclude={"folder"}) == made.shop.model_dump(exclude={"folder"})
    assert sum(arrival.rows().collect().height for arrival in arrivals(shop)) >= made.history.lines
    return shop


def rows_of(shop: Shop, table: str) -> pl.DataFrame:
    return pl.concat([arrival.rows().collect() for arrival in arrivals(shop, table)])


def test_the_bundled_shop_is_connected_as_its_own_settings_say(tmp_path: Path) -> None:
    made = understood(tmp_path, SAMPLES / "uk_gift_shop" / "uk_gift_shop.parquet", wishes=Wishes(name="uk"))
    shop, own = made.shop, Shop.open("uk_gift_shop")
    assert (shop.timezone, shop.currency, shop.history_start) == (
        own.timezone,
        own.currency,
        own.history_start,
    )
    assert shop.sources[0].columns == own.sources[0].columns
    assert shop.sources[0].split_by == own.sources[0].split_by == "sheet"
    assert "19,493 of the 19,494 lines of orders C... take goods back" in made.text
    assert made.left_out == []


def test_a_shopify_like_export_delivers_orders_returns_and_consents(tmp_path: Path) -> None:
    made = understood(tmp_path, shopify_orders(tmp_path), wishes=Wishes())
    shop = opened(tmp_path, made)
    assert (shop.timezone, shop.currency) == ("Europe/Berlin", "EUR")
    assert {source.table for source in shop.sources} == {"orders", "returns", "consents"}
    assert rows_of(shop, "returns").height == 4


def test_a_typeform_like_export_beside_orders(tmp_path: Path) -> None:
    made = understood(tmp_path, english_orders(tmp_path), typeform_answers(tmp_path))
    shop = opened(tmp_path, made)
    answers = rows_of(shop, "survey_answers")
    assert set(answers["kind"]) == {"nps"}
    assert answers["answered_at"].str.ends_with("+00:00").all(), (
        "the form's times are UTC, the shop's are not"
    )


def test_a_german_export_in_windows_1252(tmp_path: Path) -> None:
    made = understood(tmp_path, german_orders(tmp_path), wishes=Wishes(currency="EUR"))
    shop = opened(tmp_path, made)
    (source,) = shop.sources
    assert shop.timezone == "Europe/Berlin"
    assert (source.layout.dates, source.layout.decimal) == ("day first", ",")
    lines = rows_of(shop, "orders")
    assert lines["unit_price"].to_list()[:2] == ["1234.50", "1.90"]
    assert lines["ordered_at"][0] == "2025-01-01 10:00:00"
    assert "Größe" in lines["product_name"][0]


def test_a_workbook_with_several_sheets(tmp_path: Path) -> None:
    orders = pl.read_csv(english_orders(tmp_path), infer_schema=False)
    returns = pl.DataFrame(
        {"Return ID": ["R1"], "Order ID": ["T1"], "Return date": ["2025-04-01"], "Amount": ["9.50"]}
    )
    made = understood(tmp_path, workbook(tmp_path, {"Orders": orders, "Returns": returns}))
    shop = opened(tmp_path, made)
    assert {(source.table, source.layout.sheet) for source in shop.sources} == {
        ("orders", None),
        ("returns", "Returns"),
    }
    assert rows_of(shop, "returns")["order_id"].to_list() == ["T1"]


def test_three_files_of_a_kind_are_one_source(tmp_path: Path) -> None:
    files = [german_orders(tmp_path, f"Bestellungen-{month}.csv", first=60 * month) for month in range(3)]
    made = understood(tmp_path, *files)
    (source,) = opened(tmp_path, made).sources
    assert source.path == "Bestellungen-*.csv"
    assert made.drafts[0].rows == made.history.lines == 180


def test_a_second_source_of_orders_has_numbers_of_its_own_and_says_so(tmp_path: Path) -> None:
    made = understood(tmp_path, shopify_orders(tmp_path), english_orders(tmp_path))
    shop = opened(tmp_path, made)
    first, second = shop.sources_of("orders")
    assert (first.name, second.name) == ("shopify_orders", "orders")
    assert shop.numbers_of(second).orders == "orders"
    assert made.text.count("If they are those of shopify_orders, add") == 1


def test_files_that_cannot_be_understood_are_told_and_the_others_go_on(tmp_path: Path) -> None:
    good = english_orders(tmp_path)
    junk = tmp_path / "junk.csv"
    junk.write_bytes(bytes(range(256)) * 20)
    nameless = tmp_path / "nameless.csv"
    nameless.write_text("\n".join(f"{n},{n}.5,2026-01-01" for n in range(30)))
    weather = write_rows(tmp_path / "weather.csv", ["colour", "weather"], [["red", "fine"]])
    made = understood(tmp_path, good, junk, nameless, weather)
    assert {source.path for source in opened(tmp_path, made).sources} == {"orders*.csv"}
    assert len(made.left_out) == 3
    for name in ("junk.csv", "nameless.csv", "weather.csv"):
        assert any(reason.startswith(name) for reason in made.left_out)
        assert name in made.text


def test_without_orders_there_is_no_shop_and_each_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DeliveryError, match=r"None of these files holds orders") as told:
        understood(
            tmp_path, typeform_answers(tmp_path), write_rows(tmp_path / "x.csv", ["colour"], [["red"]])
        )
    assert "responses.csv: survey_answers" in str(told.value)
    assert "x.csv" in str(told.value)


def test_what_nobody_can_tell_fails_with_what_to_give(tmp_path: Path) -> None:
    with pytest.raises(ShopError, match=r"do not tell\n.*currency .*--currency.*\n.*timezone .*--timezone"):
        understood(tmp_path, english_orders(tmp_path), wishes=Wishes())


def test_a_person_is_asked_only_what_nothing_tells(tmp_path: Path) -> None:
    nobody = Answers()
    understood(tmp_path, shopify_orders(tmp_path), wishes=Wishes(), ask=nobody)
    assert nobody.questions == []
    person = Answers("NOK", "Europe/Oslo")
    made = understood(tmp_path, english_orders(tmp_path), wishes=Wishes(), ask=person)
    assert [question.split(" ", 3)[2] for question in person.questions] == ["currency", "timezone"]
    assert (made.shop.currency, made.shop.timezone) == ("NOK", "Europe/Oslo")


def test_a_person_is_asked_for_table_and_columns_of_an_unknown_file(tmp_path: Path) -> None:
    columns = ["aa", "bb", "cc", "dd", "ee"]
    rows = [[f"T{n}", "2025-02-03", f"S{n % 3}", 2, "9.50"] for n in range(10)]
    unknown = write_rows(tmp_path / "unknown.csv", columns, rows)
    person = Answers("orders", *columns)
    made = understood(tmp_path, unknown, ask=person)
    needed = ("order_id", "ordered_at", "product_id", "quantity", "unit_price")
    assert made.shop.sources[0].columns == dict(zip(needed, columns, strict=True))
    with pytest.raises(DeliveryError, match="None of these files holds orders"):
        understood(tmp_path, unknown, ask=Answers(None))


def test_a_person_is_asked_for_the_order_of_dates_only_where_the_file_does_not_tell(tmp_path: Path) -> None:
    path = english_orders(tmp_path, changes={"Order date": [f"0{1 + n % 9}/04/2025" for n in range(20)]})
    silent = understood(tmp_path, path)
    assert silent.shop.sources[0].layout.dates is None
    assert any("tells day from month" in note for note in silent.notes["orders"])
    assert "tells day from month" in silent.text
    person = Answers("03/04/2026 is March 4")
    told = understood(tmp_path, path, ask=person)
    assert told.shop.sources[0].layout.dates == "month first"
    assert told.notes["orders"] == ()
    assert tomllib.loads(told.text)["history_start"].isoformat() == "2025-01-04"


def test_orders_without_a_readable_time_make_no_shop(tmp_path: Path) -> None:
    path = english_orders(tmp_path, changes={"Order date": ["3 hours ago"] * 20})
    with pytest.raises(DeliveryError, match=r"no column is ordered_at"):
        understood(tmp_path, path)


def test_local_phone_numbers_are_of_the_country_of_most_orders(tmp_path: Path) -> None:
    changes = {"Phone": [f"020 7946 0{n:03}" for n in range(20)], "Country": ["United Kingdom"] * 20}
    made = understood(tmp_path, english_orders(tmp_path, changes=changes), wishes=Wishes())
    assert made.shop.identity.phone_region == "GB"
    assert "20 phone numbers have no country code" in made.text


def test_names_of_columns_cannot_break_out_of_the_file(tmp_path: Path) -> None:
    nasty = ['say "hi" \\ now', "a\nb", "tab\there", "# no comment", "ключ"]
    changes = {name: [f"x{n}" for n in range(20)] for name in nasty} | {
        'Unit "price"': ["9.50"] * 20,
        "Unit price": [""] * 20,
    }
    made = understood(tmp_path, english_orders(tmp_path, changes=changes))
    shop = opened(tmp_path, made)
    assert "Not used" in made.text
    assert len(shop.sources) == 1
