"""E-mail addresses: what email-validator says, said quickly. All addresses are made up."""

from typing import Any

import email_validator
import polars as pl
import pytest
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.email_addresses import email_addresses as addresses


def one(text: str | None) -> str | None:
    return addresses(pl.Series([text], dtype=pl.String)).item()


def by_library(text: str) -> str | None:
    """The slow and obvious way."""
    try:
        return validate_email(text.strip().lower(), check_deliverability=False).normalized.lower()
    except EmailNotValidError:
        return None


@pytest.mark.parametrize(
    "text",
    [
        "anna@example.com",
        "  Anna@Example.COM\t",
        "anna.b+news_1-2@shop.example.co.uk",
        "o'neil@example.com",
        "ü@example.com",
        "a@exämple.com",
        "A@EXÄMPLE.COM",
        "a@xn--exmple-cua.com",
        "a@example.c",
        f"{'x' * 60}@example.com",
    ],
)
def test_an_address_is_accepted_as_the_library_writes_it(text: str) -> None:
    assert one(text) == by_library(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "@",
        "n/a",
        "anna",
        "anna@",
        "@example.com",
        "a b@example.com",
        "a@b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a@example",
        "a@-example.com",
        "a@example-.com",
        "a@ex--ample.com",
        "a@example..com",
        "a@example.com.",
        "a@example.123",
        "a@localhost",
        "a@shop.test",
        "a@[127.0.0.1]",
        '"a b"@example.com',
        "Anna <a@example.com>",
        f"{'x' * 250}@example.com",
    ],
)
def test_what_is_no_address_names_nobody(text: str | None) -> None:
    assert one(text) is None


def test_one_domain_is_one_however_it_is_encoded() -> None:
    ways = ["a@exämple.com", "a@EXÄMPLE.com", "a@xn--exmple-cua.com"]
    assert set(addresses(pl.Series(ways))) == {"a@exämple.com"}


LABEL = st.text("abz09-", min_size=1, max_size=6)
DOMAIN = st.lists(LABEL, min_size=1, max_size=3).map(".".join)
ENDING = st.sampled_from(["com", "co.uk", "c", "c0m", "c0", "xn--p1ai", "рф", *SPECIAL_USE_DOMAIN_NAMES])
LOCAL = st.text("ab9.+_-'ÄZ", min_size=1, max_size=8) | st.text(min_size=1, max_size=5)
ADDRESS = st.builds("{}@{}.{}".format, LOCAL, DOMAIN, ENDING) | st.text("a@.-9 ", max_size=9)


@given(st.lists(ADDRESS, max_size=25))
@settings(max_examples=80, deadline=None)
def test_the_pattern_and_the_library_agree_on_every_address(texts: list[str]) -> None:
    # Polars and Python trim and lower the same but for a few letters outside the Latin ones.
    written = pl.Series(texts, dtype=pl.String).str.strip_chars().str.to_lowercase().to_list()
    found = addresses(pl.Series(texts, dtype=pl.String)).to_list()
    assert found == [by_library(text) for text in written]
    assert addresses(pl.Series(found, dtype=pl.String)).to_list() == found


def test_only_unusual_addresses_are_shown_to_the_library_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []

    def listen(text: str, **options: Any) -> email_validator.ValidatedEmail:
        shown.append(text)
        return validate_email(text, **options)

    monkeypatch.setattr(email_validator, "validate_email", listen)
    texts = pl.Series(["a@example.com", "O'Neil@example.com", "o'neil@example.com", "n/a", None] * 50)
    assert addresses(texts).null_count() == 100
    assert shown == ["o'neil@example.com"]
