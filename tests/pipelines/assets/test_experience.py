"""The tables of what customers meet with: always there, kept as promised, and plain about what is not connected."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from data_contracts import table
from pipelines.assets import experience
from pipelines.assets.catalogue import steps_of
from pipelines.assets.experience import CONNECTED
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Outcome
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.pipelines.published_shops import NIGHT, rows_of
from tests.pipelines.small_shops import write_shop

AS_OF = date(2024, 5, 31)
START = date(2023, 7, 10)
OPTIONAL = ("shipments", "tickets", "messages")
Row = dict[str, Any]


def facts(people: int = 40) -> dict[str, list[Row]]:
    """Composed: all order, get a parcel and are asked; every second parcel is late, every fourth is asked for."""
    made: dict[str, list[Row]] = {name: [] for name in (*OPTIONAL, "orders", "order_lines", "returns")}
    made |= {"survey_invitations": [], "survey_answers": []}
    for n in range(people):
        day = START + timedelta(n)
        own = {"order_id": f"o{n}", "customer_key": f"k{n}"}
        is_late, asks = n % 2 == 0, n % 4 == 0
        made["orders"] += [
            own | {"order_id": order_id, "order_day": placed, "channel": "web", "is_valid": True}
            for order_id, placed in ((f"o{n}", day), (f"p{n}", day + timedelta(70)))[: 1 if is_late else 2]
        ]
        line = {"line_no": 1, "product_id": "mug", "category": "home", "kind": "merchandise", "quantity": 1}
        made["order_lines"].append(own | line | {"net": 10})
        if n % 5 == 0:
            back = {
                "return_id": f"r{n}",
                "kind": "merchandise",
                "quantity": 1,
                "amount": 10,
                "reason": "damaged",
            }
            days = {"returned_day": day + timedelta(6), "refunded_day": day + timedelta(6 + n % 20)}
            made["returns"].append(own | back | {"product_id": "mug", "outcome": "refund"} | days)
        parcel = {
            "shipment_id": f"s{n}",
            "promised_day": day + timedelta(3),
            "is_late": is_late,
            "carrier": "van",
        }
        made["shipments"].append(own | parcel | {"delivered_day": day + timedelta(4 if is_late else 2)})
        if asks:
            ticket = {"ticket_id": f"t{n}", "topic": "wismo", "is_wismo": True, "is_open": False}
            made["tickets"].append(
                own | ticket | {"opened_day": day + timedelta(4), "closed_day": day + timedelta(5)}
            )
        message = {"message_id": f"m{n}", "channel": "email", "kind": "marketing", "sent_day": day}
        made["messages"].append(own | message)
        survey = own | {"survey_id": f"q{n}", "kind": "nps"}
        made["survey_invitations"].append(survey | {"sent_day": day + timedelta(8)})
        answer = {"score": 3 if is_late else 10, "answered_day": day + timedelta(9)}
        made["survey_answers"].append(survey | answer)
    return made


def measured(
    folder: Path, sources: tuple[str, ...], rows: dict[str, list[Row]]
) -> tuple[Shop, Lake, dict[str, Outcome]]:
    shop = write_shop(folder / "shop", ("orders", *sources))
    lake = Lake.make(folder / "lake", shop.name)
    for name, own in rows.items():
        columns = table(name).schema
        told = [{key: value for key, value in row.items() if key in columns} for row in own]
        lake.replace(name, rows_of(name, told).lazy(), fingerprint="composed")
    steps = steps_of(shop)
    given = Given(shop, lake, Moment("composed run", NIGHT, AS_OF), steps)
    return shop, lake, {step.table: carry_out(step, given) for step in experience.steps(shop)}


def test_every_table_is_made_of_what_is_connected(tmp_path: Path) -> None:
    sources = ("survey_invitations", "survey_answers", *OPTIONAL)
    shop, lake, outcomes = measured(tmp_path, sources, facts())
    assert set(outcomes) == {
        "return_rates", "refund_speed", "satisfaction", "satisfaction_break_downs", "score_behaviour",
        "service_rates", "aftermath",
    }  # fmt: skip
    assert all(outcome.rows for outcome in outcomes.values())
    assert set(steps_of(shop)["aftermath"].reads) == {"orders", "returns", "shipments", "tickets"}
    measures = set(lake.scan("service_rates").collect()["measure"])
    assert measures >= {"late_rate", "contact_rate", "wismo_share", "days_to_close_p50", "contact_pressure"}
    rows = lake.scan("aftermath").filter(pl.col("horizon_days") == 90).collect().rows(named=True)
    late = next(row for row in rows if row["event"] == "late_parcel")
    # Late ones never came back, the others all did.
    assert (late["with_n"], late["with_count"], late["without_n"], late["without_count"]) == (20, 0, 20, 20)
    assert (late["overlap"], late["difference"], late["is_small"]) == (1, -1, True)
    behaviour = lake.scan("score_behaviour").filter(
        pl.col("horizon_days") == 180, pl.col("group_kind") == "band"
    )
    assert sorted(behaviour.select("group", "n", "rate").collect().rows()) == [
        ("detractor", 20, 0.0),
        ("promoter", 20, 1.0),
    ]


def test_a_shop_without_optional_tables_has_the_tables_and_is_told_why_they_are_short(tmp_path: Path) -> None:
    told = {name: rows for name, rows in facts().items() if name in ("orders", "order_lines", "returns")}
    _, lake, outcomes = measured(tmp_path, (), told)
    assert outcomes["service_rates"].rows == outcomes["satisfaction"].rows == 0
    assert outcomes["score_behaviour"].rows == outcomes["satisfaction_break_downs"].rows == 0
    events = set(lake.scan("aftermath").collect()["event"])
    assert events == {"return", "bad_return", "slow_refund"}
    (note,) = [verdict for verdict in outcomes["service_rates"].verdicts if verdict.check == CONNECTED]
    assert note.passed
    assert "no source in shop.toml delivers shipments, tickets, messages" in note.says


def test_an_optional_table_that_was_disconnected_is_not_read(tmp_path: Path) -> None:
    _, lake, _ = measured(tmp_path, ("tickets",), facts())
    assert not lake.scan("aftermath").filter(pl.col("event") == "late_parcel").collect().height
    assert set(lake.scan("service_rates").collect()["break_down"]) <= {"all", "channel", "topic"}


@pytest.mark.parametrize("people", [0, 1, 3])
def test_a_shop_of_nobody_or_few_gives_numbers_or_nothing(tmp_path: Path, people: int) -> None:
    _, lake, outcomes = measured(tmp_path, ("survey_invitations", "survey_answers", *OPTIONAL), facts(people))
    assert {name: outcome.rows > 0 for name, outcome in outcomes.items()} == dict.fromkeys(
        outcomes, people > 0
    )
    scores = lake.scan("satisfaction").collect()
    assert scores["value"].is_null().all()
    assert lake.scan("aftermath").collect()["is_small"].all()


def test_nothing_is_made_twice(tmp_path: Path) -> None:
    shop, lake, _ = measured(tmp_path, OPTIONAL, facts(3))
    given = Given(shop, lake, Moment("second run", NIGHT, AS_OF), steps_of(shop))
    again = [carry_out(step, given) for step in experience.steps(shop)]
    assert all(outcome.was_unchanged for outcome in again)
