"""The dictionary: every table parses, derived tables follow, and mistakes are named."""

import polars as pl
import pytest

from data_contracts import ContractError, Privacy, table, table_names
from data_contracts.dictionary import DELIVERY_COLUMNS, MONEY, delivered_columns, parse_table

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
def test_raw_holds_the_valid_tables_columns_as_text(name: str) -> None:
    raw, valid = table(f"raw_{name}"), table(f"valid_{name}")
    assert list(raw.schema) == list(valid.schema)
    assert raw.key == valid.key
    for column, dtype in raw.schema.items():
        assert dtype == (valid.schema[column] if column in DELIVERY_COLUMNS else pl.String())


@pytest.mark.parametrize("name", DELIVERED)
def test_every_delivered_table_has_faults_and_a_quarantine_of_one_shape(name: str) -> None:
    assert table(f"{name}_faults").key == ("delivery_id", "row_number", "rule")
    assert table(f"{name}_quarantine").columns_of(Privacy.FREE_TEXT) == ("row_as_delivered",)


@pytest.mark.parametrize("name", DELIVERED)
def test_every_delivered_table_requires_exactly_one_moment(name: str) -> None:
    assert len([c for c in delivered_columns(name) if c.kind == "moment" and c.required]) == 1


@pytest.mark.parametrize("name", ["faults", "quarantine", "raw_nothing", "nothing_faults", "raw_customers"])
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
