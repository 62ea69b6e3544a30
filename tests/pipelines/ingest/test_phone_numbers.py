"""Phone numbers: what phonenumbers says, said quickly.

Numbers are from ranges kept for fiction (Ofcom, Bundesnetzagentur, ACMA, 555-01xx) or the library's own
examples.
"""

import re
from typing import Any

import phonenumbers as library
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.numbering import numbering_of
from pipelines.ingest.phone_numbers import phone_numbers as numbers

REGIONS = sorted(library.SUPPORTED_REGIONS)
LONDON = "+442079460123"


def one(text: str | None, region: str | None = None) -> str | None:
    return numbers(pl.Series([text], dtype=pl.String), pl.Series([region], dtype=pl.String)).item()


def by_library(text: str, region: str | None) -> str | None:
    """The slow and obvious way: possible where a number says its country, valid where that is guessed."""
    digits = len(re.findall(r"\d", text))
    if not 4 <= digits <= 20 or re.search(r"\d.*[^\W\d_]", text):
        return None
    try:
        dialled = re.sub(r"^\W*0\W*0", "+", text) if region is None else text
        number = library.parse(dialled, region, keep_raw_input=True)
        written = library.format_number(number, library.PhoneNumberFormat.E164)
        again = library.format_number(library.parse(written), library.PhoneNumberFormat.E164)
    except library.NumberParseException:
        return None
    source = library.CountryCodeSource
    if number.country_code_source in (source.FROM_NUMBER_WITH_PLUS_SIGN, source.FROM_NUMBER_WITH_IDD):
        is_good = library.is_possible_number_with_reason(number) == library.ValidationResult.IS_POSSIBLE
    else:
        is_good = library.is_valid_number(number)
    same_digits = re.fullmatch(r"\+\d{1,3}?(0{4,}|([1-9])\2{5,})", written)
    is_line = re.fullmatch(r"\+[1-9]\d{6,14}", written) and not same_digits and not number.extension
    return written if is_good and is_line and written == again else None


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (LONDON, None),
        ("+44 20 7946-0123", "DE"),
        ("+44 (0)20 7946 0123", None),
        ("(+44) 20.7946.0123", None),
        ("0044 20 7946 0123", None),
        ("0044/2079460123", "DE"),
        ("011 44 20 7946 0123", "US"),
        ("020 7946 0123", "GB"),
        ("2079460123", "GB"),
        ("442079460123", "GB"),
        ("442079460123.0", "GB"),
        ("'+442079460123", None),
        ("tel:+44-20-7946-0123", None),
        ("０２０ ７９４６ ０１２３", "GB"),
    ],
)
def test_one_line_is_one_number_however_it_is_typed(text: str, region: str | None) -> None:
    assert one(text, region) == LONDON


@pytest.mark.parametrize(
    ("text", "region", "number"),
    [
        ("(212) 555-0123", "US", "+12125550123"),
        ("030 23125 012", "DE", "+493023125012"),
        ("0491 570 006", "AU", "+61491570006"),
        ("+39 06 1234567", None, "+39061234567"),
    ],
)
def test_numbers_are_read_in_their_rows_country(text: str, region: str | None, number: str) -> None:
    assert one(text, region) == number


@pytest.mark.parametrize(
    ("text", "region"),
    [
        (None, "GB"),
        ("", "GB"),
        ("n/a", "GB"),
        ("+", None),
        ("12345", "GB"),
        ("1234567890", "US"),
        ("0000000000", "GB"),
        ("+44 0000 000000", None),
        ("+447777777777", None),
        ("+999 123 4567", None),
        ("+44 20 7946 01234 567", None),
        ("020 7946 0123", None),
        ("020 7946 0123", "ZZ"),
        ("020 7946 0123 ext. 5", "GB"),
        ("020 7946 0123#5", "GB"),
        ("020 7946 0123 evenings", "GB"),
        ("020 7946 0123 / 020 7946 0124", "GB"),
        ("1-800-FLOWERS", "US"),
    ],
)
def test_what_reaches_no_one_line_names_nobody(text: str | None, region: str | None) -> None:
    assert one(text, region) is None


def test_a_number_read_in_a_country_must_be_valid_there_one_that_says_its_own_only_possible() -> None:
    assert one("+44 7700 900123") == "+447700900123"
    assert one("07700 900123", "GB") is None


@pytest.mark.parametrize("region", REGIONS)
def test_the_librarys_own_examples_are_read_by_pattern_in_every_country(region: str) -> None:
    example = library.example_number(region)
    assert example is not None
    written = library.format_number(example, library.PhoneNumberFormat.E164)
    national = library.national_significant_number(example)
    country = numbering_of(region)
    assert country is not None
    assert one(written) == written
    assert one(national, region) == by_library(national, region) == written
    dialled = country.prefix + national
    assert one(dialled, region) == by_library(dialled, region)


@st.composite
def typed_numbers(draw: st.DrawFn) -> tuple[str, str | None]:
    """A number as somebody of some country may type it: in all its forms, right and wrong."""
    region = draw(
        st.sampled_from([*["GB", "US", "DE", "FR", "IT", "AU", "BR", "AR", "RU", "CN", "JP"], *REGIONS])
    )
    country = numbering_of(region)
    assert country is not None
    example = library.example_number_for_type(region, draw(st.sampled_from([0, 1])))
    length = draw(st.sampled_from(country.lengths))
    digits = draw(st.text("0123456789", min_size=length, max_size=length + 1))
    if example and draw(st.booleans()):
        digits = library.national_significant_number(example)[:-2] + digits[:2]
    before = draw(
        st.sampled_from(["", country.prefix, "+", "00", "011", country.calling_code, country.prefix * 2])
    )
    if before in ("+", "00", "011"):
        before += country.calling_code + draw(st.sampled_from(["", country.prefix]))
    between = draw(st.sampled_from(["", " ", "-", ".", "/", "(", ")", "#", "x", "*"]))
    at = draw(st.integers(1, len(digits)))
    return before + between + digits[:at] + between + digits[at:], draw(st.sampled_from([region, "GB", None]))


@given(st.lists(typed_numbers(), max_size=40))
@settings(max_examples=60, deadline=None)
def test_patterns_and_library_agree_on_every_number(typed: list[tuple[str, str | None]]) -> None:
    frame = pl.DataFrame(typed, schema={"text": pl.String, "region": pl.String}, orient="row")
    found = numbers(frame["text"], frame["region"])
    assert found.to_list() == [by_library(text, region) for text, region in typed]
    assert numbers(found, frame["region"]).to_list() == found.to_list()
    elsewhere = frame["region"].replace("GB", "US")
    assert numbers(found, elsewhere).to_list() == found.to_list()


def test_only_odd_numbers_are_shown_to_the_library_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[tuple[str, str | None]] = []
    parse = library.parse

    def listen(text: str, region: str | None = None, **options: Any) -> library.PhoneNumber:
        shown.append((text, region))
        return parse(text, region, **options)

    monkeypatch.setattr(library, "parse", listen)
    texts = [LONDON, "020 7946 0123", "+44 (0)20 7946 0123", "n/a", None]
    frame = pl.DataFrame({"text": texts * 50, "region": ["GB"] * 250})
    assert numbers(frame["text"], frame["region"]).drop_nulls().unique().to_list() == [LONDON]
    assert shown == [("+4402079460123", "GB"), (LONDON, None)]
