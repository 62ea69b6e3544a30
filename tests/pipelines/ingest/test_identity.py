"""Identity: one customer over all sources by what stands on the same rows; never by accident.

Everybody here is made up; phone numbers are from the range that Ofcom keeps for fiction.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import permutations, product
from random import Random
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from data_contracts import table
from pipelines.ingest.customer_keys import customer_keys
from pipelines.ingest.identity import KINDS, aliases, identity_map, with_customer_key
from pipelines.settings import Identity
from tests.pipelines.small_shops import NOW

KEY = b"a key of this test"
STRICT = Identity(max_names=2, max_addresses=2)
LOOSE = Identity(max_names=99, max_addresses=99)
PHONE, OTHER_PHONE, THIRD_PHONE = "+447700900123", "+447700900456", "+447700900789"


class Seen(NamedTuple):
    """What one row says of who somebody is, and when (in minutes)."""

    number: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    minute: int = 0


def rows(*seen: Seen, numbers: str = "shop") -> pl.LazyFrame:
    times: list[datetime] = [NOW + timedelta(minutes=row.minute) for row in seen]
    columns = {
        "customer_id": [row.number for row in seen],
        "email": [row.email for row in seen],
        "phone": [row.phone for row in seen],
        "ship_to_name": [row.name for row in seen],
    }
    return pl.LazyFrame(columns, schema=dict.fromkeys(columns, pl.String)).with_columns(
        pl.lit(numbers).alias("customer_numbers"), pl.Series("seen_at", times, pl.Datetime("us", "UTC"))
    )


def keys(frame: pl.LazyFrame, rules: Identity | None = None, key: bytes = KEY) -> list[str | None]:
    return with_customer_key(frame, identity_map(frame, key, rules)).collect()["customer_key"].to_list()


def key_of(kind: str, identifier: str) -> str:
    return customer_keys(pl.Series([kind]), pl.Series([identifier]), KEY).item()


def rule_of(frame: pl.LazyFrame, rules: Identity | None = None) -> dict[str, str]:
    return dict(identity_map(frame, KEY, rules).select("identifier", "rule").collect().rows())


# Who is one customer


def test_one_address_is_one_customer_however_it_is_written() -> None:
    assert len(set(keys(rows(Seen("1", "anna@example.com"), Seen("2", " Anna@Example.COM "))))) == 1


def test_what_stands_on_a_row_together_belongs_together_over_any_number_of_rows() -> None:
    chain = rows(
        Seen("1"),
        Seen("1", None, PHONE),
        Seen("2", None, "0044 7700 900-123"),
        Seen("2", "anna@example.com"),
        Seen("3", "anna@example.com"),
        Seen("3"),
    )
    assert set(keys(chain)) == {key_of("email", "anna@example.com")}


def test_two_addresses_on_one_number_or_phone_are_one_customer() -> None:
    assert len(set(keys(rows(Seen("1", "anna@example.com"), Seen("1", "anna@example.org"), Seen("1"))))) == 1
    assert len(set(keys(rows(Seen(None, "a@example.com", PHONE), Seen(None, "b@example.com", PHONE))))) == 1


def test_names_never_merge() -> None:
    same_name = rows(Seen("1", name="Anna Berg"), Seen("2", name="Anna Berg"))
    assert len(set(keys(same_name))) == 2


def test_without_anything_in_common_customers_stay_apart_and_nobody_stays_nobody() -> None:
    first, second, nobody = keys(rows(Seen("1"), Seen("2"), Seen()))
    assert None not in (first, second)
    assert first != second
    assert nobody is None


def test_the_same_number_in_two_shop_systems_is_two_customers_unless_an_address_joins_them() -> None:
    two = pl.concat([rows(Seen("1"), numbers="web"), rows(Seen("1"), numbers="till")])
    assert len(set(keys(two))) == 2
    joined = [rows(Seen("1", "anna@example.com"), Seen("1"), numbers=system) for system in ("web", "till")]
    assert len(set(keys(pl.concat(joined)))) == 1


def test_placeholders_make_nobody_one_customer() -> None:
    blanks = [Seen("1", "n/a", "n/a"), Seen("2", "none", "0000000000"), Seen("3", "noreply@example.com", "-")]
    assert len(set(keys(rows(*blanks)))) == 3
    assert set(keys(rows(Seen("guest"), Seen("0"), Seen(" ")))) == {None}


# Keys


def test_the_key_is_made_from_the_strongest_identifier_then_the_one_seen_first_then_by_spelling() -> None:
    seen = [Seen("1", None, PHONE, minute=0), Seen("1", "b@example.com", minute=2)]
    assert set(keys(rows(*seen))) == {key_of("email", "b@example.com")}
    assert set(keys(rows(*seen, Seen("1", "c@example.com", minute=1)))) == {key_of("email", "c@example.com")}
    assert set(keys(rows(*seen, Seen("1", "a@example.com", minute=2)))) == {key_of("email", "a@example.com")}


def test_a_key_is_stable_and_the_shops_own() -> None:
    people = rows(Seen("1", "anna@example.com"), Seen("2"))
    assert keys(people) == keys(people.reverse())[::-1]
    assert keys(people) == keys(pl.concat([people, rows(Seen("3", "ben@example.com"))]))[:2]
    assert not set(keys(people)) & set(keys(people, key=b"another key"))


def test_the_map_keeps_its_promise_and_gives_no_identifier_away() -> None:
    mapped = identity_map(rows(Seen("17850", "anna@example.com")), KEY).collect()
    assert mapped.schema == pl.Schema(table("identity_map").schema)
    assert not mapped.select(pl.col("customer_key", "own_key").str.contains("17850|anna").any()).row(0)[0]
    assert identity_map(rows(), KEY).collect().schema == mapped.schema
    assert identity_map(rows(Seen()), KEY).collect().is_empty()


def test_phone_country_and_name_are_optional() -> None:
    frame = rows(Seen("1", "anna@example.com")).drop("phone", "ship_to_name")
    assert keys(frame) == [key_of("email", "anna@example.com")]


def test_the_rule_says_what_merged_an_identifier() -> None:
    frame = rows(
        Seen("1", "a@example.com", PHONE),
        Seen("2", None, PHONE),
        Seen(None, "b@example.com", PHONE, minute=1),
    )
    assert rule_of(frame) == {
        "a@example.com": "its own",
        "b@example.com": "same rows as phone",
        PHONE: "same rows as email",
        "shop:1": "same rows as email",
        "shop:2": "same rows as phone",
    }


def test_an_identifier_was_first_seen_with_its_first_row() -> None:
    mapped = identity_map(rows(Seen("1", minute=5), Seen("1", minute=3), Seen("1", minute=9)), KEY)
    assert mapped.collect()["first_seen_at"].to_list() == [NOW + timedelta(minutes=3)]


# Shared identifiers


def test_an_address_of_many_names_merges_nobody_and_is_a_customer_where_it_stands_alone() -> None:
    office = [Seen(str(n), "office@example.com", name=f"Person {n}") for n in (1, 2, 3)]
    found = keys(rows(*office, Seen(None, "office@example.com")), STRICT)
    assert found == [
        *(key_of("source_id", f"shop:{n}") for n in (1, 2, 3)),
        key_of("email", "office@example.com"),
    ]
    assert rule_of(rows(*office), STRICT)["office@example.com"] == "shared by more than 2 ship-to names"


def test_a_name_is_the_same_however_it_is_written() -> None:
    names = ["Anna Berg", " anna  berg", "ANNA BERG", "Ben Berg"]
    orders = [Seen(str(n), "anna@example.com", name=name) for n, name in enumerate(names)]
    assert len(set(keys(rows(*orders), STRICT))) == 1


@pytest.mark.parametrize("till", [Seen("999"), Seen(phone=PHONE)])
def test_a_tills_number_for_guests_is_nobodys(till: Seen) -> None:
    guests = [till._replace(email=f"guest{n}@example.com") for n in range(3)]
    found = keys(rows(*guests, till, till), STRICT)
    assert found == [*(key_of("email", f"guest{n}@example.com") for n in range(3)), None, None]
    mapped = identity_map(rows(*guests), KEY, STRICT).filter(pl.col("customer_key").is_null()).collect()
    assert mapped["is_shared"].to_list() == [True]
    assert mapped["rule"].item() == "shared by more than 2 e-mail addresses"


def test_a_guest_with_a_new_number_every_order_is_one_customer() -> None:
    orders = [Seen(str(n), "anna@example.com", minute=n) for n in range(9)]
    assert set(keys(rows(*orders), STRICT)) == {key_of("email", "anna@example.com")}
    returning = [row._replace(minute=row.minute + 100) for row in orders]
    assert len(set(keys(rows(*orders, *returning), STRICT))) == 9


# Earlier keys


def test_earlier_keys_lead_to_todays_and_todays_stand_for_themselves() -> None:
    early, late = Seen("1", None, PHONE), Seen("1", "anna@example.com", minute=9)
    kept = pl.LazyFrame(
        {"customer_key": [*keys(rows(early)), *keys(rows(late)), key_of("email", "other@example.com")]}
    )
    today = kept.join(
        aliases(identity_map(rows(early, late), KEY)),
        left_on="customer_key",
        right_on="old_key",
        how="left",
        maintain_order="left",
    ).select(pl.coalesce("customer_key_right", "customer_key"))
    anna = key_of("email", "anna@example.com")
    assert today.collect().to_series().to_list() == [anna, anna, key_of("email", "other@example.com")]


# What holds of any rows

ROW = st.builds(
    Seen,
    st.sampled_from([None, *"1234"]),
    st.sampled_from([None, *(f"{letter}@example.com" for letter in "abcd")]),
    st.sampled_from([None, PHONE, OTHER_PHONE, THIRD_PHONE]),
    st.sampled_from([None, "Anna", "Ben", "Cleo"]),
    st.integers(0, 3),
)
ROWS = st.lists(ROW, max_size=12)
RULES = st.sampled_from([STRICT, LOOSE, Identity(max_names=1, max_addresses=1)])

Identifier = tuple[str, str]


def identifiers_of(row: Seen) -> dict[str, Identifier]:
    found = {"email": row.email, "phone": row.phone, "source_id": row.number and f"shop:{row.number}"}
    return {kind: (kind, identifier) for kind, identifier in found.items() if identifier}


class Oracle:
    """Who is who, the slow and obvious way: sets that are united row by row."""

    def __init__(self, seen: Sequence[Seen], rules: Identity) -> None:
        self.moments: dict[Identifier, set[int]] = defaultdict(set)
        beside: dict[Identifier, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for row in seen:
            for one in identifiers_of(row).values():
                self.moments[one].add(row.minute)
        for row in seen:
            for one, other in permutations(identifiers_of(row).values(), 2):
                if other[0] != "source_id" or len(self.moments[other]) > 1:
                    beside[one][other[0]].add(other[1])
            if row.email and row.name:
                beside["email", row.email]["name"].add(row.name)
        self.shared = {
            one
            for one, others in beside.items()
            for kind, those in others.items()
            if len(those) > (rules.max_names if kind == "name" else rules.max_addresses)
        }
        self.people: dict[Identifier, set[Identifier]] = {one: {one} for one in self.moments}
        for row in seen:
            usable = [one for one in identifiers_of(row).values() if one not in self.shared]
            united = set[Identifier]().union(*(self.people[one] for one in usable))
            for one in united:
                self.people[one] = united

    def key(self, one: Identifier) -> str | None:
        if one in self.shared and one[0] != "email":
            return None
        return key_of(*min(self.people[one], key=lambda i: (KINDS.index(i[0]), min(self.moments[i]), i[1])))

    def key_of_row(self, row: Seen) -> str | None:
        found = identifiers_of(row).values()
        unshared = [one for one in found if one not in self.shared]
        shared_addresses = [one for one in found if one in self.shared and one[0] == "email"]
        return next((self.key(one) for one in [*unshared, *shared_addresses]), None)


@given(ROWS, RULES)
@settings(max_examples=40, deadline=None)
def test_it_agrees_with_uniting_sets_row_by_row(seen: list[Seen], rules: Identity) -> None:
    oracle = Oracle(seen, rules)
    mapped = identity_map(rows(*seen), KEY, rules).collect()
    found = {(row["identifier_kind"], row["identifier"]): row for row in mapped.iter_rows(named=True)}
    assert len(found) == len(mapped)
    assert {one: row["customer_key"] for one, row in found.items()} == {
        one: oracle.key(one) for one in oracle.people
    }
    assert {one for one, row in found.items() if row["is_shared"]} == oracle.shared
    assert all(row["own_key"] == key_of(*one) for one, row in found.items())
    named = with_customer_key(rows(*seen), mapped.lazy()).collect()["customer_key"].to_list()
    assert named == [oracle.key_of_row(row) for row in seen]


@given(ROWS, RULES, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_and_deliveries_decides_nothing(
    seen: list[Seen], rules: Identity, random: Random
) -> None:
    shuffled = random.sample(seen, len(seen))
    expected = identity_map(rows(*seen), KEY, rules).collect()
    assert_frame_equal(identity_map(rows(*shuffled, *shuffled[:3]), KEY, rules).collect(), expected)


@given(ROWS, RULES, st.floats(0, 1))
@settings(max_examples=30, deadline=None)
def test_every_key_ever_given_out_leads_to_who_bears_its_identifier_today(
    seen: list[Seen], rules: Identity, share: float
) -> None:
    earlier = seen[: round(share * len(seen))]
    today = identity_map(rows(*seen), KEY, rules).collect()
    leads_to = dict(aliases(today.lazy()).collect().rows())
    of_identifier = {row["own_key"]: row for row in today.iter_rows(named=True)}
    for key in set(keys(rows(*earlier), rules)) - {None}:
        made_from = of_identifier[key]
        assert leads_to.get(key, key) == (made_from["customer_key"] or key)
        assert made_from["customer_key"] or made_from["is_shared"]


@given(ROWS)
@settings(max_examples=20, deadline=None)
def test_more_rows_never_part_a_customer_while_nothing_is_shared(seen: list[Seen]) -> None:
    before = keys(rows(*seen[: len(seen) // 2]), LOOSE)
    after = keys(rows(*seen), LOOSE)[: len(before)]
    later = dict(zip(before, after, strict=True))
    assert [later[key] for key in before] == after


@given(ROWS, RULES)
@settings(max_examples=15, deadline=None)
def test_an_earlier_map_spares_hashing_and_changes_nothing(seen: list[Seen], rules: Identity) -> None:
    expected = identity_map(rows(*seen), KEY, rules).collect()
    known = identity_map(rows(*seen[::2]), KEY, rules)
    assert_frame_equal(identity_map(rows(*seen), KEY, rules, known).collect(), expected)


def test_an_earlier_map_of_another_key_or_an_older_lab_is_not_used() -> None:
    frame = rows(Seen("1", "anna@example.com"))
    expected = identity_map(frame, KEY).collect()
    for known in (identity_map(frame, b"another key"), identity_map(frame, KEY).drop("own_key")):
        assert_frame_equal(identity_map(frame, KEY, known=known).collect(), expected)


def test_the_limits_are_kept_at_the_limit() -> None:
    for limit, people in product((1, 2), (1, 2, 3)):
        family = [Seen(email=f"{n}@example.com", phone=PHONE) for n in range(people)]
        customers = len(set(keys(rows(*family), Identity(max_addresses=limit))))
        assert customers == (1 if people <= limit else people)
