"""Identity: one customer by e-mail, then phone, then the source's own number; never by accident."""

from datetime import datetime, timedelta

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import table
from pipelines.ingest.identity import identity_map, with_customer_key
from tests.pipelines.small_shops import NOW

KEY = b"a key of this test"
Person = tuple[str | None, str | None, str | None]


def rows(*people: Person, numbers: str = "shop") -> pl.LazyFrame:
    """Rows seen one minute apart: number, e-mail, phone."""
    schema = dict.fromkeys(["customer_id", "email", "phone"], pl.String)
    return (
        pl.DataFrame(list(people), schema=schema, orient="row")
        .with_columns(pl.lit(numbers).alias("customer_numbers"), seen_at(len(people)))
        .lazy()
    )


def seen_at(count: int) -> pl.Series:
    times: list[datetime] = [NOW + timedelta(minutes=number) for number in range(count)]
    return pl.Series("seen_at", times, pl.Datetime("us", "UTC"))


def keys(frame: pl.LazyFrame, key: bytes = KEY) -> list[str | None]:
    return with_customer_key(frame, identity_map(frame, key)).collect()["customer_key"].to_list()


def test_one_address_is_one_customer_however_it_is_written() -> None:
    assert len(set(keys(rows(("1", "anna@example.com", None), ("2", " Anna@Example.COM ", None))))) == 1


def test_a_number_that_came_with_an_address_once_belongs_to_it_always() -> None:
    found = keys(
        rows(
            ("1", None, None),
            ("1", "anna@example.com", None),
            ("2", "anna@example.com", None),
            ("2", None, None),
        )
    )
    assert len(set(found)) == 1


def test_without_an_address_numbers_stay_apart_and_nobody_stays_nobody() -> None:
    first, second, nobody = keys(rows(("1", None, None), ("2", None, None), (None, None, None)))
    assert None not in (first, second)
    assert first != second
    assert nobody is None


def test_a_phone_joins_where_there_is_no_address_also_through_a_number() -> None:
    found = keys(
        rows(
            ("1", None, "+44 7700 900123"),
            (None, None, "0044 7700-900123"),
            ("1", None, None),
            (None, "a@b.uk", "+447700900123"),
        )
    )
    assert len(set(found)) == 1


def test_two_addresses_on_one_number_or_phone_stay_two_customers() -> None:
    found = keys(
        rows(
            ("1", "anna@example.com", "+447700900123"),
            ("1", "ben@example.com", "+447700900123"),
            ("1", None, None),
        )
    )
    assert found[0] != found[1]
    assert found[2] == found[0]  # whoever bore the number first


def test_placeholders_make_nobody_one_customer() -> None:
    blanks = [
        ("1", "n/a", "n/a"),
        ("2", "none", "0000000000"),
        ("3", "@", "-"),
        ("4", "no email", "+"),
        ("5", None, "12345"),
    ]
    assert len(set(keys(rows(*blanks)))) == 5


def test_the_same_number_in_two_shop_systems_is_two_customers_unless_settings_say_otherwise() -> None:
    two = pl.concat([rows(("1", None, None), numbers="web"), rows(("1", None, None), numbers="till")])
    assert len(set(keys(two))) == 2
    joined = pl.concat(
        [
            rows(("1", "anna@example.com", None), numbers="web"),
            rows(("1", "anna@example.com", None), numbers="till"),
        ]
    )
    assert len(set(keys(joined))) == 1


def test_a_key_is_stable_and_the_shops_own() -> None:
    people = rows(("1", "anna@example.com", None), ("2", None, None))
    assert keys(people) == keys(people.reverse())[::-1]
    assert keys(people) == keys(pl.concat([people, rows(("3", "ben@example.com", None))]))[:2]
    assert not set(keys(people)) & set(keys(people, b"another key"))
    assert all(len(key or "") == 24 for key in keys(people))


def test_a_customer_key_gives_no_identifier_away() -> None:
    mapped = identity_map(rows(("17850", "anna@example.com", None)), KEY).collect()
    assert not mapped["customer_key"].str.contains("17850|anna").any()
    assert mapped.schema == pl.Schema(table("identity_map").schema)
    assert dict(mapped.select("identifier_kind", "rule").rows()) == {
        "email": "its own",
        "source_id": "same rows as email",
    }


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from([None, "1", "2", "3"]),
        st.sampled_from([None, "a@x.uk", "b@x.uk"]),
        st.sampled_from([None, "+447700900123", "+447700900456"]),
    ),
    max_size=8,
)


@given(PEOPLE)
@settings(max_examples=30, deadline=None)
def test_every_identifier_has_one_customer_and_rows_of_one_address_share_it(people: list[Person]) -> None:
    frame = rows(*people)
    mapped = identity_map(frame, KEY).collect()
    assert mapped.select("identifier_kind", "identifier").is_duplicated().any() is False
    found = keys(frame)
    for (number, email, phone), key in zip(people, found, strict=True):
        assert (key is None) == (number is None and email is None and phone is None)
        assert email is None or key == mapped.filter(identifier=email)["customer_key"].item()
    by_address = {email: key for (_, email, _), key in zip(people, found, strict=True) if email}
    assert len(set(by_address.values())) == len(by_address)


@given(PEOPLE)
@settings(max_examples=15, deadline=None)
def test_the_order_of_rows_decides_nothing(people: list[Person]) -> None:
    frame = rows(*people)
    assert_frame_equal(identity_map(frame, KEY).collect(), identity_map(frame.reverse(), KEY).collect())
