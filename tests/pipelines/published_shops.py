"""Builders for the publishing half: profiles, lists, and small composed shops published with or without Dagster.

Every person and order here is made up.
"""

import hashlib
import shutil
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts import conform, table
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Outcome, Stage
from pipelines.delivery.gate import Gated, pass_gates
from pipelines.delivery.permissions import Permissions
from pipelines.delivery.population import Sources, population
from pipelines.keys import keys_path
from pipelines.lake import Lake
from pipelines.settings import SegmentList
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.small_shops import deliver, order_line, write_shop

AS_OF = date(2024, 5, 31)
NIGHT = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
PAGES = frozenset(("reports",))
"""Left out where pages are not the point: pictures take seconds."""

LISTS = """
[consent]
when_not_delivered = "allow"

[[lists]]
name = "thank_you"
title = "Thank you"
purpose = "loyalty"
where = "valid_orders >= 2"
order_by = "historic_clv DESC"
reason = "placed {valid_orders} orders since {first_order_day} for {historic_clv} ({stage}, NPS {last_nps})"
hold_out = 0.2

[[lists]]
name = "worth_most"
title = "Worth most"
purpose = "value"
where = "predicted_clv_365d > 0"
reason = "expected to spend {predicted_clv_365d}"
"""


def entry(**changes: Any) -> SegmentList:
    """One list of everybody; what is not named is the least a list needs."""
    settings = {
        "name": "everybody",
        "title": "Everybody",
        "purpose": "test",
        "where": "true",
        "reason": "is a customer",
        "hold_out": 0.0,
    }
    return SegmentList.model_validate(settings | changes)


def profile(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows in the shape of customer_profile; what is not named is null."""
    named = [{"as_of": AS_OF, **row} for row in rows]
    return pl.DataFrame(named, schema=pl.Schema(table("customer_profile").schema)).sort("customer_key")


def rows_of(name: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Rows in the shape of any table of the dictionary."""
    return pl.DataFrame(rows, schema=pl.Schema(table(name).schema))


def through_the_gates(
    people: pl.DataFrame,
    entries: Sequence[SegmentList],
    shop: Shop,
    permissions: Permissions,
    *,
    as_of: date = AS_OF,
    salt: bytes = b"a salt of thirty-two bytes, made up",
    **more: Any,
) -> dict[str, Gated]:
    """Put the people of a profile through the gates of lists, without a lake; results by the list's name."""
    known: dict[str, Any] = {
        "cases": {},
        "messages": None,
        "bought": lambda question: pl.LazyFrame(schema={"customer_key": pl.String}),
        "used": pl.DataFrame(schema={"list_id": pl.String, "used_on": pl.Date}),
        "members": table("list_members").empty().lazy(),
    }
    sources = Sources(profile=people.lazy(), permissions=permissions, **known | more)
    everybody = population(sources, entries, shop, as_of)
    return {one.name: gated for one, gated in pass_gates(everybody, entries, shop, salt, as_of)}


def permitted(
    consents: pl.DataFrame | None = None,
    suppressions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
) -> Permissions:
    """Permissions of these tables; what is not given is empty."""
    given = {"consents": consents, "suppressions": suppressions, "contacts": contacts}
    return Permissions(
        **{name: (table(name).empty() if f is None else f).lazy() for name, f in given.items()}
    )


def moment(day: date | str) -> str:
    """Noon of a day, as files write it."""
    return f"{day} 12:00:00"


def regulars(people: int = 12, *, start: date = date(2024, 1, 10)) -> list[dict[str, Any]]:
    """Order lines of people 1, 2, ...: number n orders every 11 + n days from ``start`` to AS_OF, at most n times."""
    return [
        order_line(
            f"{person}-{count}",
            customer_id=str(person),
            ordered_at=moment(start + timedelta(days=count * (11 + person))),
            unit_price=f"{10 + person}.50",
            country="United Kingdom",
            # A product that a spreadsheet would take for a formula.
            product_name='=HYPERLINK("http://example.org")',
        )
        for person in range(1, people + 1)
        for count in range(person)
        if start + timedelta(days=count * (11 + person)) <= AS_OF
    ]


def publish(
    shop: Shop, lake: Lake, as_of: date = AS_OF, now: datetime = NIGHT, *, leave_out: Iterable[str] = PAGES
) -> dict[str, Outcome]:
    """Carry out every step, from landing to the snapshot, without Dagster; outcomes by table."""
    steps = steps_of(shop)
    order = TopologicalSorter({name: [n for n in step.reads if n in steps] for name, step in steps.items()})
    # Publishing starts after all ingesting, as it does in a run.
    names = sorted(order.static_order(), key=lambda name: not steps[name].stage.is_ingest)
    outcomes: dict[str, Outcome] = {}
    run_id = str(uuid.uuid4())
    for name in names:
        if name not in set(leave_out):
            day = None if steps[name].stage.is_ingest else as_of
            outcomes[name] = carry_out(steps[name], Given(shop, lake, Moment(run_id, now, day), steps))
    return outcomes


@dataclass(frozen=True)
class Published:
    """A shop after a finished run; copy the lake's folder before writing to it."""

    shop: Shop
    lake: Lake
    snapshot: Snapshot


def small_shop(folder: Path, *, more: str = LISTS, people: int = 12) -> Shop:
    """A shop of `regulars` with lists, surveys, consents and suppressions."""
    shop = write_shop(
        folder, ["orders", "survey_invitations", "survey_answers", "consents", "suppressions"], more=more
    )
    deliver(folder, "orders", "1", regulars(people))
    asked = [
        {"survey_id": f"S{n}", "customer_id": str(n), "kind": "nps", "sent_at": moment("2024-05-01")}
        for n in range(1, 7)
    ]
    deliver(folder, "survey_invitations", "1", asked)
    answers = [
        {
            "survey_id": f"S{n}",
            "customer_id": str(n),
            "kind": "nps",
            "score": str(score),
            "answered_at": moment("2024-05-03"),
        }
        for n, score in ((2, 10), (3, 9), (4, 3))
    ]
    deliver(folder, "survey_answers", "1", answers)
    refusal = {
        "customer_id": "5",
        "channel": "email",
        "is_granted": "false",
        "recorded_at": moment("2024-04-01"),
    }
    deliver(folder, "consents", "1", [refusal, refusal | {"customer_id": "6", "is_granted": "true"}])
    closed = [
        {"customer_id": "7", "kind": "objection", "recorded_at": moment("2024-04-02")},
        {"customer_id": "8", "kind": "unsubscribed", "channel": "email", "recorded_at": moment("2024-04-03")},
        {"customer_id": "9", "kind": "bounced", "channel": "sms", "recorded_at": moment("2024-04-03")},
    ]
    deliver(folder, "suppressions", "1", closed)
    return shop


def copy_of(published: Published, folder: Path) -> Published:
    """A shop and its lake to write to; the original stays as it is."""
    root = published.lake.root
    shutil.copytree(root, folder / "lake")
    keys, kept = keys_path(root), keys_path(folder / "lake")
    if keys.exists():
        shutil.copy2(keys, kept)
    if published.shop.sample:
        return replace(published, lake=Lake.open(folder / "lake"))
    shutil.copytree(published.shop.folder, folder / "shop")
    return Published(Shop.open(folder / "shop"), Lake.open(folder / "lake"), published.snapshot)


def bytes_of(folder: Path) -> dict[str, str]:
    """Checksum of every file under a folder."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


Facts = Mapping[str, pl.DataFrame]


class MemoryLake(Lake):
    """A lake of frames, for steps that are carried out many times with other facts."""

    def __init__(self, root: Path, frames: Facts, day: date) -> None:
        super().__init__(root)
        self.day = day
        self.frames = dict(frames)

    def scan(self, name: str, *, version: int | None = None, as_of: date | None = None) -> pl.LazyFrame:
        """Give a frame whatever its version; of a table without one, no rows."""
        frame = self.frames.get(name, table(name).empty()).lazy()
        return frame if as_of is None else frame.filter(pl.col("as_of") == as_of)

    def as_of(self, name: str) -> date | None:
        """Every frame is of the day that is published."""
        return self.day


def publish_in_memory(
    shop: Shop, facts: Facts, as_of: date, stages: Iterable[Stage]
) -> dict[str, pl.DataFrame]:
    """Make the tables of some stages from fact tables, in the types that they are stored in."""
    steps = steps_of(shop)
    lake = MemoryLake(shop.folder / "no lake", facts, as_of)
    given = Given(shop, lake, Moment("in memory", NIGHT, as_of), steps)
    made: dict[str, pl.DataFrame] = {}
    for name, step in steps.items():
        if step.stage in set(stages):
            rows = step.make(given)
            assert isinstance(rows, pl.LazyFrame)
            made[name] = lake.frames[name] = conform(rows, table(name)).collect()
    return made
