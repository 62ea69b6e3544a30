"""People: customers, addresses, consents, suppressions and surveys, as delivered in files of their own."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl
import pytest

from data_contracts import table
from pipelines.delivery.permissions import GRANTED, consent
from pipelines.ingest import people
from pipelines.lake import Lake
from tests.pipelines.ingest.fact_lakes import facts_of
from tests.pipelines.small_shops import ingested, order_line, write_shop

pytestmark = [pytest.mark.xdist_group("gx"), pytest.mark.usefixtures("great_expectations")]

ANNA, BEN = "anna@example.com", "ben@example.com"


def said(channel: str, granted: str, at: str, email: str = ANNA) -> dict[str, Any]:
    return {"email": email, "channel": channel, "is_granted": granted, "recorded_at": at}


def suppressed(kind: str, at: str, channel: str | None = None, email: str = ANNA) -> dict[str, Any]:
    return {"email": email, "kind": kind, "channel": channel, "recorded_at": at}


def answer(survey: str, score: str, at: str, **changes: Any) -> dict[str, Any]:
    return {"survey_id": survey, "email": ANNA, "kind": "nps", "score": score, "answered_at": at} | changes


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """One composed shop whose every table comes as CSV, consents and answers in two deliveries."""
    folder: Path = tmp_path_factory.mktemp("people") / "shop"
    return ingested(
        folder,
        {
            "orders": [
                [
                    order_line("1", email=ANNA, country="GB", channel="web", phone="+447700900123"),
                    order_line(
                        "2", email=ANNA, country="IE", channel="app", ordered_at="2024-04-01 23:30:00"
                    ),
                    order_line("3", email=BEN, customer_id="8", status="cancelled"),
                ]
            ],
            "consents": [
                [
                    said("email", "yes", "2024-01-01"),
                    said("sms", "yes", "2024-02-01"),
                    said("sms", "no", "2024-02-01"),
                ],
                [
                    said("email", "no", "2024-03-01"),
                    said("email", "yes", "2024-02-01"),
                    said("ads", "yes", "2024-01-01", BEN),
                ],
            ],
            "suppressions": [
                [
                    suppressed("unsubscribed", "2024-03-01", "email"),
                    suppressed("unsubscribed", "2024-02-01", "EMAIL"),
                    suppressed("objection", "2024-01-05"),
                    suppressed("bounced", "2024-01-05", "pigeon", BEN),
                ]
            ],
            "survey_invitations": [
                [{"survey_id": "s1", "email": ANNA, "kind": "nps", "sent_at": "2024-04-01 23:30:00"}]
            ],
            "survey_answers": [
                [answer("s1", "3", "2024-04-02"), answer("s2", "11", "2024-04-02")],
                [
                    answer("s3", "10", "2024-06-30 23:30:00"),
                    answer("s1", "9", "2024-04-02", comment="Better now"),
                    answer("s4", "0", "2024-04-02", email=None),
                ],
            ],
        },
    )


def key_of(lake: Lake, email: str) -> str:
    return lake.scan("identity_map").filter(identifier=email).collect()["customer_key"].item()


def test_customers_have_their_first_channel_latest_country_and_valid_orders(lake: Lake) -> None:
    rows = {row["customer_key"]: row for row in lake.scan("customers").collect().iter_rows(named=True)}
    anna, ben = rows[key_of(lake, ANNA)], rows[key_of(lake, BEN)]
    assert (anna["first_order_day"], anna["last_order_day"]) == (date(2024, 3, 1), date(2024, 4, 1))
    assert (anna["country"], anna["channel"], anna["valid_orders"]) == ("IE", "web", 2)
    assert (ben["first_order_day"], ben["valid_orders"]) == (None, 0)


def test_contacts_hold_every_address_an_order_bore(lake: Lake) -> None:
    found = lake.scan("contacts").filter(customer_key=key_of(lake, ANNA)).select("kind", "address").collect()
    assert dict(found.rows()) == {"email": ANNA, "external_id": "7", "phone": "+447700900123"}


def test_the_latest_decision_counts_and_of_two_at_once_the_refusal(lake: Lake) -> None:
    found = (
        lake.scan("consents")
        .filter(customer_key=key_of(lake, ANNA))
        .select("channel", "is_granted")
        .collect()
    )
    assert dict(found.rows()) == {"email": False, "sms": False}
    assert lake.scan("consents").filter(customer_key=key_of(lake, BEN)).collect()["is_granted"].to_list() == [
        True
    ]


def test_suppressions_hold_from_the_first_on_and_close_all_channels_unless_they_name_one(lake: Lake) -> None:
    found = (
        lake.scan("suppressions")
        .filter(customer_key=key_of(lake, ANNA))
        .select("kind", "channel", "recorded_at")
        .collect()
    )
    assert {(kind, channel): f"{at:%Y-%m-%d}" for kind, channel, at in found.rows()} == {
        ("unsubscribed", "email"): "2024-02-01",
        ("objection", "all"): "2024-01-05",
    }
    assert lake.scan("suppressions").filter(customer_key=key_of(lake, BEN)).collect()[
        "channel"
    ].to_list() == ["all"]


def test_survey_answers_come_through_newest_first_with_the_shops_day(lake: Lake) -> None:
    rows = {row["survey_id"]: row for row in lake.scan("survey_answers").collect().iter_rows(named=True)}
    assert set(rows) == {"s1", "s3", "s4"}  # s2 is off the scale
    assert (rows["s1"]["score"], rows["s1"]["comment"], rows["s1"]["customer_key"]) == (
        9,
        "Better now",
        key_of(lake, ANNA),
    )
    assert rows["s3"]["answered_day"] == date(2024, 6, 30)
    assert rows["s4"]["customer_key"] is None
    assert lake.scan("survey_invitations").collect()["sent_day"].item() == date(2024, 4, 1)


def test_no_fact_but_contacts_and_the_map_holds_an_address(lake: Lake) -> None:
    for name in (
        "customers",
        "orders",
        "consents",
        "suppressions",
        "survey_answers",
        "survey_invitations",
        "returns",
    ):
        text = lake.scan(name).collect().select(pl.selectors.string()).to_dict(as_series=False)
        assert "@" not in str(text), name


@pytest.mark.parametrize(
    "unclear",
    [
        {"is_granted": None},
        {"is_granted": True, "recorded_at": None},
        {"is_granted": True, "recorded_at": datetime(2042, 1, 1, tzinfo=UTC)},
        {"is_granted": False, "channel": "pigeon"},
        {"is_granted": False, "channel": None},
    ],
)
@pytest.mark.parametrize("when_not_delivered", ["allow", "deny"])
def test_what_cannot_be_read_of_a_consent_allows_nothing(
    unclear: dict[str, Any], when_not_delivered: Literal["allow", "deny"], tmp_path: Path
) -> None:
    day = datetime(2024, 3, 1, tzinfo=UTC)
    clear = {
        "email": ANNA,
        "customer_id": None,
        "customer_numbers": "shop",
        "channel": "email",
        "received_at": day,
        "delivered_through": day,
        "delivery_id": "consents-0-1",
    }
    rows = [clear | {"is_granted": True, "recorded_at": day}, clear | {"recorded_at": day} | unclear]
    schema = table("valid_consents").schema | {"customer_numbers": pl.String()}
    delivered = pl.LazyFrame(
        rows, schema={name: schema[name] for name in (*clear, "is_granted", "recorded_at")}
    )
    anna = pl.LazyFrame(
        {"identifier_kind": ["email"], "identifier": [ANNA], "customer_key": ["a"], "is_shared": [False]}
    )
    shop = write_shop(tmp_path, more=f'[consent]\nwhen_not_delivered = "{when_not_delivered}"')
    nowhere = table("contacts").empty().lazy()
    decided = people.consents(delivered, nowhere, anna, shop).collect()
    person = pl.LazyFrame({"customer_key": ["a"], "country": [None]}, schema_overrides={"country": pl.String})
    assert consent(person, decided.lazy(), "email", shop).collect()["consent"].item() not in GRANTED


def test_a_refusal_under_a_shared_phone_reaches_everybody_who_bears_it(tmp_path: Path) -> None:
    phone = "+447700900123"
    orders = [
        order_line(f"{n}", customer_id=None, email=f"person{n}@example.com", phone=phone) for n in range(12)
    ]
    refused = {"phone": phone, "channel": "sms", "is_granted": "no", "recorded_at": "2024-03-01"}
    granted = {"phone": phone, "channel": "email", "is_granted": "yes", "recorded_at": "2024-03-01"}
    objection = {"phone": phone, "kind": "objection", "recorded_at": "2024-03-01"}
    _, lake = facts_of(
        tmp_path, {"orders": [orders], "consents": [[refused, granted]], "suppressions": [[objection]]}
    )
    people_there = set(lake.scan("customers").collect()["customer_key"])
    assert len(people_there) == 12
    consents = lake.scan("consents").collect()
    assert set(consents["customer_key"]) == people_there
    assert consents.select("channel", "is_granted").unique().rows() == [("sms", False)]
    assert set(lake.scan("suppressions").collect()["customer_key"]) == people_there


def listed(granted: str, email: str = ANNA) -> dict[str, Any]:
    """One person as they stand in a list without times."""
    return {"email": email, "channel": "email", "is_granted": granted}


@pytest.mark.parametrize(
    ("deliveries", "may"),
    [
        ([[listed("yes")]], True),
        ([[listed("no")]], False),
        ([[listed("yes"), listed("no")]], False),
        ([[listed("no")], [listed("yes")]], True),  # the newest list counts
        ([[listed("yes")], [listed("no")]], False),
        ([[said("email", "no", "2020-01-01")], [listed("yes")]], False),  # any refusal with a time holds
        ([[said("email", "yes", "2024-01-01")], [listed("no")]], False),
        ([[said("email", "yes", "2024-01-01"), listed("yes")]], False),  # a time is missing among times
        ([[listed("maybe")]], False),
    ],
)
def test_a_list_without_times_opens_nothing_that_somebody_closed(
    deliveries: list[list[dict[str, Any]]], may: bool, tmp_path: Path
) -> None:
    _, lake = facts_of(tmp_path, {"orders": [[order_line("1", email=ANNA)]], "consents": deliveries})
    assert lake.scan("consents").collect()["is_granted"].to_list() == [may]
