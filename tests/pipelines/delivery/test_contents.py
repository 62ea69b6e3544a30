"""Contents: whose address is whose, what a list may hand out, and what its notes say."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import Privacy, table
from pipelines.delivery import addresses as looking_up
from pipelines.delivery.addresses import KINDS, addresses, gather_addresses
from pipelines.delivery.causes import STEPS
from pipelines.delivery.contents import STEP_WORDS, Contents, columns_of, contents_of, handed_out, notes
from pipelines.errors import ShopError
from pipelines.shop import Shop
from tests.pipelines.published_shops import AS_OF, entry, profile, rows_of

DAY = datetime(2024, 5, 1, tzinfo=UTC)


def shop(**settings: Any) -> Shop:
    base = {
        "name": "composed",
        "title": "Composed",
        "currency": "EUR",
        "history_start": date(2024, 1, 1),
        "sources": [{"name": "orders", "table": "orders", "format": "csv", "path": "orders/*.csv"}],
    }
    return Shop.model_validate(base | settings)


def contacts(rows: Sequence[Mapping[str, Any]]) -> pl.LazyFrame:
    return rows_of("contacts", [{"last_seen_at": DAY, **row} for row in rows]).lazy()


def found(rows: Sequence[Mapping[str, Any]], whom: Sequence[str] = ("A", "B")) -> dict[str, dict[str, Any]]:
    people = pl.LazyFrame({"customer_key": list(whom)}, schema={"customer_key": pl.String})
    made = addresses(contacts(rows), people).collect()
    return {row.pop("customer_key"): row for row in made.to_dicts()}


def mail(key: str, address: str, **more: Any) -> dict[str, Any]:
    return {"customer_key": key, "kind": "email", "address": address, **more}


def campaign(**changes: Any) -> dict[str, Any]:
    row = dict.fromkeys(table("campaign_lists").schema, None) | dict.fromkeys(STEPS, 0)
    return row | {
        "as_of": AS_OF,
        "list_id": f"everybody-{AS_OF}",
        "name": "everybody",
        "title": "Everybody",
        "purpose": "loyalty",
        "channel": "email",
        "rule": "valid_orders >= 1",
        "null_means": "out",
        "everyone": 1234,
        "null_decided": 3,
        "deliverable": 2,
        "consent_basis": "as the delivered consents say",
        "expires_at": datetime(2024, 6, 4, 3, tzinfo=UTC),
        **changes,
    }


def test_of_several_addresses_the_one_seen_last_counts_and_ties_go_by_the_alphabet() -> None:
    later = DAY + timedelta(seconds=1)
    rows = [
        mail("A", "old@example.com"),
        mail("A", "new@example.com", last_seen_at=later),
        mail("A", "never@example.com", last_seen_at=None),
        mail("B", "b@example.com"),
        mail("B", "a@example.com"),
        mail("C", "c@example.com"),
    ]
    made = found(rows, ["A", "B", "D"])
    assert {key: row["email"] for key, row in made.items()} == {"A": "new@example.com", "B": "a@example.com"}


@pytest.mark.parametrize("kind", KINDS)
def test_an_address_that_several_customers_have_is_nobodys_and_the_next_one_counts(kind: str) -> None:
    rows = [
        {"customer_key": "A", "kind": kind, "address": "shared", "last_seen_at": DAY + timedelta(days=1)},
        {"customer_key": "A", "kind": kind, "address": "own"},
        # Whoever shares it need not be on the list: it may be somebody who objected.
        {"customer_key": "Z", "kind": kind, "address": "shared"},
        {"customer_key": "B", "kind": kind, "address": "shared too"},
        {"customer_key": "Z", "kind": kind, "address": "shared too"},
    ]
    made = found(rows)
    assert made["A"][kind] == "own"
    assert made.get("B", {}).get(kind) is None


def test_the_name_is_that_of_the_address_seen_last_and_stays_one_record() -> None:
    rows = [
        mail("A", "a@example.com", first_name="Ann", last_name="Old", city="Ulm"),
        {
            "customer_key": "A", "kind": "phone", "address": "+4915110000001",
            "first_name": "Anna", "country": "DE", "last_seen_at": DAY + timedelta(days=1),
        },
        {"customer_key": "A", "kind": "external_id", "address": "1", "last_seen_at": DAY + timedelta(days=2)},
    ]  # fmt: skip
    row = found(rows)["A"]
    assert (row["email"], row["phone"], row["external_id"]) == ("a@example.com", "+4915110000001", "1")
    assert [row[name] for name in ("first_name", "last_name", "city", "zip", "country")] == [
        "Anna",
        None,
        None,
        None,
        "DE",
    ]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from("ABCD"),
            st.sampled_from(KINDS),
            st.sampled_from("uvwxyz"),
            st.none() | st.integers(0, 3),
        ),
        max_size=14,
        unique_by=lambda row: row[:3],
    )
)
def test_addresses_agree_with_a_slow_reading_of_the_rule(
    rows: list[tuple[str, str, str, int | None]],
) -> None:
    made = found(
        [
            {
                "customer_key": key,
                "kind": kind,
                "address": address,
                "last_seen_at": None if days is None else DAY + timedelta(days=days),
            }
            for key, kind, address, days in rows
        ]
    )
    for person in "AB":
        for kind in KINDS:
            own = [
                (-1 if days is None else days, address)
                for key, its, address, days in rows
                if (key, its) == (person, kind)
                and len(
                    {other for other, o_kind, o_address, _ in rows if (o_kind, o_address) == (kind, address)}
                )
                == 1
            ]
            newest = max((days for days, _ in own), default=None)
            expected = min((address for days, address in own if days == newest), default=None)
            assert made.get(person, {}).get(kind) == expected


def test_addresses_looked_up_in_parts_are_those_looked_up_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking_up, "PART", 3)
    keys = [f"key {n:02}" for n in range(10)]
    rows = contacts(
        [mail(key, f"{n // 2 if n < 4 else n}@example.com", first_name=key) for n, key in enumerate(keys)]
    )
    whom = pl.LazyFrame({"customer_key": keys[1:]})
    at_once = addresses(rows, whom).collect().sort("customer_key")
    in_parts = gather_addresses(rows, whom, tmp_path / "some").collect().sort("customer_key")
    assert in_parts.equals(at_once)
    # Two and two of the first four share an address, although they may be looked up in different parts.
    assert in_parts["customer_key"].to_list() == keys[4:]
    nobody = gather_addresses(rows, whom.head(0), tmp_path / "nobody").collect()
    assert (nobody.height, nobody.schema) == (0, at_once.schema)


def given_contents(**changes: Any) -> Contents:
    members = rows_of(
        "list_members",
        [
            {
                "as_of": AS_OF,
                "list_id": f"everybody-{AS_OF}",
                "customer_key": key,
                "assignment": assignment,
                "position": n,
            }
            for n, (key, assignment) in enumerate((("B", "deliver"), ("A", "deliver"), ("C", "hold_out")), 1)
        ],
    )
    people = profile([{"customer_key": key, "country": "France", "tier": "gold"} for key in "ABC"])
    drivers = rows_of(
        "prediction_drivers",
        [{"as_of": AS_OF, "customer_key": "A", "rank": n, "says": f"says {n}"} for n in (4, 3, 1, 2)],
    )
    arguments: dict[str, Any] = {
        "members": members.lazy(),
        "profile": people.lazy(),
        "contacts": contacts([mail("A", "a@example.com", country="DE"), mail("C", "c@example.com")]),
        "shop": shop(lists=[entry(columns=("tier", "tier"))]),
        "drivers": drivers.lazy(),
    }
    return contents_of(campaign(), **arguments | changes)


def test_contents_hold_who_is_delivered_and_nobody_who_is_held_out() -> None:
    made = given_contents()
    people = made.people.sort("position").collect()
    assert people["customer_key"].to_list() == ["B", "A"]
    assert people["email"].to_list() == [None, "a@example.com"]
    # The record's country, else that of the orders.
    assert people["country"].to_list() == ["France", "DE"]
    assert people["drivers"].to_list() == [None, "says 1; says 2; says 3"]
    assert (made.columns, made.terms.columns) == (("tier",), ("tier",))
    assert people["tier"].to_list() == ["gold", "gold"]
    assert given_contents(drivers=None).people.collect()["drivers"].null_count() == 2


def test_addresses_that_several_lists_share_give_the_same_contents() -> None:
    reached = addresses(
        contacts([mail("A", "a@example.com", country="DE")]), pl.LazyFrame({"customer_key": ["A", "B", "C"]})
    )
    shared = given_contents(found=reached, contacts=contacts([]))
    assert shared.people.sort("position").collect().equals(given_contents().people.sort("position").collect())


def test_only_what_a_person_does_may_be_handed_out() -> None:
    assert {"customer_key", "as_of"}.isdisjoint(handed_out())
    classes = {column.name: column.privacy for column in table("customer_profile").columns}
    assert {classes[name] for name in handed_out()} == {Privacy.PERSONAL}


@pytest.mark.parametrize(
    ("column", "said"),
    [
        ("customer_key", "cannot be handed out"),
        ("historic_cvl", "Did you mean historic_clv"),
        ("email", "handed out"),
    ],
)
def test_a_column_that_cannot_be_handed_out_is_told(column: str, said: str) -> None:
    made = shop(lists=[entry(columns=(column,))])
    with pytest.raises(ShopError, match=f"List everybody in shop.toml, columns: '{column}'.*{said}"):
        columns_of(made, "everybody")


def test_a_list_that_left_the_settings_adds_no_columns() -> None:
    assert columns_of(shop(), "everybody") == ()


def test_notes_say_the_rule_the_counts_of_every_step_and_what_columns_mean() -> None:
    said = notes(campaign(no_consent=56), shop(), ("tier",))
    terms = dict(said)
    assert len(terms) == len(said)
    assert terms["Rule"] == "valid_orders >= 1"
    assert terms["Undecided"].startswith("3 where the rule lacks a value")
    assert terms["No consent"] == f"56: {STEP_WORDS['no_consent']}"
    assert terms["Customers of the shop"] == "1,234"
    assert terms["Column: tier"] == "Loyalty tier on as_of; null in none."
    assert terms["Handed out until"] == "2024-06-04 03:00:00+00:00 UTC"
    assert set(STEP_WORDS) == set(STEPS)
    assert dict(notes(campaign(), shop(sample=True)))["Handed out until"] == "does not expire: a sample shop"
    lift = dict(notes(campaign(detectable_lift=0.0281, base_rate=0.03, base_rate_source="told"), shop()))
    assert "a rise of at least 2.8 points over 3.0 %" in lift["What can be measured"]
