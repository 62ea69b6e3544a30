"""Results and contact pressure of a shop's lists: used or not, by download or by note, and of delivered campaigns.

Every person and order here is made up.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from data_contracts import conform, table
from models.campaign_effect import COLUMNS, OUTCOMES
from pipelines.assets import campaigns
from pipelines.assets.given import Given
from pipelines.assets.step import Moment
from pipelines.shop import Shop
from tests.pipelines.published_shops import NIGHT, Facts, MemoryLake, rows_of
from tests.pipelines.small_shops import write_shop

LIST_DAY = date(2024, 1, 5)
SENT = LIST_DAY + timedelta(1)
WINDOW = 30
CLOSED = SENT + timedelta(WINDOW - 1)
LATER = date(2024, 5, 31)
LISTS = """
[[lists]]
name = "spring"
title = "Spring"
purpose = "test"
where = "true"
reason = "is a customer"
window_days = 21
"""
Row = dict[str, Any]
TABLES = ("orders", "suppressions", "messages", "campaign_assignments")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return write_shop(tmp_path_factory.mktemp("campaigns"), TABLES, more=LISTS)


def made(shop: Shop, facts: Facts, as_of: date, name: str = "campaign_results") -> pl.DataFrame:
    steps = {step.table: step for step in campaigns.steps(shop)}
    given = Given(
        shop, MemoryLake(shop.folder / "no lake", facts, as_of), Moment("in memory", NIGHT, as_of), steps
    )
    assert set(steps[name].reads) <= {*table_names_of(shop), *facts}
    rows = steps[name].make(given)
    assert isinstance(rows, pl.LazyFrame)
    return conform(rows, table(name)).collect()


def table_names_of(shop: Shop) -> set[str]:
    from pipelines.assets.catalogue import steps_of

    return set(steps_of(shop))


def a_list(day: date = LIST_DAY, **changes: Any) -> Row:
    told = {
        "as_of": day, "list_id": f"thanks-{day}", "name": "thanks", "title": "Thanks", "channel": "email",
        "campaign": "thanks-2024-Q1", "window_days": WINDOW,
    }  # fmt: skip
    return told | changes


def members(day: date = LIST_DAY, deliver: Sequence[str] = (), hold_out: Sequence[str] = ()) -> list[Row]:
    return [
        {"as_of": day, "list_id": f"thanks-{day}", "customer_key": key, "assignment": assignment}
        for assignment, keys in (("deliver", deliver), ("hold_out", hold_out))
        for key in keys
    ]


def download(day: date = SENT, **changes: Any) -> Row:
    told = {
        "download_id": f"d-{day}-{len(changes)}", "list_id": f"thanks-{LIST_DAY}", "platform": "klaviyo",
        "started_at": at(day), "finished_at": at(day),
    }  # fmt: skip
    return told | changes


def note(state: str, sent_on: date | None, noted_on: date = LATER, **changes: Any) -> Row:
    told = {
        "note_id": f"n-{noted_on}", "list_id": f"thanks-{LIST_DAY}", "state": state, "sent_on": sent_on,
        "noted_at": at(noted_on),
    }  # fmt: skip
    return told | changes


def at(day: date, hour: int = 12) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def order(key: str, day: date) -> Row:
    return {
        "order_id": f"{key}-{day}", "customer_key": key, "order_day": day, "ordered_at": at(day), "is_valid": True,
        "gross": Decimal(10), "discount": Decimal(0),
    }  # fmt: skip


DELIVER, HOLD_OUT = [f"d{n}" for n in range(60)], [f"h{n}" for n in range(40)]


def facts(**tables: list[Row]) -> dict[str, pl.DataFrame]:
    """One list of 100 people, 30 of the 60 written to and 4 of the 40 held out order after three days."""
    told: dict[str, list[Row]] = {
        "campaign_lists": [a_list()],
        "list_members": members(deliver=DELIVER, hold_out=HOLD_OUT),
        "orders": [order(key, SENT + timedelta(3)) for key in (*DELIVER[:30], *HOLD_OUT[:4])],
    }
    names = (*told, "returns", "suppressions", "identity_map", "download_ledger", "campaign_sendings", "messages",
             "campaign_assignments", "customers")  # fmt: skip
    return {name: rows_of(name, tables.get(name, told.get(name, []))) for name in names}


def ordered(frame: pl.DataFrame, campaign: str = "thanks-2024-Q1") -> Row:
    return frame.filter(campaign=campaign, outcome="ordered").to_dicts()[0]


def test_the_dictionary_promises_what_the_model_gives() -> None:
    promised = table("campaign_results").schema
    assert {name: str(dtype) for name, dtype in promised.items()} == {n: str(t) for n, t in COLUMNS.items()}


def test_a_list_that_nobody_took_is_told_as_not_used(shop: Shop) -> None:
    found = made(shop, facts(), LATER)
    assert found["outcome"].sort().to_list() == sorted(OUTCOMES)
    assert (ordered(found)["verdict"], ordered(found)["lists"], ordered(found)["lists_used"]) == (
        "not_used",
        1,
        0,
    )


@pytest.mark.parametrize(
    "records",
    [
        {"download_ledger": [download()]},
        {"download_ledger": [download(LATER), download(SENT)]},
        {"campaign_sendings": [note("sent", SENT)]},
        {"download_ledger": [download(LIST_DAY)], "campaign_sendings": [note("sent", SENT)]},
        {
            "campaign_sendings": [
                note("sent", SENT, date(2024, 2, 3)),
                note("not_used", None, date(2024, 2, 2)),
            ]
        },
    ],
    ids=["downloaded", "downloaded twice", "noted", "noted on another day than taken", "noted anew"],
)
def test_a_campaign_starts_when_it_was_sent(shop: Shop, records: dict[str, list[Row]]) -> None:
    found = ordered(made(shop, facts(**records), LATER))
    assert (found["started_on"], found["closes_on"], found["state"]) == (SENT, CLOSED, "closed")
    assert (found["delivered"], found["held_out"], found["delivered_total"]) == (60, 40, 30)
    assert found["difference"] == pytest.approx(0.4)
    assert found["verdict"] == "worked"


@pytest.mark.parametrize(
    "records",
    [
        {"download_ledger": [download(platform="reading")]},
        {"download_ledger": [download(finished_at=None)]},
        {"download_ledger": [download()], "campaign_sendings": [note("not_used", None)]},
        {"download_ledger": [download(list_id="another-2024-01-05")]},
    ],
    ids=["read only", "broken off", "noted as not used", "another list"],
)
def test_what_is_no_sending_begins_no_campaign(shop: Shop, records: dict[str, list[Row]]) -> None:
    assert ordered(made(shop, facts(**records), LATER))["verdict"] == "not_used"


def test_a_download_late_at_night_is_of_the_shops_own_day(shop: Shop, tmp_path: Path) -> None:
    settings = (shop.folder / "shop.toml").read_text().replace("Europe/London", "Pacific/Auckland")
    (tmp_path / "shop.toml").write_text(settings)
    found = made(Shop.open(tmp_path), facts(download_ledger=[download(finished_at=at(SENT, 23))]), LATER)
    assert ordered(found)["started_on"] == SENT + timedelta(1)


def test_the_day_before_the_window_is_over_is_too_early(shop: Shop) -> None:
    taken = facts(download_ledger=[download()])
    assert ordered(made(shop, taken, CLOSED))["verdict"] == "worked"
    early = ordered(made(shop, taken, CLOSED - timedelta(1)))
    assert (early["verdict"], early["days_left"], early["difference"]) == ("too_early", 1, None)


def test_nothing_from_after_the_day_changes_its_rows(shop: Shop) -> None:
    day = SENT + timedelta(10)
    later = day + timedelta(1)
    known = facts(download_ledger=[download()])
    more = facts(
        campaign_lists=[a_list(), a_list(later)],
        list_members=[*members(deliver=DELIVER, hold_out=HOLD_OUT), *members(later, deliver=["x"])],
        download_ledger=[download(), download(later), download(later, list_id=f"thanks-{later}", who="b")],
        orders=[*known["orders"].to_dicts(), order("d50", later)],
        suppressions=[
            {"customer_key": "d1", "kind": "unsubscribed", "channel": "email", "recorded_at": at(later)}
        ],
        campaign_assignments=[assignment("d1", "deliver", day=later)],
        messages=[message("d1", later)],
        customers=[*known["customers"].to_dicts(), customer("new", later)],
    )
    for name in ("campaign_results", "contact_pressure"):
        assert_frame_equal(made(shop, more, day, name), made(shop, known, day, name))


def test_each_person_starts_with_the_first_of_a_campaigns_used_lists(shop: Shop) -> None:
    second = LIST_DAY + timedelta(7)
    third = LIST_DAY + timedelta(14)
    found = made(
        shop,
        facts(
            campaign_lists=[a_list(), a_list(second, title="Thanks anew"), a_list(third)],
            list_members=[
                *members(deliver=["a", "b"], hold_out=["h"]),
                *members(second, deliver=["a", "c"], hold_out=["h", "i"]),
                *members(third, deliver=["e"]),
            ],
            download_ledger=[download(), download(second, list_id=f"thanks-{second}")],
            # a's window is over by then, c's is not.
            orders=[order(key, SENT + timedelta(WINDOW + 2)) for key in ("a", "c", "h", "i", "e")],
        ),
        LATER,
    )
    row = ordered(found)
    assert (row["lists"], row["lists_used"], row["delivered"], row["held_out"]) == (3, 2, 3, 2)
    assert (row["started_on"], row["closes_on"]) == (SENT, second + timedelta(WINDOW - 1))
    assert (row["delivered_total"], row["held_out_total"]) == (1, 1)


def test_a_list_of_another_quarter_is_a_campaign_of_its_own(shop: Shop) -> None:
    found = made(
        shop,
        facts(
            campaign_lists=[a_list(), a_list(date(2024, 4, 2), campaign="thanks-2024-Q2")],
            download_ledger=[download()],
        ),
        LATER,
    )
    assert ordered(found)["verdict"] == "worked"
    assert ordered(found, "thanks-2024-Q2")["verdict"] == "not_used"


def test_a_key_that_was_merged_since_counts_as_the_customer_of_now(shop: Shop) -> None:
    alias = {
        "identifier_kind": "email",
        "identifier": "a@example.org",
        "own_key": "d59",
        "customer_key": "now",
    }
    changed = facts(
        download_ledger=[download()],
        identity_map=[alias],
        orders=[order("now", SENT + timedelta(1)), order("d59", SENT + timedelta(1))],
    )
    assert ordered(made(shop, changed, LATER))["delivered_total"] == 1


@pytest.mark.parametrize(
    ("kind", "channel", "counts"),
    [("unsubscribed", "email", 1), ("unsubscribed", "all", 1), ("unsubscribed", "sms", 0), ("bounced", "email", 0),
     ("objection", "sms", 1)],
)  # fmt: skip
def test_who_left_the_channel_or_objected_is_counted(
    shop: Shop, kind: str, channel: str, counts: int
) -> None:
    left = {"customer_key": "d1", "kind": kind, "channel": channel, "recorded_at": at(SENT + timedelta(2))}
    found = made(shop, facts(download_ledger=[download()], suppressions=[left]), LATER)
    assert found.filter(outcome="unsubscribed")["delivered_total"].to_list() == [counts]


def test_a_shop_without_suppressions_cannot_say_who_left(tmp_path: Path) -> None:
    alone = write_shop(tmp_path, ["orders"])
    found = made(alone, facts(download_ledger=[download()]), LATER)
    assert found.filter(outcome="unsubscribed")["delivered_total"].to_list() == [None]


def assignment(key: str, where: str, name: str = "spring", day: date = SENT) -> Row:
    return {
        "campaign": name,
        "customer_key": key,
        "assignment": where,
        "assigned_at": at(day),
        "assigned_day": day,
    }


def test_delivered_campaigns_are_read_out_alike(shop: Shop) -> None:
    assigned = [
        assignment(key, where, name)
        for name in ("spring", "by_post")
        for where, keys in (("deliver", DELIVER), ("hold_out", HOLD_OUT))
        for key in keys
    ]
    found = made(shop, facts(campaign_assignments=assigned), LATER)
    spring, by_post = ordered(found, "spring"), ordered(found, "by_post")
    assert (spring["window_days"], by_post["window_days"]) == (21, 90), (
        "that of the list of its name, else 90"
    )
    assert (spring["source"], spring["title"], by_post["title"]) == ("delivered", "Spring", "By post")
    assert spring["difference"] == by_post["difference"] == pytest.approx(0.4)
    assert (spring["lists"], spring["verdict"]) == (None, "worked")


def test_a_delivery_about_our_own_campaign_does_not_tell_it_twice(shop: Shop) -> None:
    found = made(
        shop,
        facts(
            download_ledger=[download()], campaign_assignments=[assignment("d1", "deliver", "thanks-2024-Q1")]
        ),
        LATER,
    )
    assert found["campaign"].to_list() == ["thanks-2024-Q1"] * len(OUTCOMES)
    assert ordered(found)["source"] == "lists"


def message(key: str, day: date, kind: str = "marketing") -> Row:
    return {
        "message_id": f"m-{key}-{day}-{kind}", "customer_key": key, "channel": "email", "kind": kind,
        "sent_at": at(day), "sent_day": day,
    }  # fmt: skip


def customer(key: str, day: date | None) -> Row:
    return {"customer_key": key, "first_order_day": day}


def test_a_list_and_a_message_on_one_day_are_one_contact(shop: Shop) -> None:
    day = SENT + timedelta(20)
    found = made(
        shop,
        facts(
            download_ledger=[download()],
            messages=[
                message("d0", SENT),
                message("d0", SENT + timedelta(2)),
                message("d1", SENT + timedelta(3), "transactional"),
                message("h0", SENT + timedelta(3)),
            ],
            customers=[customer(key, date(2023, 5, 5)) for key in ("d0", "d1", "h0", "h1")],
        ),
        day,
        "contact_pressure",
    )
    by_contacts = dict(found.filter(window_days=30).select("contacts", "customers").rows())
    assert by_contacts == {"0": 1, "1": 2, "2": 1, "3-4": 0, "5-9": 0, "10+": 0}


def test_without_messages_and_used_lists_nothing_is_known_of_contacts(tmp_path: Path) -> None:
    alone = write_shop(tmp_path, ["orders"])
    customers = [customer("d0", date(2023, 5, 5)), customer("never ordered", None)]
    assert made(alone, facts(customers=customers), LATER, "contact_pressure").is_empty()
    used = facts(customers=customers, download_ledger=[download()])
    found = made(alone, used, LATER, "contact_pressure")
    assert found.group_by("window_days").agg(pl.col("customers").sum())["customers"].to_list() == [1, 1]


def test_a_shop_without_lists_has_no_campaigns(shop: Shop) -> None:
    assert made(shop, facts(campaign_lists=[], list_members=[]), LATER).is_empty()
