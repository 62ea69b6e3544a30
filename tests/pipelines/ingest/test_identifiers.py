"""Identifiers: written in one way, and nobody's where they stand for nobody. Everybody here is made up."""

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from pydantic import ValidationError

from pipelines.ingest.identifiers import KINDS, normalised
from pipelines.settings import Identity

COLUMNS = ["customer_numbers", "customer_id", "email", "phone", "country"]


def rows(*people: dict[str, Any]) -> pl.LazyFrame:
    people = tuple({"customer_numbers": "shop"} | person for person in people)
    columns = {name: [person.get(name) for person in people] for name in COLUMNS}
    return pl.LazyFrame(columns, schema=dict.fromkeys(COLUMNS, pl.String))


def found(person: dict[str, Any], rules: Identity | None = None) -> dict[str, str | None]:
    return normalised(rows(person), rules).select(KINDS).collect().row(0, named=True)


def test_a_row_says_who_it_is_in_three_ways() -> None:
    person = {"email": " Anna@Example.com", "phone": "020 7946 0123", "country": "GB", "customer_id": " 7 "}
    assert found(person) == {"email": "anna@example.com", "phone": "+442079460123", "source_id": "shop:7"}


def test_a_phone_number_is_read_in_the_rows_country_else_in_the_shops() -> None:
    shop = Identity(phone_region="DE")
    assert found({"phone": "030 23125 012"}, shop)["phone"] == "+493023125012"
    assert found({"phone": "030 23125 012"})["phone"] is None
    assert found({"phone": "020 7946 0123", "country": "United Kingdom"}, shop)["phone"] == "+442079460123"
    assert found({"phone": "030 23125 012", "country": " "}, shop)["phone"] == "+493023125012"


def test_a_country_that_cannot_be_read_is_not_the_shops() -> None:
    assert (
        found({"phone": "030 23125 012", "country": "Elbonia"}, Identity(phone_region="DE"))["phone"] is None
    )


@pytest.mark.parametrize("text", Identity().placeholders)
def test_placeholders_name_nobody(text: str) -> None:
    address = f"{text}example.com" if text.endswith("@") else text
    number = None if text.endswith("@") else f" {text.upper()} "
    person = {"email": address.title(), "phone": text, "customer_id": number, "country": "GB"}
    assert set(found(person).values()) == {None}


def test_a_shop_adds_placeholders_of_its_own() -> None:
    rules = Identity(placeholders=("Till@", "walk-in (guest)", "office@example.com", "+442079460123"))
    assert found({"email": "till@example.org"}, rules)["email"] is None
    assert found({"email": "office@example.com"}, rules)["email"] is None
    assert found({"customer_id": "Walk-In (Guest)"}, rules)["source_id"] is None
    assert found({"phone": "+442079460123"}, rules)["phone"] is None
    assert found({"email": "still@example.org"}, rules)["email"] == "still@example.org"
    assert found({"email": "noreply@example.org", "customer_id": "0"}, rules) == {
        "email": "noreply@example.org", "phone": None, "source_id": "shop:0"
    }  # fmt: skip


def test_no_placeholders_are_none() -> None:
    assert found({"customer_id": "none"}, Identity(placeholders=()))["source_id"] == "shop:none"


def test_settings_take_only_countries_that_have_numbers() -> None:
    with pytest.raises(ValidationError, match="'Germany' is not the two-letter code of a country"):
        Identity(phone_region="Germany")


def test_rows_without_phone_or_country_can_be_read() -> None:
    some = rows({"email": "anna@example.com"}).drop("phone", "country")
    assert normalised(some).select(KINDS).collect().row(0) == ("anna@example.com", None, None)
    assert normalised(some.filter(pl.lit(False))).select(KINDS).collect().height == 0


CELL = st.none() | st.sampled_from(
    [
        "Anna@Example.com",
        "o'neil@exämple.com",
        "n/a",
        "020 7946 0123",
        "+44 (0)20 7946 0123",
        "30 23125 012",
        "7",
    ]
)
PEOPLE = st.lists(st.fixed_dictionaries(dict.fromkeys(COLUMNS[1:4], CELL)), max_size=6)


@given(PEOPLE, st.sampled_from([None, "GB", "DE"]))
@settings(max_examples=30, deadline=None)
def test_what_is_normalised_stays_as_it_is_even_in_another_country(
    people: list[dict[str, Any]], region: str | None
) -> None:
    once = normalised(rows(*people), Identity(phone_region=region)).collect()
    twice = normalised(once.lazy(), Identity(phone_region="FR")).collect()
    assert_frame_equal(once, twice)


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
def test_it_is_the_same_on_either_engine(engine: Any) -> None:
    many = pl.concat(
        [
            rows({"email": f"o'neil{n}@example.com", "phone": "020 7946 0123", "country": "uk"})
            for n in range(40)
        ]
    )
    assert normalised(many).select(pl.col(KINDS).count()).collect(engine=engine).row(0) == (40, 40, 0)
