"""Every rule of every suite beside those of the orders finds the row that breaks it, and no other row."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts.suites import rules
from pipelines.ingest.contract import find_faults
from pipelines.shop import Shop
from tests.pipelines.ingest.composed_rows import GOOD, row
from tests.pipelines.small_shops import raw_rows, return_row, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

LATER = "2024-06-02 04:00:01"
"""A second more than a day after the delivery came, on the clock of London."""
Break = tuple[dict[str, Any], set[str]]


def unreadable(column: str, *also: str, is_required: bool = False) -> Break:
    return {column: "??"}, {f"{column}_is_readable", *also, *([f"{column}_is_given"] * is_required)}


def times(*columns: str, required: str = "") -> list[Break]:
    found = [({column: LATER}, {f"{column}_is_past"}) for column in columns]
    found += [unreadable(column, is_required=column == required) for column in columns]
    return found


def missing(*columns: str) -> list[Break]:
    return [({column: None}, {f"{column}_is_given"}) for column in columns]


NOBODY: Break = ({"customer_id": None, "email": None, "phone": None}, {"customer_is_named"})
BROKEN: dict[str, list[Break]] = {
    "returns": [
        *missing("return_id", "returned_at"),
        *times("refunded_at", "updated_at"),
        ({"returned_at": LATER}, {"returned_at_is_past"}),
        unreadable("returned_at", "returned_at_is_given"),
        unreadable("quantity"),
        unreadable("amount"),
        ({"amount": "-1"}, {"amount_is_not_negative"}),
        ({"quantity": "-1"}, {"quantity_is_not_negative"}),
        ({"amount": None, "quantity": None}, {"amount_or_goods_are_given"}),
        ({"amount": None, "quantity": "0"}, {"amount_or_goods_are_given"}),
        ({"amount": None, "product_id": None}, {"amount_or_goods_are_given"}),
        ({"amount": "99999999999"}, {"value_fits"}),
        ({"currency": "EUR"}, {"currency_is_known"}),
        ({"outcome": "raffle"}, {"outcome_is_known"}),
        ({"order_id": None}, {"order_is_named"}),
        ({"reason": None}, {"reason_is_given"}),
    ],
    "survey_invitations": [
        NOBODY,
        *missing("survey_id", "sent_at", "kind"),
        *times("sent_at", "updated_at", required="sent_at"),
        ({"kind": "poll"}, {"kind_is_known"}),
    ],
    "survey_answers": [
        NOBODY,
        *missing("survey_id", "answered_at", "kind", "score"),
        *times("answered_at", "updated_at", required="answered_at"),
        unreadable("score", "score_is_given"),
        ({"kind": "poll"}, {"kind_is_known"}),
        ({"kind": "csat"}, {"score_is_on_the_scale"}),
    ],
    "consents": [
        NOBODY,
        *missing("channel", "is_granted", "recorded_at"),
        *times("recorded_at", required="recorded_at"),
        unreadable("is_granted", "is_granted_is_given"),
        ({"channel": "pigeon"}, {"channel_is_known"}),
    ],
    "suppressions": [
        NOBODY,
        *missing("kind", "recorded_at"),
        *times("recorded_at", required="recorded_at"),
        ({"kind": "angry"}, {"kind_is_known"}),
        ({"channel": "pigeon"}, {"channel_is_known"}),
    ],
    "customers": [
        NOBODY,
        *times("created_at", "updated_at"),
        ({"email": "anna at example"}, {"email_is_plausible"}),
        *missing("country"),
    ],
    "contacts": [
        NOBODY,
        *times("created_at", "updated_at"),
        ({"email": "anna at example"}, {"email_is_plausible"}),
    ],
    "shipments": [
        *missing("shipment_id", "order_id", "promised_day"),
        ({"shipped_at": LATER, "delivered_at": None}, {"shipped_at_is_past"}),
        unreadable("shipped_at"),
        *times("delivered_at", "updated_at"),
        unreadable("promised_day", "promised_day_is_given"),
        ({"delivered_at": "2024-03-01 23:59:00"}, {"arrives_after_it_left"}),
    ],
    "tickets": [
        NOBODY,
        *missing("ticket_id", "opened_at", "topic"),
        ({"opened_at": LATER, "closed_at": None}, {"opened_at_is_past"}),
        unreadable("opened_at", "opened_at_is_given"),
        *times("closed_at", "updated_at"),
        unreadable("is_open"),
        ({"closed_at": "2024-03-04 23:59:00"}, {"closes_after_it_opened"}),
    ],
    "messages": [
        NOBODY,
        *missing("message_id", "channel", "sent_at"),
        ({"sent_at": LATER, "opened_at": None}, {"sent_at_is_past"}),
        unreadable("sent_at", "sent_at_is_given"),
        *times("opened_at", "clicked_at", "updated_at"),
        ({"channel": "pigeon"}, {"channel_is_known"}),
        ({"kind": "greeting"}, {"kind_is_known"}),
        ({"opened_at": "2024-03-06 23:59:00"}, {"opens_after_it_was_sent"}),
    ],
    "loyalty_ledger": [
        NOBODY,
        *missing("entry_id", "points", "booked_at"),
        *times("booked_at", "updated_at", required="booked_at"),
        unreadable("points", "points_is_given"),
        unreadable("expires_at"),
        ({"points": "0"}, {"points_are_booked"}),
        ({"points": "-99999999999"}, {"value_fits"}),
    ],
    "referrals": [
        NOBODY,
        *missing("referral_id", "referred_at"),
        *times("referred_at", "updated_at", required="referred_at"),
        ({"friend_email": None}, {"friend_is_named"}),
        ({"friend_email": "Anna@Example.com"}, {"friend_is_another"}),
    ],
    "reviews": [
        NOBODY,
        *missing("review_id", "rating", "written_at"),
        *times("written_at", "updated_at", required="written_at"),
        unreadable("rating", "rating_is_given"),
        ({"rating": "0"}, {"rating_is_on_the_scale"}),
        ({"rating": "6"}, {"rating_is_on_the_scale"}),
        ({"product_id": None}, {"product_is_named"}),
    ],
    "mentions": [
        *missing("mention_id", "channel", "mentioned_at"),
        *times("mentioned_at", "updated_at", required="mentioned_at"),
        unreadable("sentiment"),
        ({"sentiment": "1.01"}, {"sentiment_is_on_the_scale"}),
    ],
    "costs": [
        *missing("day", "kind", "amount"),
        ({"day": "2024-06-03"}, {"day_is_past"}),
        unreadable("day", "day_is_given"),
        *times("updated_at"),
        unreadable("amount", "amount_is_given"),
        ({"amount": "99999999999"}, {"value_fits"}),
        ({"currency": "EUR"}, {"currency_is_known"}),
        ({"kind": "bribes"}, {"kind_is_known"}),
    ],
    "campaign_assignments": [
        NOBODY,
        *missing("campaign", "assignment", "assigned_at"),
        *times("assigned_at", "updated_at", required="assigned_at"),
        ({"assignment": "maybe"}, {"assignment_is_known"}),
        ({"channel": "pigeon"}, {"channel_is_known"}),
    ],
    "rates": [
        *missing("currency", "day", "rate"),
        ({"currency": "Euro"}, {"currency_is_a_code"}),
        ({"day": "2024-06-03"}, {"day_is_past"}),
        unreadable("day", "day_is_given"),
        unreadable("rate", "rate_is_given"),
        ({"rate": "0"}, {"rate_is_above_zero"}),
        *times("updated_at"),
    ],
}
"""What is changed in a good row, and the rules that it then breaks."""
SINGLE = {"costs": ["cost_is_single"]}
"""Rules about several rows, tested below."""


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return write_shop(tmp_path)


def good(table: str) -> dict[str, Any]:
    return return_row(order_id="1", reason="too small") if table == "returns" else GOOD[table]


def faults_of(table: str, rows: list[dict[str, Any]], shop: Shop) -> dict[int, set[str]]:
    found = find_faults(raw_rows(table, rows), table, shop).collect()
    return {
        number: set(found.filter(row_number=number)["rule"]) for number in found["row_number"].unique().sort()
    }


@pytest.mark.parametrize("table", BROKEN)
def test_every_rule_finds_the_row_that_breaks_it_and_no_other(table: str, shop: Shop) -> None:
    changes = BROKEN[table]
    # Costs without numbers must differ in what they are for.
    apart = [{"product_id": str(n)} if table == "costs" else {} for n in range(len(changes) + 1)]
    rows = [
        good(table) | other | change
        for other, (change, _) in zip(apart, [({}, set()), *changes], strict=True)
    ]
    expected = {number: broken for number, (_, broken) in enumerate(changes, start=2)}
    assert faults_of(table, rows, shop) == expected
    found = {name for _, broken in changes for name in broken}
    assert {rule.name for rule in rules(table)} - found == {"row_is_whole", *SINGLE.get(table, [])}


@pytest.mark.parametrize("table", [*GOOD, "returns"])
def test_a_row_that_was_not_whole_breaks_that_rule_and_good_ones_none(table: str, shop: Shop) -> None:
    raw = raw_rows(table, [good(table)])
    assert find_faults(raw, table, shop).collect().is_empty()
    torn = raw.with_columns(pl.lit("too many cells").alias("reading_fault"))
    assert find_faults(torn, table, shop).collect()["rule"].to_list() == ["row_is_whole"]


def test_an_amount_is_not_needed_where_goods_are_told(shop: Shop) -> None:
    assert faults_of("returns", [good("returns") | {"amount": None}], shop) == {}


def test_costs_without_numbers_must_tell_each_other_apart(shop: Shop) -> None:
    same = [row("costs"), row("costs", amount="1"), row("costs", kind="cogs"), row("costs", cost_id="9")]
    assert faults_of("costs", same, shop) == {1: {"cost_is_single"}, 2: {"cost_is_single"}}
    assert faults_of("costs", [row("costs", cost_id="1"), row("costs", cost_id="2")], shop) == {}


@pytest.mark.parametrize("cell", [{"customer_id": "7"}, {"phone": "+447700900123"}])
def test_any_cell_that_names_a_customer_is_enough(cell: dict[str, str], shop: Shop) -> None:
    for table in ("consents", "suppressions", "survey_answers", "tickets", "messages", "customers"):
        rows = [good(table) | {"email": None, "customer_id": None, "phone": None} | cell]
        assert faults_of(table, rows, shop) == {}


def test_a_time_up_to_a_day_ahead_is_a_clock_or_a_timezone_and_no_fault(shop: Shop) -> None:
    assert faults_of("tickets", [row("tickets", opened_at="2024-06-02 04:00:00", closed_at=None)], shop) == {}
