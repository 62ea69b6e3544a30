"""A lake with a finished run, composed table by table: lists in every state, results of every kind, a ledger.

Every person in it is made up.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from data_contracts import table
from pipelines.lake import Lake
from pipelines.records.ledger import Download, Ledger
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot
from tests.pipelines.small_shops import write_shop

AS_OF = date(2024, 5, 31)
EARLIER = date(2024, 5, 24)
MADE = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
NOW = datetime(2024, 6, 1, 9, 30, tzinfo=UTC)
EVERYBODY = 1200
WIN_BACK, THANK_YOU, UNHAPPY, QUIET = (
    f"{name}-{AS_OF}" for name in ("win_back", "thank_you", "unhappy", "quiet")
)
STAGES = ("active", "new", "at_risk", "lapsed", "dormant")
SETTINGS = """
name = "small_shop"
title = "Corner shop"
timezone = "Europe/London"
currency = "GBP"
history_start = 2023-01-01
max_age_days = 2
"""
LISTS = """
[[lists]]
name = "win_back"
title = "Win back valuable customers"
purpose = "reactivation"
where = "stage IN ('lapsed', 'dormant') AND m = 3"
reason = "has not ordered for {days_since_last_order} days"
"""

Row = Mapping[str, Any]


def key(person: int) -> str:
    """A customer's key."""
    return f"{person:024x}"


def write(lake: Lake, name: str, rows: Sequence[Row] | pl.DataFrame) -> None:
    """Write a table whole; what rows do not name is null."""
    promised = table(name)
    if isinstance(rows, pl.DataFrame):
        blank = {n: pl.lit(None, t) for n, t in promised.schema.items() if n not in rows.columns}
        frame = rows.with_columns(**blank).select(list(promised.schema))
    else:
        frame = pl.DataFrame(list(rows), schema=dict(promised.schema))
    lake.replace(name, frame.lazy(), fingerprint="composed")


def finish(lake: Lake, as_of: date = AS_OF, finished_at: datetime = MADE, run: str = "composed") -> None:
    """Let readers see what is written."""
    versions = {name: version for name, version in lake.versions().items() if name != "snapshots"}
    snapshot = Snapshot(f"{as_of}-{run}", run, as_of, finished_at, versions, "settings", "code")
    lake.append("snapshots", snapshot.row().lazy(), fingerprint=run)


def composed_shop(folder: Path, *, settings: str = SETTINGS, more: str = LISTS) -> Shop:
    """The settings of the shop."""
    return write_shop(folder, ["orders", "survey_answers"], settings=settings, more=more)


def composed_lake(folder: Path, shop: Shop) -> Lake:
    """A lake after a finished run, with four lists: ready, downloaded before, in need of data, and of nobody."""
    lake = Lake.make(folder, shop.name)
    for name, rows in _tables().items():
        write(lake, name, rows)
    finish(lake)
    ledger = Ledger.of(lake.root)
    for day, platform in ((EARLIER, "klaviyo"), (AS_OF, "reading")):
        taken = Download("ben", f"thank_you-{day}", platform, "Email", 2, "page")
        started = datetime.combine(day, MADE.timetz()) + timedelta(hours=31)
        entry = ledger.open_entry(taken, started)
        if day == EARLIER:
            ledger.close_entry(entry, started + timedelta(seconds=1), rows=300, bytes=9000, sha256="ab" * 32)
    ledger.note(f"thank_you-{EARLIER}", "sent", EARLIER + timedelta(days=2), "ben", MADE - timedelta(days=5))
    return lake


def campaign(name: str, title: str, **changes: Any) -> dict[str, Any]:
    """A row of campaign_lists; its counts add up."""
    row: dict[str, Any] = {
        "as_of": AS_OF,
        "name": name,
        "title": title,
        "purpose": "loyalty",
        "channel": "email",
        "rule": "valid_orders >= 2",
        "window_days": 60,
        "null_means": "out",
        "everyone": EVERYBODY,
        **dict.fromkeys(("suppressed", "not_eligible", "no_consent", "open_case", "capped"), 0),
        **dict.fromkeys(("held_out", "undeliverable", "null_decided"), 0),
        "consent_basis": "as the delivered consents say",
        "hold_out_share": 0.1,
        "salt_id": "115ad1209a5c",
        "base_rate": 0.03,
        "base_rate_source": "mean predicted probability of an order in 90 days",
        "detectable_lift": 0.028,
        "expires_at": MADE + timedelta(hours=72),
    } | changes
    stops = ("suppressed", "not_eligible", "no_consent", "open_case", "capped", "held_out", "undeliverable")
    row["list_id"] = f"{name}-{row['as_of']}"
    row["campaign"] = f"{name}-2024-Q2"
    row["deliverable"] = row["everyone"] - sum(row[step] for step in stops)
    return row


def _tables() -> dict[str, Sequence[Row] | pl.DataFrame]:
    return {
        "campaign_lists": _lists(),
        "list_members": pl.concat(
            [
                _members(WIN_BACK, AS_OF, 400, 430, 410),
                _members(THANK_YOU, AS_OF, 0, 340, 300),
                _members(f"thank_you-{EARLIER}", EARLIER, 20, 340, 320),
            ]
        ),
        "list_stops": _stops(),
        "list_overlaps": [
            {"as_of": AS_OF, "list_id": THANK_YOU, "other_list_id": WIN_BACK, "customers": 7},
        ],
        "list_files": _files(),
        "customer_profile": _profile(),
        "contacts": _contacts(),
        "orders": [
            {"order_id": "1", "order_day": AS_OF, "is_valid": True},
            {"order_id": "2", "order_day": AS_OF + timedelta(days=1), "is_valid": False},
        ],
        "deliveries": [
            {
                "receipt_id": "1", "delivery_id": "orders-1", "source": "orders", "table": "orders", "rows": 1000,
                "received_at": MADE, "accepted": 980, "quarantined": 15, "replayed": 4, "erased": 1, "kept": 980,
                "is_repeat": False, "is_blocked": False,
            },
        ],
        "contract_results": [
            {
                "table": "orders", "rule": "price", "says": "The price is above 0.", "severity": "critical",
                "checked": 1000, "failed": 15,
            },
            {
                "table": "orders", "rule": "name", "says": "The line says what the product is called.",
                "severity": "warning", "checked": 1000, "failed": 0,
            },
        ],
        "readiness": [
            {"as_of": AS_OF, "condition": "customers", "found": 1200, "is_ready": True, "reasons": ""},
        ],
        "champions": [
            {"as_of": AS_OF, "fitted_as_of": AS_OF, "quantity": "value", "model": "rfm_cell_mean",
             "is_baseline": True, "reason": ""},
        ],
        "campaign_results": _results(),
        "contact_pressure": [
            {
                "as_of": AS_OF, "window_days": days, "contacts": contacts, "position": position, "customers": customers,
                "share": customers / EVERYBODY, "n": customers, "unsubscribed": position, "rate": position / customers,
                "low": 0.5 * position / customers, "high": 2 * position / customers, "is_small": customers < 30,
            }
            for days in (30, 90)
            for position, (contacts, customers) in enumerate((("0", 900), ("1", 280), ("10+", 20)), start=1)
        ],
    }  # fmt: skip


def _lists() -> list[dict[str, Any]]:
    return [
        campaign(
            "win_back",
            "Win back valuable customers",
            purpose="reactivation",
            rule="stage IN ('lapsed', 'dormant') AND m = 3",
            suppressed=40, not_eligible=980, no_consent=110, open_case=12, capped=18, held_out=20, undeliverable=10,
            predicted_value=2560.4,
        ),
        campaign("thank_you", "Thank you to loyal customers", not_eligible=860, held_out=40, predicted_value=24000.0),
        campaign(
            "thank_you", "Thank you to loyal customers", as_of=EARLIER, not_eligible=880, held_out=20,
            expires_at=MADE - timedelta(days=4),
        ),
        campaign(
            "unhappy", "Make it up to unhappy customers", purpose="detractor recovery",
            rule="last_nps <= 6 AND stage <> 'dormant'", not_eligible=1200, null_decided=1200,
            base_rate=None, base_rate_source="unknown: nobody is on it", detectable_lift=None,
        ),
        campaign(
            "quiet", "Nobody fits this", purpose="cross-sell", rule="valid_orders > 500", not_eligible=1200,
            base_rate=None, base_rate_source="unknown: nobody is on it", detectable_lift=None,
        ),
    ]  # fmt: skip


def _members(list_id: str, day: date, start: int, stop: int, delivered_until: int) -> pl.DataFrame:
    people = range(start, stop)
    return pl.DataFrame(
        {
            "as_of": [day] * len(people),
            "list_id": [list_id] * len(people),
            "customer_key": [key(person) for person in people],
            "assignment": ["deliver" if person < delivered_until else "hold_out" for person in people],
            "position": [person - start + 1 for person in people],
            "reason": [f"has not ordered for {90 + person} days" for person in people],
            "receipt": ["{}"] * len(people),
        },
        schema=dict(table("list_members").schema),
    )


def _stops() -> list[dict[str, Any]]:
    found = (
        (1, "suppressed", "objection", 9),
        (1, "suppressed", "unsubscribed", 31),
        (2, "not_eligible", "rule", 940),
        (2, "not_eligible", "other_list", 40),
        (3, "no_consent", "not_delivered", 80),
        (3, "no_consent", "refused", 30),
        (4, "open_case", "open_return", 12),
        (5, "capped", "written_to", 18),
        (6, "held_out", "lot", 20),
        (7, "undeliverable", "no_address", 10),
        (8, "deliverable", "passes", 10),
    )
    return [
        {
            "as_of": AS_OF,
            "list_id": WIN_BACK,
            "position": position,
            "step": step,
            "because": cause,
            "customers": n,
        }
        for position, step, cause, n in found
    ]


def _files() -> list[dict[str, Any]]:
    return [
        {
            "as_of": AS_OF, "list_id": list_id, "platform": platform, "file_name": f"files/{list_id}/{platform}",
            "columns": columns, "rows": rows, "dropped": dropped, "bytes": rows * 60, "sha256": "cd" * 32,
        }
        for list_id, rows in ((WIN_BACK, 10), (THANK_YOU, 300))
        for platform, columns, dropped in (
            ("reading", "Customer, Why, Stage", 0), ("klaviyo", "Email, First Name", 0),
            ("external_id", "external_id", 3),
        )
    ]  # fmt: skip


def _profile() -> pl.DataFrame:
    people = range(EVERYBODY)
    return pl.DataFrame(
        {
            "as_of": [AS_OF] * EVERYBODY,
            "customer_key": [key(person) for person in people],
            "stage": [STAGES[person % len(STAGES)] for person in people],
            "m": [1 + person % 3 if person % 7 else None for person in people],
            "valid_orders": [1 + person % 4 for person in people],
            "predicted_clv_365d": [80.0 + person % 50 for person in people],
        },
        schema_overrides={"m": pl.Int32, "valid_orders": pl.Int32},
    )


def _contacts() -> list[dict[str, Any]]:
    named = [
        {
            "customer_key": key(person), "kind": "email", "address": f"person{person}@example.org",
            "first_name": "Ägnes" if person == 400 else "Ada", "last_name": "O’Made-Up", "last_seen_at": MADE,
        }
        for person in range(400, 404)
    ]  # fmt: skip
    numbered = [
        {
            "customer_key": key(person),
            "kind": "external_id",
            "address": str(70000 + person),
            "last_seen_at": MADE,
        }
        for person in range(400, 408)
    ]
    return [*named, *numbered]


def _results() -> list[dict[str, Any]]:
    told = {
        "worked": "It worked: 6.0 % ordered against 3.0 % of those held out.",
        "too_small": "Too small to tell: 3.1 % against 3.0 %.",
        "too_early": "Too early: 12 days are left.",
        "not_used": "Not used: no list of it was downloaded.",
    }
    rows: list[dict[str, Any]] = []
    for verdict, says in told.items():
        state = verdict if verdict in ("too_early", "not_used") else "closed"
        started = None if verdict == "not_used" else date(2024, 3, 1)
        common = {
            "as_of": AS_OF, "campaign": f"{verdict}-2024-Q1", "list_name": "thank_you", "title": f"Campaign {verdict}",
            "channel": "email", "source": "lists", "state": state, "verdict": verdict, "says": says,
            "started_on": started, "window_days": 60, "closes_on": started and started + timedelta(days=60),
            "days_left": 12 if state == "too_early" else 0, "lists": 3, "lists_used": 0 if started is None else 1,
            "delivered": 900, "held_out": 100, "is_small": False,
        }  # fmt: skip
        for outcome, unit, size in (("net_revenue", "GBP per person", 12.0), ("ordered", "share", 0.03)):
            row = common | {"outcome": outcome, "unit": unit, "delivered_total": 54.0, "held_out_total": 3.0}
            if state == "closed":
                low = size / 3 if verdict == "worked" else -size
                row |= {
                    "delivered_mean": 2 * size, "held_out_mean": size, "difference": size, "low": low, "high": 2 * size,
                    "adjusted_by": "orders", "adjusted_difference": size, "adjusted_low": low,
                    "adjusted_high": 1.8 * size, "incremental": 900 * size, "incremental_low": 900 * low,
                    "incremental_high": 1800 * size, "detectable": 0.028 if outcome == "ordered" else None,
                }  # fmt: skip
            rows.append(row)
    return rows
