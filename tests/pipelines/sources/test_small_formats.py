"""Small platform formats: their files come under our names with nothing but format and path in shop.toml.

Headers are those of the systems (`headers/PROVENANCE.md`); every row is composed, every person made up.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from pipelines.errors import DeliveryError, ShopError
from pipelines.sources import format_of
from pipelines.sources.arrivals import Arrival, arrivals
from tests.pipelines.small_shops import write_shop

HEADERS = Path(__file__).parent / "headers"
CSV_FORMATS = {
    "amazon_fba_returns": "returns",
    "fivetran_shopify_orders": "orders",
    "judgeme_reviews": "reviews",
    "klaviyo_profiles": "contacts",
    "mailchimp_audience": "contacts",
    "smileio_points": "loyalty_ledger",
    "surveymonkey": "survey_answers",
    "typeform": "survey_answers",
}
SURVEY = '[sources.columns]\nscore = "{question}"\n[sources.values]\nkind = "nps"\n'
TYPEFORM = SURVEY.format(question="How likely are you to recommend us?")
SURVEYMONKEY = SURVEY.format(question="How likely to recommend?")
SMILE = '[sources.values]\nbooked_at = "2024-03-01"\n'


def header(name: str) -> list[str]:
    return next(csv.reader([(HEADERS / f"{name}.header.csv").read_text(encoding="utf-8")]))


def write(path: Path, names: Sequence[str], rows: Sequence[Mapping[str, str]], *between: str) -> Path:
    """Write rows under a header, with ``between`` as lines below it."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(names)
        file.writelines(f"{line}\n" for line in between)
        writer.writerows([row.get(name, "") for name in names] for row in rows)
    return path


def shop_of(folder: Path, file_format: str, table: str, more: str = "", *, file: str = "delivery.csv"):
    entry = f'[[sources]]\nname = "source"\ntable = "{table}"\nformat = "{file_format}"\npath = "{file}"\n'
    return write_shop(folder, [] if table == "orders" else ["orders"], more=entry + more)


def look(
    folder: Path, file_format: str, table: str, more: str = "", *, file: str = "delivery.csv"
) -> Arrival:
    (arrival,) = arrivals(shop_of(folder, file_format, table, more, file=file), table)
    return arrival


def filled(arrival: Arrival) -> list[dict[str, Any]]:
    """The rows, without what is null."""
    return [
        {name: value for name, value in row.items() if value is not None}
        for row in arrival.rows().collect().to_dicts()
    ]


@pytest.mark.parametrize("name", CSV_FORMATS)
def test_a_whole_header_has_no_unknown_column_but_questions_and_tells_its_format(name: str) -> None:
    names = set(header(name))
    source_format = format_of(name)
    assert {column for column in names - source_format.header if "recommend" not in column} == set()
    assert source_format.signature <= names
    assert ".csv" in source_format.suffixes


@pytest.mark.parametrize("name", CSV_FORMATS)
def test_no_other_small_format_takes_the_header_for_its_own(name: str) -> None:
    names = set(header(name))
    others = [other for other in CSV_FORMATS if other != name and format_of(other).signature <= names]
    assert others == []


# --- Amazon -----------------------------------------------------------------------------------------------------

UNIT = {
    "return-date": "2024-03-20T09:15:00+00:00",
    "order-id": "111-0000001-0000001",
    "sku": "MUG",
    "asin": "B000000000",
    "quantity": "1",
    "detailed-disposition": "SELLABLE",
    "reason": "UNWANTED_ITEM",
    "status": "Unit returned to inventory",
    "license-plate-number": "LPN-1",
    "customer-comments": "too small",
}


def test_an_amazon_return_says_what_came_back_and_not_what_was_paid_back(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", header("amazon_fba_returns"), [UNIT, UNIT | {"status": "Reimbursed"}])
    arrival = look(tmp_path, "amazon_fba_returns", "returns")
    assert filled(arrival)[0] == filled(arrival)[1] == {
        "return_id": "LPN-1",
        "order_id": "111-0000001-0000001",
        "product_id": "MUG",
        "quantity": "1",
        "reason": "UNWANTED_ITEM",
        "returned_at": "2024-03-20T09:15:00+00:00",
    }  # fmt: skip
    assert arrival.unknown_columns == ()


def test_an_amazon_report_separated_by_tabs_is_one_too(tmp_path: Path) -> None:
    names = header("amazon_fba_returns")
    lines = ["\t".join(names), "\t".join(UNIT.get(name, "") for name in names)]
    (tmp_path / "delivery.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = filled(look(tmp_path, "amazon_fba_returns", "returns", file="delivery.txt"))
    assert [row["return_id"] for row in rows] == ["LPN-1"]


def test_an_amazon_report_without_licence_plates_names_the_column(tmp_path: Path) -> None:
    names = [name for name in header("amazon_fba_returns") if name != "license-plate-number"]
    write(tmp_path / "delivery.csv", names, [UNIT])
    with pytest.raises(
        DeliveryError, match=r"no column for return_id \(license-plate-number\).*It has: return-date"
    ):
        look(tmp_path, "amazon_fba_returns", "returns")


# --- Surveys ----------------------------------------------------------------------------------------------------

RESPONSE = {
    "#": "r1",
    "How likely are you to recommend us?": "9",
    "Start Date (UTC)": "2024-07-01 10:00:00",
    "Submit Date (UTC)": "2024-07-01 10:02:00",
    "Network ID": "n1",
}


def test_a_typeform_response_has_its_time_in_utc_and_its_score_where_the_shop_says(tmp_path: Path) -> None:
    names = [*header("typeform"), "email", "order_id", "Why?"]
    row = RESPONSE | {"email": "ada@example.com", "order_id": "#1001", "Why?": "Fast"}
    write(tmp_path / "delivery.csv", names, [row])
    arrival = look(tmp_path, "typeform", "survey_answers", TYPEFORM)
    assert filled(arrival) == [
        {
            "survey_id": "r1",
            "email": "ada@example.com",
            "order_id": "#1001",
            "kind": "nps",
            "score": "9",
            "answered_at": "2024-07-01 10:02:00+00:00",
        }
    ]
    assert arrival.unknown_columns == ("Why?",)


def test_a_typeform_without_the_scores_column_named_asks_for_it(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", header("typeform"), [RESPONSE])
    with pytest.raises(ShopError, match="does not say which column holds kind, score"):
        look(tmp_path, "typeform", "survey_answers")


def test_a_typeform_without_times_names_the_column(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", ["#", "How likely are you to recommend us?"], [RESPONSE])
    with pytest.raises(DeliveryError, match=r"no column for answered_at \(Submit Date \(UTC\)\)"):
        look(tmp_path, "typeform", "survey_answers", TYPEFORM)


def test_surveymonkey_answers_stand_below_two_rows_of_names(tmp_path: Path) -> None:
    names = header("surveymonkey")
    row = {
        "Respondent ID": "11400000001",
        "Collector ID": "400000001",
        "Start Date": "03/25/2024 10:00:00 AM",
        "End Date": "03/25/2024 10:02:00 PM",
        "How likely to recommend?": "10",
    }
    rows = [row, row | {"Respondent ID": "11400000002", "Email Address": "ada@example.com"}]
    write(
        tmp_path / "delivery.csv",
        [*names, "Why?"],
        rows,
        "," * (len(names) - 1) + "Response,Open-Ended Response",
    )
    arrival = look(tmp_path, "surveymonkey", "survey_answers", SURVEYMONKEY)
    anonymous = {
        "survey_id": "11400000001",
        "kind": "nps",
        "score": "10",
        "answered_at": "2024-03-25 22:02:00",
    }
    assert filled(arrival) == [
        anonymous,
        anonymous | {"survey_id": "11400000002", "email": "ada@example.com"},
    ]
    assert arrival.unknown_columns == ("Why?",)


ANSWER = {
    "id": "1",
    "person": {"id": "10", "name": "Ada", "email": "ada@example.com"},
    "survey_type": "nps",
    "score": 0,
    "comment": None,
    "permalink": "https://example.com/r/1",
    "created_at": 1713418460,
    "updated_at": None,
    "person_properties": {"Order ID": "#1001", "country": "USA"},
    "notes": [],
    "tags": [],
}
AS_CANONICAL = {
    "survey_id": "1",
    "email": "ada@example.com",
    "order_id": "#1001",
    "kind": "nps",
    "score": "0",
    "answered_at": "2024-04-18T05:34:20+00:00",
}


@pytest.mark.parametrize("in_a_list", [False, True])
def test_a_delighted_answer_has_its_time_from_unix_seconds(tmp_path: Path, in_a_list: bool) -> None:
    answers = [
        ANSWER,
        ANSWER | {"id": "2", "survey_type": "ces", "updated_at": 1713418461, "comment": "Slow"},
    ]
    text = json.dumps(answers) if in_a_list else "\n".join(map(json.dumps, answers))
    (tmp_path / "delivery.json").write_text(text + "\n", encoding="utf-8")
    arrival = look(tmp_path, "delighted", "survey_answers", file="delivery.json")
    changed = {"survey_id": "2", "kind": "ces", "comment": "Slow", "updated_at": "2024-04-18T05:34:21+00:00"}
    assert filled(arrival) == [AS_CANONICAL, AS_CANONICAL | changed]
    assert arrival.unknown_columns == ("person_properties.country",)


def test_a_delighted_answer_whose_person_is_a_number_is_nobodys(tmp_path: Path) -> None:
    (tmp_path / "delivery.json").write_text(json.dumps(ANSWER | {"person": "10"}), encoding="utf-8")
    (row,) = filled(look(tmp_path, "delighted", "survey_answers", file="delivery.json"))
    assert {"email", "customer_id"} & row.keys() == set()


def test_delighted_without_times_names_the_column(tmp_path: Path) -> None:
    answer = {name: value for name, value in ANSWER.items() if name != "created_at"}
    (tmp_path / "delivery.json").write_text(json.dumps(answer), encoding="utf-8")
    with pytest.raises(DeliveryError, match=r"no column for answered_at \(created_at\)"):
        look(tmp_path, "delighted", "survey_answers", file="delivery.json")


# --- Reviews ----------------------------------------------------------------------------------------------------

REVIEW = {
    "title": "Good",
    "body": "A mug, and a good one.",
    "rating": "5",
    "review_date": "2024-03-20 10:11:12 UTC",
    "reviewer_name": "Ada L.",
    "reviewer_email": "ada@example.com",
    "product_id": "700001",
    "product_handle": "mug",
}


def test_a_review_keeps_its_number_when_its_text_changes_and_others_have_others(tmp_path: Path) -> None:
    rows = [REVIEW, REVIEW | {"body": "Edited", "rating": "4"}, REVIEW | {"reviewer_name": "Bob"}]
    write(tmp_path / "delivery.csv", header("judgeme_reviews"), rows)
    arrival = look(tmp_path, "judgeme_reviews", "reviews")
    first, edited, other = filled(arrival)
    assert first == {
        "review_id": "bfae6655ecbc3d5f",
        "email": "ada@example.com",
        "product_id": "700001",
        "rating": "5",
        "title": "Good",
        "body": "A mug, and a good one.",
        "written_at": "2024-03-20 10:11:12+00:00",
    }
    assert edited["review_id"] == first["review_id"] != other["review_id"]
    assert arrival.unknown_columns == ()


def test_a_review_number_tells_nothing_of_the_address(tmp_path: Path) -> None:
    write(
        tmp_path / "delivery.csv",
        header("judgeme_reviews"),
        [REVIEW, REVIEW | {"reviewer_email": "b@example.com"}],
    )
    first, second = filled(look(tmp_path, "judgeme_reviews", "reviews"))
    assert first["review_id"] == second["review_id"]


def test_a_short_review_file_is_fine_and_one_without_ratings_names_them(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", ["rating", "review_date", "product_handle"], [REVIEW])
    assert filled(look(tmp_path, "judgeme_reviews", "reviews"))[0].keys() == {
        "review_id",
        "rating",
        "written_at",
    }
    write(tmp_path / "delivery.csv", ["body", "review_date", "product_handle"], [REVIEW])
    with pytest.raises(DeliveryError, match=r"no column for rating \(rating\)"):
        look(tmp_path, "judgeme_reviews", "reviews")


# --- Mailing tools ----------------------------------------------------------------------------------------------

PROFILE = {
    "Email": "ada@example.com",
    "Klaviyo ID": "01ABC",
    "First Name": "Ada",
    "Last Name": "Example",
    "City": "London",
    "Country": "United Kingdom",
    "Zip Code": "N1",
    "Email Marketing Consent": "SUBSCRIBED",
    "Profile Created On": "2024-01-02 03:04:05",
    "Date Added": "2024-02-02 03:04:05",
}
CONSENT, STAMP = "Email Marketing Consent", "Email Marketing Consent Timestamp"


def test_a_klaviyo_profile_is_a_contact(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", [*header("klaviyo_profiles"), "Favourite colour"], [PROFILE])
    arrival = look(tmp_path, "klaviyo_profiles", "contacts")
    assert filled(arrival) == [
        {
            "email": "ada@example.com",
            "first_name": "Ada",
            "last_name": "Example",
            "country": "United Kingdom",
            "city": "London",
            "zip": "N1",
            "created_at": "2024-01-02 03:04:05",
        }
    ]
    assert arrival.unknown_columns == ("Favourite colour",)


@pytest.mark.parametrize(
    ("says", "granted"),
    [
        ("SUBSCRIBED", "true"),
        ("UNSUBSCRIBED", "false"),
        ("NEVER_SUBSCRIBED", "false"),
        ("Never Subscribed", "false"),
        ("TRUE", "TRUE"),
        ("FALSE", "FALSE"),
        ("maybe", "maybe"),
        ("", None),
    ],
)
def test_klaviyo_consent_is_what_the_file_says_and_nothing_more(
    tmp_path: Path, says: str, granted: str | None
) -> None:
    row = PROFILE | {CONSENT: says, STAMP: "2024-01-05 00:00:00"}
    write(tmp_path / "delivery.csv", [*header("klaviyo_profiles"), STAMP], [row])
    (consent,) = filled(look(tmp_path, "klaviyo_profiles", "consents"))
    assert consent.get("is_granted") == granted
    assert (consent["channel"], consent["recorded_at"]) == ("email", "2024-01-05 00:00:00")


def test_klaviyo_consent_without_a_time_is_old_and_a_withdrawal_has_none(tmp_path: Path) -> None:
    words = ("SUBSCRIBED", "NEVER_SUBSCRIBED", "UNSUBSCRIBED")
    write(
        tmp_path / "delivery.csv", header("klaviyo_profiles"), [PROFILE | {CONSENT: word} for word in words]
    )
    rows = filled(look(tmp_path, "klaviyo_profiles", "consents"))
    assert [row.get("recorded_at") for row in rows] == ["2024-01-02 03:04:05", "2024-01-02 03:04:05", None]


def test_klaviyo_consent_to_text_messages_is_a_source_of_its_own(tmp_path: Path) -> None:
    more = '[sources.columns]\nis_granted = "SMS Marketing Consent"\n[sources.values]\nchannel = "sms"\n'
    row = PROFILE | {"SMS Marketing Consent": "NEVER_SUBSCRIBED", "Phone Number": "+447700900001"}
    write(
        tmp_path / "delivery.csv",
        [*header("klaviyo_profiles"), "SMS Marketing Consent", "Phone Number"],
        [row],
    )
    (consent,) = filled(look(tmp_path, "klaviyo_profiles", "consents", more))
    assert (consent["channel"], consent["is_granted"]) == ("sms", "false")


def test_klaviyo_suppressions_are_those_who_withdrew(tmp_path: Path) -> None:
    words = ("SUBSCRIBED", "NEVER_SUBSCRIBED", "UNSUBSCRIBED", "")
    write(
        tmp_path / "delivery.csv", header("klaviyo_profiles"), [PROFILE | {CONSENT: word} for word in words]
    )
    assert filled(look(tmp_path, "klaviyo_profiles", "suppressions")) == [
        {
            "email": "ada@example.com",
            "kind": "unsubscribed",
            "channel": "email",
            "recorded_at": "2024-01-02 03:04:05",
        }
    ]


def test_klaviyo_without_consent_names_the_column(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", ["Email", "Klaviyo ID", "Profile Created On"], [PROFILE])
    with pytest.raises(DeliveryError, match=r"no column for is_granted \(Email Marketing Consent\)"):
        look(tmp_path, "klaviyo_profiles", "consents")


MEMBER = {
    "Email Address": "ada@example.com",
    "First Name": "Ada",
    "Last Name": "Example",
    "MEMBER_RATING": "2",
    "OPTIN_TIME": "2024-01-01 10:00:00",
    "CONFIRM_TIME": "2024-01-01 10:05:00",
    "CC": "gb",
    "LAST_CHANGED": "2024-02-01 10:00:00",
}
UNSUBSCRIBED = ["UNSUB_TIME", "UNSUB_CAMPAIGN_TITLE", "UNSUB_REASON"]


def test_a_mailchimp_member_is_a_contact(tmp_path: Path) -> None:
    imported = MEMBER | {"CONFIRM_TIME": ""}
    write(tmp_path / "delivery.csv", header("mailchimp_audience"), [MEMBER, imported])
    arrival = look(tmp_path, "mailchimp_audience", "contacts")
    assert filled(arrival)[0] == {
        "email": "ada@example.com",
        "first_name": "Ada",
        "last_name": "Example",
        "created_at": "2024-01-01 10:05:00",
        "updated_at": "2024-02-01 10:00:00",
    }
    assert filled(arrival)[1]["created_at"] == "2024-01-01 10:00:00"
    assert arrival.unknown_columns == ()


def test_a_mailchimp_file_brings_no_consent_unless_the_shop_says_what_it_is(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", header("mailchimp_audience"), [MEMBER])
    with pytest.raises(ShopError, match="does not say which column holds is_granted"):
        look(tmp_path, "mailchimp_audience", "consents")
    arrival = look(tmp_path, "mailchimp_audience", "consents", '[sources.values]\nis_granted = "true"\n')
    assert filled(arrival) == [
        {
            "email": "ada@example.com",
            "channel": "email",
            "is_granted": "true",
            "recorded_at": "2024-01-01 10:05:00",
        }
    ]


@pytest.mark.parametrize(("column", "kind"), [("UNSUB_TIME", "unsubscribed"), ("CLEAN_TIME", "bounced")])
def test_mailchimp_members_who_left_or_bounced_are_suppressed(tmp_path: Path, column: str, kind: str) -> None:
    row = MEMBER | {column: "2024-03-01 10:00:00"}
    write(tmp_path / "delivery.csv", [*header("mailchimp_audience"), column], [row])
    (suppression,) = filled(look(tmp_path, "mailchimp_audience", "suppressions"))
    assert suppression == {
        "email": "ada@example.com",
        "kind": kind,
        "channel": "email",
        "recorded_at": "2024-03-01 10:00:00",
    }


def test_mailchimp_subscribers_are_no_suppressions(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", header("mailchimp_audience"), [MEMBER])
    with pytest.raises(DeliveryError, match=r"no column for recorded_at \(UNSUB_TIME or CLEAN_TIME\)"):
        look(tmp_path, "mailchimp_audience", "suppressions")


# --- Points -----------------------------------------------------------------------------------------------------


def test_a_balance_is_one_booking_on_the_day_that_the_shop_names(tmp_path: Path) -> None:
    rows = [{"email": "ada@example.com", "points": "100"}, {"email": "bob@example.com", "points": "0"}]
    write(tmp_path / "delivery.csv", header("smileio_points"), rows)
    assert filled(look(tmp_path, "smileio_points", "loyalty_ledger", SMILE)) == [
        {
            "entry_id": f"balance-{number}",
            "email": row["email"],
            "points": row["points"],
            "reason": "balance",
            "booked_at": "2024-03-01",
        }
        for number, row in enumerate(rows, start=1)
    ]


def test_balances_without_a_day_ask_for_it_and_without_points_name_them(tmp_path: Path) -> None:
    write(tmp_path / "delivery.csv", header("smileio_points"), [{"email": "ada@example.com", "points": "1"}])
    with pytest.raises(ShopError, match="does not say which column holds booked_at"):
        look(tmp_path, "smileio_points", "loyalty_ledger")
    write(tmp_path / "delivery.csv", ["email", "balance"], [{"email": "ada@example.com", "balance": "1"}])
    with pytest.raises(DeliveryError, match=r"no column for points \(points\)"):
        look(tmp_path, "smileio_points", "loyalty_ledger", SMILE)


# --- Fivetran ---------------------------------------------------------------------------------------------------

ORDER = {
    "order_id": "5000000001",
    "name": "#1001",
    "customer_id": "7000000001",
    "email": "ada@example.com",
    "created_timestamp": "2024-07-02 00:00:00",
    "processed_timestamp": "2024-07-01 10:00:00",
    "updated_timestamp": "2024-07-20 10:00:00",
    "currency": "GBP",
    "financial_status": "paid",
    "source_name": "web",
    "total_line_items_price": "100.10",
    "total_discounts": "15.00",
    "subtotal_price": "90.10",
    "is_test_order": "false",
    "is_deleted": "false",
    "has_buyer_accepted_marketing": "true",
    "shipping_address_country_code": "GB",
    "shipping_address_name": "Ada Example",
    "billing_address_phone": "+447700900001",
    "refund_subtotal": "20.05",
}
LINE = {
    "order_id": "#1001",
    "ordered_at": "2024-07-01 10:00:00+00:00",
    "updated_at": "2024-07-20 10:00:00+00:00",
    "status": "paid",
    "is_test": "false",
    "channel": "web",
    "country": "GB",
    "currency": "GBP",
    "customer_id": "7000000001",
    "email": "ada@example.com",
    "phone": "+447700900001",
    "ship_to_name": "Ada Example",
    "product_id": "order",
    "kind": "merchandise",
    "quantity": "1",
    "unit_price": "100.10",
    "discount": "10.0000",
}


def fivetran(folder: Path, table: str, *rows: Mapping[str, str]) -> list[dict[str, Any]]:
    write(folder / "delivery.csv", header("fivetran_shopify_orders"), rows)
    arrival = look(folder, "fivetran_shopify_orders", table)
    assert arrival.unknown_columns == ()
    return filled(arrival)


def test_an_order_without_lines_is_one_line_with_what_its_goods_cost(tmp_path: Path) -> None:
    (row,) = fivetran(tmp_path, "orders", ORDER)
    assert row == LINE


@pytest.mark.parametrize(
    ("changes", "discount"),
    [
        ({}, "10.0000"),  # 5 of the 15 fell on shipping
        ({"subtotal_price": ""}, "15.0000"),
        ({"subtotal_price": "50.00"}, "15.0000"),  # speaks of the order as edited later
        ({"total_discounts": "0", "subtotal_price": "100.10"}, "0.0000"),
        ({"total_discounts": "110", "subtotal_price": ""}, "100.1000"),
        ({"total_discounts": "some"}, "some"),
    ],
)
def test_the_discount_is_what_fell_on_goods(tmp_path: Path, changes: dict[str, str], discount: str) -> None:
    assert fivetran(tmp_path, "orders", ORDER | changes)[0]["discount"] == discount


def test_a_deleted_order_is_cancelled_and_an_unprocessed_one_has_the_day_of_its_creation(
    tmp_path: Path,
) -> None:
    deleted, created = fivetran(
        tmp_path, "orders", ORDER | {"is_deleted": "TRUE"}, ORDER | {"name": "#2", "processed_timestamp": ""}
    )
    assert deleted["status"] == "cancelled"
    assert created["ordered_at"] == "2024-07-02 00:00:00+00:00"


def test_refunds_are_returns_on_the_day_of_the_last_change(tmp_path: Path) -> None:
    cancelled = {"name": "#1002", "cancelled_timestamp": "2024-07-05 10:00:00"}
    rows = fivetran(tmp_path, "returns", ORDER, ORDER | {"refund_subtotal": "0"}, ORDER | cancelled)
    assert rows[0] == {
        "return_id": "#1001-refund",
        "order_id": "#1001",
        "customer_id": "7000000001",
        "email": "ada@example.com",
        "phone": "+447700900001",
        "amount": "20.05",
        "currency": "GBP",
        "outcome": "refund",
        "returned_at": "2024-07-20 10:00:00+00:00",
        "updated_at": "2024-07-20 10:00:00+00:00",
    }
    assert [(row["order_id"], row["returned_at"]) for row in rows[1:]] == [
        ("#1002", "2024-07-05 10:00:00+00:00")
    ]


def test_buyers_who_accepted_or_refused_marketing_are_consents(tmp_path: Path) -> None:
    answers = (
        {},
        {"has_buyer_accepted_marketing": "false"},
        {"has_buyer_accepted_marketing": ""},
        {"email": ""},
    )
    rows = fivetran(tmp_path, "consents", *(ORDER | answer for answer in answers))
    assert [(row["is_granted"], row["recorded_at"]) for row in rows] == [
        ("true", "2024-07-01 10:00:00+00:00"),
        ("false", "2024-07-01 10:00:00+00:00"),
    ]


def test_an_older_table_is_fine_and_one_without_prices_names_them(tmp_path: Path) -> None:
    older = ["order_id", "created_timestamp", "total_line_items_price", "customer_id"]
    write(tmp_path / "delivery.csv", older, [ORDER])
    (row,) = filled(look(tmp_path, "fivetran_shopify_orders", "orders"))
    assert row == {
        "order_id": "5000000001",
        "ordered_at": "2024-07-02 00:00:00+00:00",
        "customer_id": "7000000001",
        "product_id": "order",
        "kind": "merchandise",
        "quantity": "1",
        "unit_price": "100.10",
    }
    write(tmp_path / "delivery.csv", [name for name in older if name != "total_line_items_price"], [ORDER])
    with pytest.raises(DeliveryError, match=r"no column for unit_price \(total_line_items_price\)"):
        look(tmp_path, "fivetran_shopify_orders", "orders")


# --- What cannot be read ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "table", "more"),
    [
        ("amazon_fba_returns", "returns", ""),
        ("fivetran_shopify_orders", "returns", ""),
        ("judgeme_reviews", "reviews", ""),
        ("klaviyo_profiles", "suppressions", ""),
        ("smileio_points", "loyalty_ledger", SMILE),
        ("typeform", "survey_answers", TYPEFORM),
    ],
)
def test_a_record_that_is_not_whole_is_a_row_with_its_fault_alone(
    tmp_path: Path, name: str, table: str, more: str
) -> None:
    names = header(name)
    broken = ",".join("x" * (len(names) + 3))
    whole = ORDER | PROFILE | UNIT | REVIEW | RESPONSE | {CONSENT: "UNSUBSCRIBED", "email": "ada@example.com"}
    write(tmp_path / "delivery.csv", names, [whole | {"points": "1"}] * 3, broken)
    rows = filled(look(tmp_path, name, table, more))
    assert [set(row) == {"_fault"} for row in rows] == [True, False, False, False]
