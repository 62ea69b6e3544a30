"""The dictionary: every table parses, derived tables follow, and mistakes are named."""

import polars as pl
import pytest

from data_contracts import ContractError, Layer, Privacy, table, table_names
from data_contracts.dictionary import (
    DELIVERY_COLUMNS,
    MONEY,
    READING_FAULT,
    delivered_columns,
    parse_table,
    reach_of,
)

REACH = {
    "campaign_assignments": "assigned_at",
    "consents": "recorded_at",
    "contacts": "created_at",
    "costs": "day",
    "customers": "created_at",
    "loyalty_ledger": "booked_at",
    "mentions": "mentioned_at",
    "messages": "sent_at",
    "orders": "ordered_at",
    "rates": "day",
    "referrals": "referred_at",
    "returns": "returned_at",
    "reviews": "written_at",
    "shipments": "shipped_at",
    "suppressions": "recorded_at",
    "survey_answers": "answered_at",
    "survey_invitations": "sent_at",
    "tickets": "opened_at",
}
DELIVERED = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]


@pytest.mark.parametrize("name", table_names())
def test_every_table_parses_has_columns_a_grain_and_its_key(name: str) -> None:
    promised = table(name)
    assert promised.columns
    assert promised.grain
    assert promised.meaning[-1] in ".?"
    assert promised.key
    assert set(promised.key) <= set(promised.schema)
    assert promised.empty().schema == pl.Schema(promised.schema)


@pytest.mark.parametrize("name", table_names())
def test_customer_keys_are_pseudonyms_and_addresses_identifiers_everywhere(name: str) -> None:
    classes = {column.name: column.privacy for column in table(name).columns}
    for column in ("email", "phone", "customer_id", "identifier", "address"):
        assert classes.get(column, Privacy.IDENTIFIER) is Privacy.IDENTIFIER, column
    assert classes.get("customer_key", Privacy.PSEUDONYM) is Privacy.PSEUDONYM


@pytest.mark.parametrize("name", DELIVERED)
def test_raw_holds_the_valid_tables_columns_as_text_and_what_was_wrong_with_the_row(name: str) -> None:
    raw, valid = table(f"raw_{name}"), table(f"valid_{name}")
    assert list(raw.schema) == [*valid.schema, READING_FAULT]
    assert raw.key == valid.key
    for column, dtype in raw.schema.items():
        assert dtype == (valid.schema[column] if column in DELIVERY_COLUMNS else pl.String())
    assert READING_FAULT in raw.columns_of(Privacy.FREE_TEXT)


@pytest.mark.parametrize("name", DELIVERED)
def test_every_delivered_table_has_faults_and_a_quarantine_of_one_shape(name: str) -> None:
    assert table(f"{name}_faults").key == ("delivery_id", "row_number", "rule")
    assert table(f"{name}_quarantine").columns_of(Privacy.FREE_TEXT) == ("row_as_delivered",)


@pytest.mark.parametrize("name", DELIVERED)
def test_how_far_a_delivery_reaches_is_told_by_one_time_that_its_table_has(name: str) -> None:
    assert len([c for c in delivered_columns(name) if c.kind in ("moment", "day") and c.required]) <= 1
    assert reach_of(name).name == REACH[name]


@pytest.mark.parametrize("name", DELIVERED)
def test_every_delivered_table_has_a_fact_table_with_the_customers_key_in_place_of_their_cells(
    name: str,
) -> None:
    fact = table(name)
    assert fact.layer is Layer.FACT
    names_customers = "customer_id" in {column.name for column in delivered_columns(name)}
    assert names_customers == ("customer_key" in fact.schema)


@pytest.mark.parametrize("name", [name for name in table_names() if table(name).layer is Layer.FACT])
def test_direct_identifiers_stand_in_contacts_and_the_map_alone(name: str) -> None:
    at_home = name in ("contacts", "identity_map", "current_orders")
    assert at_home or not table(name).columns_of(Privacy.IDENTIFIER)


@pytest.mark.parametrize("name", DELIVERED)
def test_names_and_addresses_are_identifiers_wherever_they_are_delivered(name: str) -> None:
    classes = {column.name: column.privacy for column in delivered_columns(name)}
    for column in ("first_name", "last_name", "ship_to_name", "friend_email", "friend_customer_id"):
        assert classes.get(column, Privacy.IDENTIFIER) is Privacy.IDENTIFIER, column


@pytest.mark.parametrize("name", ["faults", "quarantine", "raw_nothing", "nothing_faults", "raw_snapshots"])
def test_shapes_and_derived_names_of_nothing_are_no_tables(name: str) -> None:
    with pytest.raises(ContractError, match="There is no table"):
        table(name)


def test_an_unknown_table_suggests_near_names() -> None:
    with pytest.raises(ContractError, match=r"'order_line'.*Did you mean order_lines"):
        table("order_line")


def test_a_table_like_no_other_lists_those_there_are() -> None:
    with pytest.raises(ContractError, match=r"Known tables: .*orders"):
        table("qqqqqq")


def test_money_is_money_wherever_it_stands() -> None:
    assert table("orders").schema["net"] == MONEY == pl.Decimal(18, 4)


HEAD = 'grain = "thing"\nmeaning = "Things."\nlayer = "fact"\nkey = ["id"]\n[columns]\n'


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ('id = { type = "string", meaning = "It." }', "column id: type 'string' is not one of text"),
        ('id = { type = "text" }', "column id: every column needs a meaning"),
        (
            'id = { type = "text", meaning = "It.", privacy = "secret" }',
            "column id: privacy must be one of none",
        ),
        ('name = { type = "text", meaning = "It." }', r"key columns \['id'\] are not among the columns"),
        ("", r"key columns \['id'\]"),
    ],
)
def test_a_wrong_column_is_named_with_its_file(columns: str, says: str) -> None:
    with pytest.raises(ContractError, match=rf"dictionary/things\.toml.*{says}"):
        parse_table("things", HEAD + columns)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("grain = 'thing", "is not valid TOML"),
        ('grain = "thing"\nlayer = "fact"\nkey = []', "lacks meaning"),
        (
            HEAD.replace("fact", "attic") + 'id = { type = "text", meaning = "It." }',
            "layer must be one of delivered",
        ),
    ],
)
def test_a_wrong_table_is_named_with_its_file(text: str, says: str) -> None:
    with pytest.raises(ContractError, match=rf"dictionary/things\.toml.*{says}"):
        parse_table("things", text)
