"""Who leaves after a bad experience: against the tables it is made from, known effects, a simulated shop's truth."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from models.aftermath import LANDMARK_DAYS, aftermath
from models.claims import Facts, Finding, Status
from models.claims.bad_experience import HORIZON_DAYS, findings
from models.intervals import wilson
from pipelines.simulate.effects import Effects
from pipelines.simulate.parameters import Parameters
from tests.models.claims.composed_buying import SIMULATED_UNTIL, simulated, simulated_block
from tests.models.composed_experience import ANSWERS, INVITATIONS, SHIPMENTS
from tests.models.shops import OPENED, ORDERS, RETURNS

LATER = OPENED + timedelta(500)
LATE, LATE_MORE = "no further order after a late parcel", "how many more leave after a late parcel"
FAULT, FAULT_MORE = (
    "no further order after a return for the shop's fault",
    "how many more leave after a return for the shop's fault",
)
UNHAPPY, UNHAPPY_MORE = (
    "no further order after an unhappy answer",
    "how many more leave after an unhappy answer",
)


def _by_part(facts: Facts, as_of: date) -> dict[str, Finding]:
    return {found.part: found for found in findings(facts, as_of)}


def _composed(people: int, seed: int, effect: float) -> Facts:
    """Composed: eager people meet with more trouble; trouble takes `effect` from the chance of another order."""
    rng = np.random.default_rng(seed)
    is_eager = rng.random(people) < 0.5
    trouble = rng.random((3, people)) < np.where(is_eager, 0.4, 0.2)
    chance = np.where(is_eager, 0.8, 0.5) - effect * trouble.any(axis=0)
    again = rng.random(people) < chance
    rows: dict[str, list[dict[str, Any]]] = {
        name: [] for name in ("orders", "shipments", "returns", "survey_answers")
    }
    for n in range(people):
        same = {"customer_key": f"k{n}", "is_valid": True, "channel": "web"}
        # What makes people eager shows in the orders they had before.
        if is_eager[n]:
            rows["orders"].append(same | {"order_id": f"b{n}", "order_day": OPENED - timedelta(400)})
        rows["orders"].append(same | {"order_id": f"o{n}", "order_day": OPENED})
        if again[n]:
            rows["orders"].append(same | {"order_id": f"a{n}", "order_day": OPENED + timedelta(200)})
        late, bad, unhappy = (bool(one) for one in trouble[:, n])
        order = {"order_id": f"o{n}"}
        rows["shipments"].append(order | {"delivered_day": OPENED + timedelta(3), "is_late": late})
        if bad:
            back = {"kind": "merchandise", "returned_day": OPENED + timedelta(9), "reason": "damaged"}
            rows["returns"].append(order | back)
        rows["survey_answers"].append(
            order
            | {"survey_id": f"s{n}", "customer_key": f"k{n}", "kind": "nps"}
            | {"score": 4 if unhappy else 9, "answered_day": OPENED + timedelta(12)}
        )
    schemas = {"orders": ORDERS, "shipments": SHIPMENTS, "returns": RETURNS, "survey_answers": ANSWERS}
    return Facts({name: pl.LazyFrame(rows[name], schema=schema) for name, schema in schemas.items()})


@pytest.mark.parametrize("effect", [0.0, 0.2])
def test_more_leave_only_where_the_experience_makes_them(effect: float) -> None:
    found = _by_part(_composed(3000, 5, effect), LATER)
    assert [one.claimed is not None for one in found.values()] == [True] * 6
    # Some have met with other trouble anyway, and more of the eager have: to these one more does nothing.
    spared = np.array([0.6**2, 0.8**2])
    of_events, of_answers = np.average(spared, weights=[0.4, 0.2]), spared.mean()
    for part, share in ((LATE_MORE, of_events), (FAULT_MORE, of_events), (UNHAPPY_MORE, of_answers)):
        one = found[part]
        assert one.low is not None
        assert one.high is not None
        assert one.low < effect * share < one.high
        assert one.status is (Status.HOLDS if effect else Status.CANNOT_TELL)


def test_shares_are_those_of_the_tables_they_are_made_from() -> None:
    facts = _composed(800, 2, 0.2)
    found = _by_part(facts, LATER)
    table = aftermath(
        facts.tables["orders"],
        facts.tables["returns"],
        LATER,
        shipments=facts.tables["shipments"],
        horizons=(HORIZON_DAYS,),
    ).collect()
    for event, left, more in (("late_parcel", LATE, LATE_MORE), ("bad_return", FAULT, FAULT_MORE)):
        row = table.row(by_predicate=pl.col("event") == event, named=True)
        gone = row["with_n"] - row["with_count"]
        low, high = wilson(gone, row["with_n"])
        assert (found[left].n, found[left].number) == (row["with_n"], pytest.approx(gone / row["with_n"]))
        assert (found[left].low, found[left].high) == pytest.approx((low, high))
        assert found[more].number == pytest.approx(row["alike_without_rate"] - row["alike_with_rate"])


def test_the_unhappy_are_counted_person_by_person() -> None:
    facts = _composed(800, 2, 0.2)
    orders, answers = (facts.tables[name].collect() for name in ("orders", "survey_answers"))
    back = set(orders.filter(pl.col("order_day") > OPENED)["customer_key"])
    unhappy = answers.filter(pl.col("score") <= 6)["customer_key"].to_list()
    gone = [who for who in unhappy if who not in back]
    found = _by_part(facts, LATER)[UNHAPPY]
    assert (found.n, found.number) == (len(unhappy), pytest.approx(len(gone) / len(unhappy)))
    assert (found.low, found.high) == pytest.approx(wilson(len(gone), len(unhappy)))


def test_who_never_comes_back_anyway_did_not_leave_because_of_it() -> None:
    facts = _composed(1500, 1, 0.0)
    only_first = facts.tables["orders"].filter(pl.col("order_day") <= OPENED)
    found = _by_part(Facts({**facts.tables, "orders": only_first}), LATER)
    for left, more in ((LATE, LATE_MORE), (FAULT, FAULT_MORE), (UNHAPPY, UNHAPPY_MORE)):
        assert (found[left].number, found[left].status) == (1.0, Status.HOLDS)
        assert found[more].number == 0


def test_the_silent_are_named() -> None:
    facts = _composed(800, 2, 0.2)
    asked = facts.tables["survey_answers"].select(
        "survey_id", "customer_key", "order_id", "kind", sent_day=pl.lit(OPENED + timedelta(10))
    )
    silent = pl.LazyFrame(
        [
            {"survey_id": f"x{n}", "customer_key": f"x{n}", "kind": "nps", "sent_day": OPENED}
            for n in range(200)
        ],
        schema=INVITATIONS,
    )
    told = pl.concat([asked.collect(), silent.collect()], how="diagonal").lazy()
    found = _by_part(Facts({**facts.tables, "survey_invitations": told}), LATER)[UNHAPPY]
    assert "80 % of the people asked answered" in found.says


def test_returns_without_reasons_blame_nobody() -> None:
    facts = _composed(300, 2, 0.0)
    mute = facts.tables["returns"].with_columns(reason=pl.lit(None, pl.String))
    found = _by_part(Facts({**facts.tables, "returns": mute}), LATER)
    assert {found[part].status for part in (FAULT, FAULT_MORE)} == {Status.CANNOT_BE_TESTED}
    wrong_size = facts.tables["returns"].with_columns(reason=pl.lit("too small"))
    found = _by_part(Facts({**facts.tables, "returns": wrong_size}), LATER)
    assert {(found[part].status, found[part].n) for part in (FAULT, FAULT_MORE)} == {(Status.CANNOT_TELL, 0)}


def test_the_simulated_shops_truth_is_recovered() -> None:
    facts, truth = simulated()
    effects = Effects(Parameters())
    effects.add(simulated_block(12_000, 1))
    told = effects.told()
    found = _by_part(facts, SIMULATED_UNTIL)
    over = truth.filter(
        (pl.col("channel") != "store") & (pl.col("order_day") <= SIMULATED_UNTIL - timedelta(HORIZON_DAYS))
    )
    days: dict[int, set[date]] = {}
    for person, day in truth.select("person", "order_day").iter_rows():
        days.setdefault(person, set()).add(day)
    late = over.filter("is_late").select("person", "order_day").unique().rows()
    gone = [
        not any(LANDMARK_DAYS < (other - day).days <= HORIZON_DAYS for other in days[person])
        for person, day in late
    ]
    assert (found[LATE].n, found[LATE].number) == (len(gone), pytest.approx(np.mean(gone)))
    for part, effect in ((LATE_MORE, "late_delivery"), (FAULT_MORE, "bad_return")):
        true = -told[effect]["mean_change_where_it_happened"][str(HORIZON_DAYS)]
        one = found[part]
        assert one.low is not None
        assert one.high is not None
        assert one.low < true < one.high
        assert one.status is Status.HOLDS
