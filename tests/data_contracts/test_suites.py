"""The suites: every delivered table has one; every rule is named, worded and about a column that exists."""

import json
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from data_contracts import ContractError, table_names
from data_contracts.dictionary import READING_FAULT, delivered_columns
from data_contracts.suites import rules, suite, suite_text
from pipelines.ingest.contract import typed_rows
from pipelines.shop import Shop
from tests.pipelines.small_shops import raw_rows

DELIVERED = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]

SEVERITIES = {"consents": ("critical", "warning")}
"""A consent that cannot be read is not set aside but counts as a refusal: set aside, it would refuse nothing."""
MAY_LIE_AHEAD = {"promised_day", "expires_at"}


@pytest.mark.parametrize("name", DELIVERED)
def test_every_rule_looks_at_a_column_that_is_delivered_or_derived(name: str) -> None:
    shop = Shop.open("uk_gift_shop")
    assert shop.zone == ZoneInfo("Europe/London")
    there = typed_rows(raw_rows(name, [{}]), name, shop).collect_schema().names()
    assert [rule.name for rule in rules(name) if rule.column not in there] == []


@pytest.mark.parametrize("name", DELIVERED)
def test_every_rule_has_a_name_of_its_own_words_a_group_and_a_severity(name: str) -> None:
    assert len({rule.name for rule in rules(name)}) == len(rules(name)) == len(suite(name)["expectations"])
    for rule in rules(name):
        assert rule.says.endswith(".")
        assert rule.group
        assert rule.severity in ("critical", "warning")


@pytest.mark.parametrize("name", DELIVERED)
def test_what_a_file_must_bring_must_be_given_in_every_row(name: str) -> None:
    asked = {rule.column for rule in rules(name) if rule.severity in SEVERITIES.get(name, ("critical",))}
    assert {column.name for column in delivered_columns(name) if column.required} <= asked


@pytest.mark.parametrize("name", DELIVERED)
def test_every_value_that_is_not_text_must_be_readable(name: str) -> None:
    critical = {rule.column for rule in rules(name) if rule.severity in SEVERITIES.get(name, ("critical",))}
    assert {
        f"{column.name}__readable" for column in delivered_columns(name) if column.kind != "text"
    } <= critical


@pytest.mark.parametrize("name", DELIVERED)
def test_a_row_that_could_not_be_read_as_a_whole_is_set_aside_before_all_else(name: str) -> None:
    whole = rules(name)[0]
    assert (whole.name, whole.column, whole.group, whole.severity) == (
        "row_is_whole",
        READING_FAULT,
        "readable",
        "critical",
    )


@pytest.mark.parametrize("name", DELIVERED)
def test_every_time_but_those_that_may_lie_ahead_is_held_against_the_day_of_delivery(name: str) -> None:
    severity = "critical" if name in ("orders", "returns") else "warning"
    asked = {rule.column for rule in rules(name) if rule.severity == severity}
    times = {column.name for column in delivered_columns(name) if column.kind in ("moment", "day")}
    assert {f"{moment}_is_past" for moment in times - MAY_LIE_AHEAD} <= asked


@pytest.mark.parametrize("name", DELIVERED)
def test_rows_that_can_name_a_customer_are_asked_for_one(name: str) -> None:
    cells = {"customer_id", "email", "phone"}
    have = {column.name for column in delivered_columns(name)}
    assert not have & cells or cells <= have
    asks = "customer_is_named" in {rule.name for rule in rules(name)}
    assert asks == (cells <= have and name not in ("returns", "mentions"))


@pytest.mark.parametrize("name", DELIVERED)
def test_amounts_come_with_a_currency_that_must_be_known_and_a_size_that_must_fit(name: str) -> None:
    critical = {rule.name for rule in rules(name) if rule.severity == "critical"}
    has_money = any(column.kind == "money" for column in delivered_columns(name))
    assert has_money == ("currency_is_known" in critical)
    assert not has_money or "value_fits" in critical


@pytest.mark.parametrize("name", DELIVERED)
def test_a_suite_is_stored_as_it_is_printed_so_that_changes_stay_small(name: str) -> None:
    assert suite(name)["name"] == name
    assert suite_text(name) == json.dumps(suite(name), indent=1, ensure_ascii=False) + "\n"


def test_every_suite_belongs_to_a_delivered_table() -> None:
    folder = files("data_contracts").joinpath("suites")
    assert {file.name for file in folder.iterdir()} == {f"{name}.json" for name in DELIVERED}


def test_a_table_without_suite_is_named_with_the_file_that_is_missing() -> None:
    with pytest.raises(ContractError, match=r"no suite for parcels: data_contracts/suites/parcels\.json"):
        suite_text("parcels")
