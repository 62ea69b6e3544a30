"""Guesses: the table and the columns that names and values agree on, and a reason where names are not enough."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from pipelines.connect.guess import Guess, guess_tables
from pipelines.connect.seen import look_at
from pipelines.shop import SAMPLES
from tests.pipelines.connect.composed_files import (
    english_orders,
    german_orders,
    shopify_orders,
    typeform_answers,
    write_rows,
)


def guesses(path: Path) -> list[Guess]:
    (seen,) = look_at(path)
    return guess_tables(seen)


def columns_file(folder: Path, columns: Mapping[str, Sequence[object]], name: str = "export.csv") -> Path:
    return write_rows(folder / name, list(columns), list(zip(*columns.values(), strict=True)))


def test_the_bundled_shop_is_understood_but_for_its_sheets() -> None:
    (guess,) = guesses(SAMPLES / "uk_gift_shop" / "uk_gift_shop.parquet")
    assert (guess.table, guess.missing, guess.unknown_columns) == ("orders", (), ("sheet",))
    assert guess.columns == {
        "order_id": "Invoice",
        "ordered_at": "InvoiceDate",
        "country": "Country",
        "customer_id": "Customer ID",
        "product_id": "StockCode",
        "product_name": "Description",
        "quantity": "Quantity",
        "unit_price": "Price",
    }


def test_german_orders_are_understood(tmp_path: Path) -> None:
    (guess,) = guesses(german_orders(tmp_path, "export.csv"))
    assert (guess.table, guess.missing, guess.unknown_columns) == ("orders", (), ())
    assert list(guess.columns.values()) == [
        "Bestellnummer", "Bestelldatum", "Land", "Kunden-Nr.", "E-Mail", "Artikelnummer", "Artikelbezeichnung", "Menge",
        "Einzelpreis",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "header",
    [
        [
            "N° de commande",
            "Date de commande",
            "Référence",
            "Désignation",
            "Quantité",
            "Prix unitaire",
            "Courriel",
        ],
        [
            "Número de pedido",
            "Fecha del pedido",
            "Referencia",
            "Descripción",
            "Cantidad",
            "Precio unitario",
            "Correo",
        ],
        [
            "Bestelnummer",
            "Besteldatum",
            "Artikelnummer",
            "Omschrijving",
            "Aantal",
            "Stuksprijs",
            "E-mailadres",
        ],
        [
            "Numero ordine",
            "Data ordine",
            "Codice articolo",
            "Descrizione",
            "Quantità",
            "Prezzo unitario",
            "Email",
        ],
        ["order_id", "created_at", "sku", "title", "qty", "price", "customer_email"],
    ],
)
def test_other_languages_are_understood(tmp_path: Path, header: list[str]) -> None:
    rows = [
        [f"O{n}", f"2025-01-{1 + n:02}", f"A{n}", f"Mug {n}", 1, "9.90", f"p{n}@example.com"]
        for n in range(20)
    ]
    (guess,) = guesses(write_rows(tmp_path / "x.csv", header, rows))
    names = ["order_id", "ordered_at", "product_id", "product_name", "quantity", "unit_price", "email"]
    assert {ours: guess.columns[ours] for ours in names} == dict(zip(names, header, strict=True))


def test_one_platform_file_delivers_several_tables_and_only_those_it_has_rows_for(tmp_path: Path) -> None:
    found = guesses(shopify_orders(tmp_path))
    assert {guess.table for guess in found} == {"orders", "returns", "consents"}
    assert all(not guess.missing and not guess.columns for guess in found)
    without = guesses(shopify_orders(tmp_path, "more.csv", refunds=False))
    assert {guess.table for guess in without} == {"orders", "consents"}


def test_a_question_answered_from_0_to_10_is_the_score_of_a_platforms_survey(tmp_path: Path) -> None:
    (guess,) = guesses(typeform_answers(tmp_path))
    assert (guess.table, guess.missing) == ("survey_answers", ())
    assert guess.columns["score"] == "How likely are you to recommend us?"
    assert guess.values["kind"] == "nps"
    assert guess.mapping["answered_at"] == "Submit Date (UTC)"


@pytest.mark.parametrize(("low", "high", "kind"), [(0, 10, "nps"), (1, 10, "nps"), (1, 5, "csat")])
def test_the_range_of_answers_says_what_was_asked(tmp_path: Path, low: int, high: int, kind: str) -> None:
    answers = [low + n % (high - low + 1) for n in range(30)]
    path = columns_file(
        tmp_path,
        {
            "Response ID": [f"r{n}" for n in range(30)],
            "Submitted at": ["2025-02-03 10:00:00"] * 30,
            "What do you think of our new shop window?": answers,
            "E-mail": [f"p{n}@example.com" for n in range(30)],
        },
    )
    (guess,) = guesses(path)
    assert (guess.table, guess.values["kind"]) == ("survey_answers", kind)
    assert guess.columns["score"] == "What do you think of our new shop window?"
    assert f"from {low} to {high}" in guess.reasons["score"]


def test_values_contradict_names(tmp_path: Path) -> None:
    path = english_orders(
        tmp_path, changes={"Email": ["see notes"] * 20, "Country": ["blue"] * 20, "Currency": ["coins"] * 20}
    )
    (guess,) = guesses(path)
    assert not {"email", "country", "currency"} & set(guess.columns)
    assert guess.unknown_columns == ("Email", "Country", "Currency")


def test_an_order_without_lines_is_one_line(tmp_path: Path) -> None:
    path = columns_file(
        tmp_path,
        {
            "Order number": [f"T{n}" for n in range(20)],
            "Date": ["05/06/2025", *["25/06/2025"] * 19],
            "Total": ["1.234,50"] * 20,
            "Customer": [f"c{n}" for n in range(20)],
        },
    )
    (guess,) = guesses(path)
    assert (guess.table, guess.missing) == ("orders", ())
    assert guess.columns["unit_price"] == "Total"
    assert dict(guess.values) == {"quantity": "1", "product_id": "order"}
    assert set(guess.reasons) >= {"unit_price", "quantity", "product_id"}


def test_a_lines_total_stands_for_one_piece_so_that_revenue_is_right(tmp_path: Path) -> None:
    columns = {"Unit price": ["x"] * 20, "Line total": ["19.00"] * 20}
    (guess,) = guesses(english_orders(tmp_path, changes=columns))
    assert guess.columns["unit_price"] == "Line total"
    assert "quantity" not in guess.columns
    assert guess.values["quantity"] == "1"


def test_returns_are_told_from_orders(tmp_path: Path) -> None:
    path = columns_file(
        tmp_path,
        {
            "RMA": [f"R{n}" for n in range(10)],
            "Order": [f"T{n}" for n in range(10)],
            "Date": ["2025-03-04"] * 10,
            "SKU": ["S1"] * 10,
            "Qty": [1] * 10,
            "Reason": ["too small"] * 10,
            "Refund": ["9.50"] * 10,
        },
    )
    (guess,) = guesses(path)
    assert (guess.table, guess.missing) == ("returns", ())
    assert guess.columns["amount"] == "Refund"


def test_a_customer_list_says_as_well_who_may_be_written_to(tmp_path: Path) -> None:
    path = columns_file(
        tmp_path,
        {
            "Customer ID": list(range(10)),
            "First name": ["Ann", "Bob"] * 5,
            "Last name": ["Example"] * 10,
            "Email": [f"p{n}@example.com" for n in range(10)],
            "Newsletter": ["yes", "no"] * 5,
            "Opt-in date": ["2025-01-02"] * 10,
        },
        "customers.csv",
    )
    customers, consents = guesses(path)
    assert (customers.table, consents.table) == ("customers", "consents")
    assert consents.values == {"channel": "email"}
    assert (consents.columns["is_granted"], consents.columns["recorded_at"]) == ("Newsletter", "Opt-in date")


def test_the_name_of_a_list_says_why_people_must_not_be_written_to(tmp_path: Path) -> None:
    columns = {"Email": [f"p{n}@example.com" for n in range(10)], "Date": ["2025-01-02"] * 10}
    for name, kind in (("unsubscribes.csv", "unsubscribed"), ("bounces.csv", "bounced")):
        (guess,) = guesses(columns_file(tmp_path, columns, name))
        assert (guess.table, guess.values["kind"]) == ("suppressions", kind)


def test_what_is_like_nothing_known_is_not_guessed(tmp_path: Path) -> None:
    assert guesses(columns_file(tmp_path, {"colour": ["red", "blue"], "weather": ["fine", "rain"]})) == []


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = columns_file(
        tmp_path,
        {
            "Order ID": ["T1", "T2"],
            "SKU": ["S1", "S2"],
            "Quantity": [1, 2],
            "Unit price": ["9.50", "3.00"],
            "Customer": ["1", "2"],
        },
    )
    assert guesses(path)[0].missing == ("ordered_at",)


NAMES = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["order id", "date", "qty", "price", "email", "score", "sheet", "#"]),
)
CELLS = st.one_of(
    st.none(),
    st.text(max_size=12),
    st.integers(-5, 12).map(str),
    st.sampled_from(["2025-01-02", "1,5", "a@b.co", "inf", "NaN"]),
)


@example({"score": [None, None, "INFINITY"]})
@given(st.dictionaries(NAMES, st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_table_whatever_stops_the_guessing(tmp_path: Path, columns: dict[str, list[str | None]]) -> None:
    path = tmp_path / "any.parquet"
    pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String)).write_parquet(path)
    for guess in guesses(path):
        assert set(guess.columns.values()) <= set(guess.seen.columns)
        assert not set(guess.columns) & set(guess.missing)
