"""The gate: everybody is counted once, and nobody passes who must not be written to."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.delivery.causes import STEP_OF, STEPS
from pipelines.delivery.gate import Gated
from pipelines.delivery.permissions import Permissions
from pipelines.settings import SegmentList
from pipelines.shop import Shop
from tests.pipelines.published_shops import AS_OF, entry, permitted, profile, rows_of, through_the_gates
from tests.pipelines.small_shops import write_shop

PEOPLE = [f"person {number}" for number in range(8)]
CHANNELS = ("email", "sms", "ads")
EVERYONE = profile(
    [
        {"customer_key": key, "valid_orders": n % 4, "last_nps": None if n % 3 else n}
        for n, key in enumerate(PEOPLE)
    ]
)

people = st.sampled_from(PEOPLE)
moments = st.integers(0, 36_500).map(lambda days: datetime(2000, 1, 1, tzinfo=UTC) + timedelta(days=days))
consents = st.lists(
    st.fixed_dictionaries(
        {
            "customer_key": people,
            "channel": st.sampled_from(CHANNELS),
            "is_granted": st.sampled_from([True, True, False, None]),
            "recorded_at": moments,
        }
    ),
    max_size=12,
    unique_by=lambda row: (row["customer_key"], row["channel"]),
).map(partial(rows_of, "consents"))
suppressions = st.lists(
    st.fixed_dictionaries(
        {
            "customer_key": people,
            "kind": st.sampled_from(["objection", "unsubscribed", "bounced"]),
            "channel": st.sampled_from([*CHANNELS, "all"]),
            "recorded_at": moments,
        }
    ),
    max_size=8,
).map(partial(rows_of, "suppressions"))
contacts = st.lists(
    st.fixed_dictionaries(
        {
            "customer_key": people,
            "kind": st.sampled_from(["email", "phone", "external_id"]),
            "address": st.sampled_from(["1", "2", "3", "4", "5", "6", "7", "8", "9"]),
            "last_seen_at": moments,
        }
    ),
    max_size=16,
).map(partial(rows_of, "contacts"))
entries = st.builds(
    entry,
    channel=st.sampled_from(CHANNELS),
    where=st.sampled_from(["true", "valid_orders > 1", "last_nps > 2", "false"]),
    null_means=st.sampled_from(["in", "out"]),
    order_by=st.sampled_from(["customer_key", "valid_orders DESC", "last_nps"]),
    limit=st.sampled_from([None, 1, 3, 100]),
    hold_out=st.sampled_from([0.0, 0.3, 0.9]),
)


class Case(NamedTuple):
    entry: SegmentList
    when_not_delivered: str
    permissions: Permissions
    as_of: date


cases = st.builds(
    Case,
    entries,
    st.sampled_from(["allow", "deny"]),
    st.builds(permitted, consents, suppressions, contacts),
    st.sampled_from([date(2001, 1, 1), AS_OF]),
)


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shop]:
    """One shop for each meaning of a missing consent."""

    def shop(meaning: str, folder: Path) -> Shop:
        return write_shop(folder, more=f'[consent]\nwhen_not_delivered = "{meaning}"\n')

    return {meaning: shop(meaning, tmp_path_factory.mktemp(meaning)) for meaning in ("allow", "deny")}


def gated(case: Case, shops: dict[str, Shop]) -> Gated:
    shop = shops[case.when_not_delivered]
    return through_the_gates(EVERYONE, [case.entry], shop, case.permissions, as_of=case.as_of)[
        case.entry.name
    ]


def stopped(result: Gated) -> dict[str, str | None]:
    """The step at which each person is stopped; None for who is in the file."""
    causes = result.people.select("customer_key", pl.col("because").cast(pl.String)).iter_rows()
    return {key: None if because is None else STEP_OF[because] for key, because in causes}


def chosen(result: Gated) -> set[str]:
    return set(result.members["customer_key"])


@settings(max_examples=25, deadline=None)
@given(case=cases)
def test_every_step_adds_up_to_everyone(case: Case, shops: dict[str, Shop]) -> None:
    result = gated(case, shops)
    in_the_file = result.people["because"].null_count()
    assert sum(result.count(step) for step in STEPS) + in_the_file == len(PEOPLE)
    assert result.people["customer_key"].sort().to_list() == PEOPLE


@settings(max_examples=60, deadline=None)
@given(case=cases)
def test_nobody_passes_who_objected_closed_the_channel_or_refused(case: Case, shops: dict[str, Shop]) -> None:
    passed = chosen(gated(case, shops))
    closed = {
        row["customer_key"]
        for row in case.permissions.suppressions.collect().iter_rows(named=True)
        if row["kind"] == "objection" or row["channel"] in (case.entry.channel, "all")
    }
    decided = {
        row["customer_key"]: row["is_granted"]
        for row in case.permissions.consents.collect().iter_rows(named=True)
        if row["channel"] == case.entry.channel
    }
    assert not passed & closed
    assert not passed & {key for key, granted in decided.items() if not granted}
    if case.when_not_delivered == "deny":
        assert passed <= {key for key, granted in decided.items() if granted}


def _first_stop(
    key: str, case: Case, eligible: set[str], held_out: set[str], reachable: set[str]
) -> str | None:
    """Who stops a person, asked one person and one step at a time."""
    rows = case.permissions.suppressions.filter(pl.col("customer_key") == key).collect().iter_rows(named=True)
    if any(row["kind"] == "objection" or row["channel"] in (case.entry.channel, "all") for row in rows):
        return "suppressed"
    if key not in eligible:
        return "not_eligible"
    decision = (
        case.permissions.consents.filter(
            (pl.col("customer_key") == key) & (pl.col("channel") == case.entry.channel)
        )
        .collect()["is_granted"]
        .to_list()
    )
    if not (decision[0] if decision else case.when_not_delivered == "allow"):
        return "no_consent"
    if key not in reachable:
        return "undeliverable"
    return "held_out" if key in held_out else None


@settings(max_examples=25, deadline=None)
@given(case=cases)
def test_each_person_leaves_at_the_first_step_that_stops_them(case: Case, shops: dict[str, Shop]) -> None:
    unlimited = case._replace(entry=case.entry.model_copy(update={"limit": None}))
    result = gated(unlimited, shops)
    facts = {row["customer_key"]: row for row in EVERYONE.iter_rows(named=True)}

    def answer(key: str) -> bool | None:
        orders, nps = facts[key]["valid_orders"], facts[key]["last_nps"]
        return {
            "true": True,
            "false": False,
            "valid_orders > 1": orders > 1,
            "last_nps > 2": None if nps is None else nps > 2,
        }[case.entry.where]

    eligible = {
        key for key in PEOPLE if (answer(key) if answer(key) is not None else case.entry.null_means == "in")
    }
    held_out = {key for key, step in stopped(result).items() if step == "held_out"}
    wanted = {"email": ["email"], "sms": ["phone"], "ads": ["email", "phone"]}[case.entry.channel]
    contacts = case.permissions.contacts.collect()
    found = contacts.filter(pl.col("kind").is_in(wanted))
    own = contacts.filter(pl.col("kind") == "external_id").select("customer_key", "address").unique()
    of_one = own.filter(pl.len().over("address") == 1)
    reachable = set((of_one if found.is_empty() else found)["customer_key"])
    for key, stopped_by in stopped(result).items():
        assert stopped_by == _first_stop(key, unlimited, eligible, held_out, reachable)


@settings(max_examples=15, deadline=None)
@given(case=cases, limit=st.integers(1, 9))
def test_a_limit_takes_the_best_of_those_who_pass(case: Case, limit: int, shops: dict[str, Shop]) -> None:
    def passing(limit: int | None) -> list[str]:
        limited = case.entry.model_copy(update={"limit": limit, "hold_out": 0.0})
        result = gated(case._replace(entry=limited), shops)
        unreachable = {key for key, step in stopped(result).items() if step == "undeliverable"}
        return [*result.members["customer_key"], *sorted(unreachable)]

    best = passing(None)
    assert len(passing(limit)) == min(limit, len(best))
    order = EVERYONE.select("customer_key", rank=_rank(case.entry.order_by)).sort("rank", "customer_key")
    expected = [key for key in order["customer_key"] if key in best][:limit]
    assert sorted(passing(limit)) == sorted(expected)


def _rank(order_by: str) -> pl.Expr:
    """The orders that cases ask for, as numbers that grow along them; in DuckDB nulls come last."""
    return {
        "customer_key": pl.lit(0),
        "valid_orders DESC": -pl.col("valid_orders"),
        "last_nps": pl.col("last_nps").fill_null(99),
    }[order_by].cast(pl.Int64)


def everybody_reachable(keys: list[str]) -> Permissions:
    numbers = [
        {
            "customer_key": key,
            "kind": "external_id",
            "address": key,
            "last_seen_at": datetime(2024, 1, 1, tzinfo=UTC),
        }
        for key in keys
    ]
    return permitted(contacts=rows_of("contacts", numbers))


def held_out_on(day: date, shop: Shop, keys: list[str], **changes: Any) -> set[str]:
    crowd = profile([{"customer_key": key} for key in keys])
    one = entry(hold_out=0.2, **changes)
    result = through_the_gates(crowd, [one], shop, everybody_reachable(keys), as_of=day)[one.name]
    return {key for key, step in stopped(result).items() if step == "held_out"}


def test_the_hold_out_stays_within_a_quarter_and_is_drawn_anew_after(shops: dict[str, Shop]) -> None:
    keys = [f"{number:04}" for number in range(2000)]
    first = held_out_on(date(2024, 4, 1), shops["allow"], keys)
    assert first == held_out_on(date(2024, 6, 30), shops["allow"], keys)
    # Who joins or leaves the list changes nobody else's assignment.
    assert first & set(keys[:500]) == held_out_on(date(2024, 5, 1), shops["allow"], keys[:500])
    again = held_out_on(date(2024, 7, 1), shops["allow"], keys)
    other = held_out_on(date(2024, 4, 1), shops["allow"], keys, name="another_list")
    assert first != again
    assert first != other
    # 400 expected; four standard deviations of a fair lot are 72.
    assert all(abs(len(drawn) - 400) <= 72 for drawn in (first, again, other))


def test_a_number_that_two_customers_share_reaches_neither(shops: dict[str, Shop]) -> None:
    seen = datetime(2024, 1, 1, tzinfo=UTC)
    rows = [("a", "7", 0), ("b", "7", 1), ("b", "8", 0), ("c", "9", 0)]
    contacts = rows_of(
        "contacts",
        [
            {"customer_key": k, "kind": "external_id", "address": n, "last_seen_at": seen + timedelta(days=d)}
            for k, n, d in rows
        ],
    )
    crowd = profile([{"customer_key": key} for key in "abc"])
    result = through_the_gates(crowd, [entry()], shops["allow"], permitted(contacts=contacts))["everybody"]
    assert chosen(result) == {"b", "c"}
    assert result.count("undeliverable") == 1
