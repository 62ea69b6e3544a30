"""The suites: every delivered table has one; every rule is named, worded and about a column that exists."""

from zoneinfo import ZoneInfo

import pytest

from data_contracts import ContractError, table_names
from data_contracts.dictionary import delivered_columns
from data_contracts.suites import rules, suite, suite_text
from pipelines.ingest.contract import typed_rows
from pipelines.shop import Shop
from tests.pipelines.small_shops import raw_rows

DELIVERED = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]

SEVERITIES = {"consents": ("critical", "warning")}
"""A consent that cannot be read is not set aside but counts as a refusal: set aside, it would refuse nothing."""


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
def test_a_suite_is_stored_as_it_is_printed_so_that_changes_stay_small(name: str) -> None:
    assert suite(name)["name"] == name
    assert suite_text(name).endswith("}\n")


def test_a_table_without_suite_is_named_with_the_file_that_is_missing() -> None:
    with pytest.raises(ContractError, match=r"no suite for customers: data_contracts/suites/customers\.json"):
        suite_text("customers")
