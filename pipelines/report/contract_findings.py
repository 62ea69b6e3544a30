"""What the deliveries come to, in words: the finding on top of the page of contracts, and what to do about it.

Every number comes from the counts given. Nothing here knows of HTML.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from data_contracts.suites import rules
from pipelines.ingest.expectations import LEAST_HISTORY
from pipelines.ingest.quarantine import BLOCKED
from pipelines.report.intake import Intake, blocked_and_waiting, rules_that_blocked
from pipelines.report.words import SPACE, counted, listed, long_day, number, percent
from pipelines.shop import Shop

FILES_NAMED = 5
"""Files that the finding names; all of them stand further down."""
WHOLE_DELIVERY = "None of its own: waits with its delivery."

_LOOKS_LIKE_DATA = re.compile(r"@|\d[\d\s()./-]{5,}\d")


class Level(StrEnum):
    """How urgent the finding is."""

    NOTHING = "nothing"
    KEPT = "kept"
    WAITING = "waiting"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer to "is everything right?".

    Attributes
    ----------
    level, says
        How urgent, and the one sentence.
    details
        Which file, which rule, how many rows, since when.
    remedy
        What to do; empty where there is nothing to do.
    """

    level: Level
    says: str
    details: tuple[str, ...] = ()
    remedy: str = ""


def finding(found: Intake, shop: Shop) -> Finding:
    """Say whether the deliveries are right: nothing came, a delivery is blocked, rows wait, or all is kept."""
    if found.new.is_empty():
        return Finding(
            Level.NOTHING,
            "Nothing was delivered yet.",
            remedy=f"Put a file where shop.toml says ({_places(shop)}) and run again.",
        )
    if blocked := blocked_and_waiting(found).to_dicts():
        return _blocked(found, shop, blocked)
    if found.waiting.height:
        return _waiting(found, shop)
    newest = found.newest
    told, rows = counted(newest.height, "delivery", "deliveries"), counted(int(newest["rows"].sum()), "row")
    when = long_day(local(newest["received_at"][0], shop.zone).date())
    set_aside = int(found.deliveries["quarantined"].sum())
    return Finding(
        Level.KEPT,
        f"All is kept: no row waits. The newest {told}, of {when}, brought {rows}.",
        (f"{counted(set_aside, 'row')} set aside before came again, corrected.",) if set_aside else (),
    )


def _blocked(found: Intake, shop: Shop, blocked: Sequence[dict[str, Any]]) -> Finding:
    details = tuple(_why_blocked(found, shop, row) for row in blocked[:FILES_NAMED])
    others = int(found.waiting["waiting"].sum()) - sum(
        {(r["table"], r["file_name"], r["received_at"]): r["waiting"] for r in blocked}.values()
    )
    more = (f"{counted(len(blocked) - FILES_NAMED, 'more delivery', 'more deliveries')} below.",)
    rest = (f"{counted(others, 'row')} of other deliveries {_verb(others)}.",)
    subject = (
        blocked[0]["file_name"] if len(blocked) == 1 else counted(len(blocked), "delivery", "deliveries")
    )
    return Finding(
        Level.BLOCKED,
        f"{subject} {'was' if len(blocked) == 1 else 'were'} blocked: "
        f"{counted(sum(row['quarantined'] for row in blocked), 'row')} set aside as a whole.",
        details + (more if len(blocked) > FILES_NAMED else ()) + (rest if others else ()),
        "Deliver a corrected file, or correct its mapping in shop.toml, and run again. Until then no row of it counts.",
    )


def _why_blocked(found: Intake, shop: Shop, row: dict[str, Any]) -> str:
    since = long_day(local(row["received_at"], shop.zone).date())
    where = f"{file_of(row)} (source {row['source']}), since {since}"
    broken = rules_that_blocked(found, row["delivery_id"], shop.contracts.block_share)
    if not broken:
        return f"{where}: all {counted(row['quarantined'], 'row')} wait."
    _, says, failed, checked = broken[0]
    more = f" {counted(len(broken) - 1, 'more rule')} failed as widely." if len(broken) > 1 else ""
    return (
        f"{where}: “{says}” failed on {number(failed)} of {counted(checked, 'row')} ({percent(failed / checked)}; "
        f"a delivery is blocked above {percent(shop.contracts.block_share, 0)}).{more}"
    )


def _waiting(found: Intake, shop: Shop) -> Finding:
    files = (
        found.waiting.group_by("table", "file_name", "received_at", maintain_order=True)
        .agg("rules", "waiting", pl.col("waiting").sum().alias("total"))
        .to_dicts()
    )
    delivered = found.new.group_by("table", "file_name", "received_at").agg(pl.col("rows").sum())
    rows = {key[:3]: key[3] for key in delivered.iter_rows()}
    details = [
        _why_waiting(
            row, rows.get((row["table"], row["file_name"], row["received_at"]), row["total"]), shop.zone
        )
        for row in files[:FILES_NAMED]
    ]
    if len(files) > FILES_NAMED:
        details.append(f"{counted(len(files) - FILES_NAMED, 'more file')} below.")
    total = int(found.waiting["waiting"].sum())
    is_new = any(row["received_at"] == found.newest["received_at"][0] for row in files)
    when = "" if is_new else "; none of the newest deliveries"
    return Finding(
        Level.WAITING,
        f"{counted(total, 'row')} {_verb(total)} for a correction, from {_files_named(files)}{when}. "
        "All others went on.",
        tuple(details),
        "Deliver the rows again, corrected, or correct the mapping in shop.toml, and run again.",
    )


def _why_waiting(row: dict[str, Any], delivered: int, zone: ZoneInfo) -> str:
    counts: Counter[str] = Counter()
    for names, waiting in zip(row["rules"], row["waiting"], strict=True):
        counts.update(dict.fromkeys(names.split(","), waiting))
    rule, broke = min(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    says = rule_words(row["table"], rule)
    more = f", and {counted(len(counts) - 1, 'more rule')}" if len(counts) > 1 else ""
    return (
        f"{row['file_name']} ({row['table']}), since {long_day(local(row['received_at'], zone).date())}: "
        f"{number(row['total'])} of {counted(delivered, 'row')} {_verb(row['total'])}: “{says}” ({number(broke)}){more}"
    )


def notices(found: Intake, shop: Shop) -> list[str]:
    """Say what is unusual beside the rules: late sources, odd amounts, silent sources, rows that do not add up."""
    told = (
        []
        if found.is_conserved
        else ["The counts do not add up: please report it, this is a fault of the program."]
    )
    rows = found.expected.to_dicts()
    told += [
        f"{row['source']} is late: nothing new for {days(row['age_days'])}, "
        f"usually every {days(row['usual_gap_days'])}."
        for row in rows
        if not row["is_fresh"] and not shop.sample
    ]
    told += [
        f"{row['source']} brought {counted(row['rows'], 'row')}, usually {usual_rows(row)}: "
        f"{'half a file?' if row['rows'] < row['usual_low'] else 'more than one period?'}"
        for row in rows
        if not row["is_usual"]
    ]
    silent = [source.name for source in shop.sources if source.name not in {row["source"] for row in rows}]
    if silent and rows:
        told.append(f"Nothing ever came from {listed(silent)}.")
    return told


def usual_rows(row: dict[str, Any]) -> str:
    """How many rows a source usually brings; why nobody knows where it has too little history."""
    if row["usual_low"] is None:
        return f"not known before {LEAST_HISTORY + 1} deliveries"
    return f"{number(row['usual_low'])} to {number(row['usual_high'])}"


def days(value: float | None) -> str:
    """Length of time: ``3 hours``, ``1.5 days``."""
    if value is None:
        return f"not known before {LEAST_HISTORY + 1} deliveries"
    if value < 1:
        hours = round(value * 24)
        return "under an hour" if hours < 1 else counted(hours, "hour")
    is_whole = value >= 10 or abs(value - round(value)) < 0.05
    return counted(round(value), "day") if is_whole else f"{value:.1f}{SPACE}days"


def rule_words(table: str, name: str) -> str:
    """A rule in words; its name where today's suite does not have it."""
    if name == BLOCKED:
        return WHOLE_DELIVERY
    return next((rule.says for rule in rules(table) if rule.name == name), name.replace("_", " "))


def column_names(cells: Sequence[str | None]) -> list[str]:
    """Give the names in lists separated by commas; what looks like data (a file without header) is not shown."""
    names = [name.strip() for cell in cells for name in (cell or "").split(",")]
    shown = (
        "(looks like data, not shown)" if _LOOKS_LIKE_DATA.search(name) else name for name in names if name
    )
    return list(dict.fromkeys(shown))


def file_of(row: dict[str, Any]) -> str:
    """A delivery's file, and part where it holds several."""
    return f"{row['file_name']} [{row['part']}]" if row["part"] else str(row["file_name"])


def local(moment: datetime, zone: ZoneInfo) -> datetime:
    """The shop's local time."""
    return moment.astimezone(zone)


def local_day(moment: datetime, shop: Shop) -> str:
    """Day in the shop's timezone: ``1 June 2024``."""
    return long_day(local(moment, shop.zone).date())


def local_moment(moment: datetime, shop: Shop) -> str:
    """Day and time in the shop's timezone: ``1 June 2024, 04:00``."""
    return f"{local_day(moment, shop)}, {local(moment, shop.zone):%H:%M}"


def _files_named(files: Sequence[dict[str, Any]]) -> str:
    return str(files[0]["file_name"]) if len(files) == 1 else counted(len(files), "file")


def _verb(count: int) -> str:
    return "waits" if count == 1 else "wait"


def _places(shop: Shop) -> str:
    return listed([source.path or f"database of {source.name}" for source in shop.sources])
