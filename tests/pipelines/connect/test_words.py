"""Names are compared as people read them: without case, accents, marks and what stands in brackets."""

import pytest

from data_contracts.dictionary import delivered_columns
from pipelines.connect.matching import delivered_tables
from pipelines.connect.words import (
    country_code,
    currency_of,
    name_score,
    plain_name,
    words,
    words_in,
    zones_of,
)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("InvoiceDate", "invoice date"),
        ("order_id", "order id"),
        ("Bestell-Nr.", "bestell nr"),
        ("Submit Date (UTC)", "submit date"),
        ("Größe [cm]", "grosse"),
        ("PRÉNOM", "prenom"),
        ("CustomerID", "customer id"),
        ("  E-Mail  ", "e mail"),
        ("#", ""),
    ],
)
def test_names_become_plain_words(name: str, plain: str) -> None:
    assert plain_name(name) == plain


def test_every_known_name_is_plain_already_and_belongs_to_a_column() -> None:
    columns = {column.name for table in delivered_tables() for column in delivered_columns(table)}
    assert set(words()["columns"]) <= columns
    assert set(words()["files"]) <= set(delivered_tables())
    lists = [
        *words()["columns"].values(),
        *words()["totals"].values(),
        *words()["files"].values(),
        *words()["lines"].values(),
    ]
    assert [name for names in lists for name in names if name != plain_name(name)] == []


def test_the_first_name_says_it_best_and_a_part_says_less_than_any() -> None:
    known = ["order id", "order number", "invoice"]
    scores = [
        name_score(name, known) for name in ("Order ID", "OrderNumber", "Invoice", "Invoice copy", "Colour")
    ]
    assert scores == sorted(scores, reverse=True)
    assert scores[2] >= 0.7 > scores[3] > 0 == scores[4]


def test_words_are_found_as_words_only() -> None:
    assert words_in("my-returns_2024", ["returns"])
    assert not words_in("post office box", ["postage"])
    assert not words_in("postcards", ["post"])


@pytest.mark.parametrize(
    ("text", "code"),
    [("United Kingdom", "GB"), ("EIRE", "IE"), ("Deutschland", "DE"), ("Österreich", "AT"), ("de", "DE"),
     ("Belgium", "BE"), ("Japan", "JP"), ("Unspecified", None), ("XX", None), ("", None)],
)  # fmt: skip
def test_countries_are_read_by_name_and_code(text: str, code: str | None) -> None:
    assert country_code(text) == code


def test_a_country_has_zones_and_mostly_a_currency() -> None:
    assert zones_of("GB") == ["Europe/London"]
    assert zones_of("US")[0] == "America/New_York"
    assert zones_of("ES")[0] == "Europe/Madrid"
    assert (currency_of("AT"), currency_of("GB"), currency_of("AQ")) == ("EUR", "GBP", None)


def test_every_column_is_known_by_its_own_name() -> None:
    unknown = [
        (table, column.name)
        for table in delivered_tables()
        for column in delivered_columns(table)
        if plain_name(column.name) not in words()["columns"].get(column.name, ())
    ]
    assert unknown == []
