"""Several lists of one night: the frequency cap over all of them, exclusive purposes, exclusion files. Composed."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.contact_cap import contacts, used_lists
from pipelines.delivery.gate import Gated
from pipelines.errors import ShopError
from pipelines.settings import ContactCap, SegmentList
from pipelines.shop import Shop
from tests.pipelines.published_shops import AS_OF, entry, permitted, profile, rows_of, through_the_gates
from tests.pipelines.small_shops import write_shop

KEYS = [f"person {number}" for number in range(6)]
EVERYONE = profile([{"customer_key": key, "valid_orders": n} for n, key in enumerate(KEYS)])
ALLOW = '[consent]\nwhen_not_delivered = "allow"\n'
NUMBERS = rows_of(
    "contacts", [{"customer_key": key, "kind": "external_id", "address": key[-1]} for key in KEYS]
)
LONDON = ZoneInfo("Europe/London")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return write_shop(tmp_path_factory.mktemp("shop"), more=ALLOW + "[contact_cap]\ntimes = 2\ndays = 30\n")


def night(shop: Shop, lists: list[SegmentList], **more: Any) -> dict[str, Gated]:
    return through_the_gates(EVERYONE, lists, shop, permitted(contacts=NUMBERS), **more)


def in_file(result: Gated) -> set[str]:
    return set(result.members.filter(~pl.col("is_held_out"))["customer_key"])


def messages(*sent: tuple[int, int], kind: str = "marketing") -> pl.LazyFrame:
    """Messages to person n so many days before as_of."""
    return rows_of(
        "messages",
        [
            {"customer_key": KEYS[n], "kind": kind, "sent_day": AS_OF - timedelta(days=days)}
            for n, days in sent
        ],
    ).lazy()


def test_messages_and_earlier_lists_of_the_night_fill_the_cap_and_advertisements_do_not(shop: Shop) -> None:
    lists = [entry(name="ads", channel="ads"), entry(name="first"), entry(name="second"), entry(name="third")]
    result = night(shop, lists, messages=messages((0, 0), (0, 29), (1, 0), (2, 30), (2, 31)))
    assert in_file(result["ads"]) == set(KEYS)
    assert in_file(result["first"]) == set(KEYS[1:])
    assert in_file(result["second"]) == set(KEYS[2:])
    assert in_file(result["third"]) == set()
    assert result["third"].count("capped") == len(KEYS)


def test_a_list_may_have_its_own_cap_and_transactional_messages_count_for_none(shop: Shop) -> None:
    lists = [entry(name="patient", cap=ContactCap(times=1, days=7)), entry(name="other")]
    result = night(shop, lists, messages=messages((0, 3), (1, 10)))
    assert in_file(result["patient"]) == set(KEYS[1:])
    told = messages((0, 0), (0, 1), kind="transactional")
    assert in_file(night(shop, [entry()], messages=told)["everybody"]) == set(KEYS)


def test_a_list_that_was_used_counts_on_its_day_and_once_with_its_own_messages(shop: Shop) -> None:
    used_on = AS_OF - timedelta(days=5)
    members = rows_of(
        "list_members",
        [
            {"list_id": "earlier", "customer_key": KEYS[0], "assignment": "deliver"},
            {"list_id": "earlier", "customer_key": KEYS[1], "assignment": "hold_out"},
            {"list_id": "never used", "customer_key": KEYS[2], "assignment": "deliver"},
        ],
    ).lazy()
    used = pl.DataFrame({"list_id": ["earlier"], "used_on": [used_on]})
    counted = contacts(messages((0, 5), (0, 4), (3, 4)), members, used, as_of=AS_OF, days=30).collect()
    assert dict(counted.iter_rows()) == {KEYS[0]: 2, KEYS[3]: 1}
    before = contacts(None, members, used, as_of=used_on - timedelta(days=1), days=30).collect()
    assert before.is_empty()


def test_a_list_is_used_on_the_noted_day_or_the_first_download_of_an_upload_file() -> None:
    at = datetime(2024, 5, 1, 23, 30, tzinfo=UTC)  # half past midnight in London
    ledger = rows_of(
        "download_ledger",
        [
            {"list_id": "taken", "platform": "klaviyo", "finished_at": at},
            {"list_id": "taken", "platform": "klaviyo", "finished_at": at + timedelta(days=3)},
            {"list_id": "read", "platform": "reading", "finished_at": at},
            {"list_id": "broke off", "platform": "klaviyo", "finished_at": None},
            {"list_id": "sent", "platform": "klaviyo", "finished_at": at},
            {"list_id": "dropped", "platform": "klaviyo", "finished_at": at},
        ],
    )
    notes = rows_of(
        "campaign_sendings",
        [
            {"note_id": "1", "list_id": "sent", "state": "not_used", "noted_at": at},
            {"note_id": "2", "list_id": "sent", "state": "sent", "sent_on": date(2024, 5, 9),
             "noted_at": at + timedelta(hours=1)},
            {"note_id": "3", "list_id": "dropped", "state": "not_used", "noted_at": at},
            {"note_id": "4", "list_id": "by hand", "state": "sent", "sent_on": date(2024, 5, 8), "noted_at": at},
        ],
    )  # fmt: skip
    assert dict(used_lists(ledger, notes, LONDON).iter_rows()) == {
        "by hand": date(2024, 5, 8),
        "sent": date(2024, 5, 9),
        "taken": date(2024, 5, 2),
    }


@settings(max_examples=40, deadline=None)
@given(
    wheres=st.lists(
        st.sampled_from(["true", "valid_orders > 1", "valid_orders < 4", "false"]), min_size=2, max_size=4
    ),
    hold_out=st.sampled_from([0.0, 0.5]),
    limit=st.sampled_from([None, 2]),
    purposes=st.lists(st.sampled_from(["a", "b"]), min_size=4, max_size=4),
)
def test_an_exclusive_list_shares_nobody_with_earlier_lists_of_its_purpose(
    wheres: list[str], hold_out: float, limit: int | None, purposes: list[str], shop: Shop
) -> None:
    lists = [
        entry(name=f"list{n}", where=where, purpose=purpose, exclusive=n % 2 == 1, hold_out=hold_out, limit=limit,
              cap=ContactCap(times=99))
        for n, (where, purpose) in enumerate(zip(wheres, purposes, strict=False))
    ]  # fmt: skip
    result = night(shop, lists)
    for n, one in enumerate(lists):
        earlier = [other for other in lists[:n] if other.purpose == one.purpose]
        others = {key for other in earlier for key in result[other.name].members["customer_key"]}
        if one.exclusive:
            assert not others & set(result[one.name].members["customer_key"])


def test_exclusion_files_name_people_by_any_address_and_a_missing_file_stops_the_list(tmp_path: Path) -> None:
    shop = write_shop(tmp_path, more=ALLOW + '[identity]\nphone_region = "GB"\n')
    (tmp_path / "gone.csv").write_text(
        '﻿Address\n "A.Person@Example.org" ;\n020 7946 0018\n3\n', encoding="utf-8"
    )
    reached = rows_of(
        "contacts",
        [
            {"customer_key": KEYS[0], "kind": "email", "address": "a.person@example.org"},
            {"customer_key": KEYS[1], "kind": "phone", "address": "+442079460018"},
            *({"customer_key": key, "kind": "external_id", "address": key[-1]} for key in KEYS),
            *({"customer_key": key, "kind": "email", "address": f"{key[-1]}@example.org"} for key in KEYS),
        ],
    )
    one = entry(exclude=["gone.csv"])
    result = through_the_gates(EVERYONE, [one], shop, permitted(contacts=reached))["everybody"]
    assert in_file(result) == {KEYS[2], KEYS[4], KEYS[5]}
    assert result.stops.filter(because="exclusion_file")["customers"].to_list() == [3]
    with pytest.raises(ShopError, match=r"exclude = 'lost\*.csv': no such file"):
        through_the_gates(EVERYONE, [entry(exclude=["lost*.csv"])], shop, permitted(contacts=reached))


def test_who_has_no_address_is_in_neither_group_whatever_the_lot_says(shop: Shop) -> None:
    crowd = [f"{number:03}" for number in range(200)]
    reached = rows_of(
        "contacts", [{"customer_key": key, "kind": "external_id", "address": key} for key in crowd[:100]]
    )
    one = entry(hold_out=0.5)
    people = profile([{"customer_key": key} for key in crowd])
    result = through_the_gates(people, [one], shop, permitted(contacts=reached))["everybody"]
    assert set(result.members["customer_key"]) == set(crowd[:100])
    stops = dict(result.stops.select("because", "customers").iter_rows())
    assert stops["lot"] + stops["passes"] == 100
    assert stops["no_address"] == 100
