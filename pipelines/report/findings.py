"""What a table shows, in one sentence each: pure functions from counted rows to words.

Every number in a sentence comes from the rows given; nothing is rounded twice. Longer text stands in the template.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import polars as pl

from pipelines.report.words import (
    MINUS,
    MODEL_NAMES,
    SPACE,
    counted,
    exact_money,
    listed,
    long_month,
    model_name,
    money,
    number,
    percent,
    points,
    stage_name,
)

Row = Mapping[str, Any]


def cohorts(pooled: pl.DataFrame) -> str:
    """How many of a month's new customers order in the months after."""
    active = pooled.filter(pl.col("measure") == "active_rate", pl.col("k") > 0).sort("k")
    if active.is_empty():
        return "Too few customers are a month old to say how many come back; the cells are shown as they are."
    first, last = active.row(0, named=True), active.row(-1, named=True)
    says = f"Of 100 new customers about {first['rate'] * 100:.0f} order in the month after their first"
    if last["k"] == first["k"]:
        return says + "."
    return f"{says}, and about {last['rate'] * 100:.0f} in the {_ordinal(last['k'])} month after."


def four_rates(pooled: pl.DataFrame) -> str:
    """How far the four rates of the same customers lie apart."""
    longest = pooled.filter(pl.col("measure") == "active_rate")["k"].max()
    at_the_end = dict(
        pooled.filter(pl.col("k") == longest, pl.col("measure") != "period_retention")
        .select("measure", "rate")
        .iter_rows()
    )
    parts = [
        f"{percent(at_the_end[measure], 0)} {words}"
        for measure, words in (
            ("active_rate", "were active in that month"),
            ("retained_from", "ordered then or later"),
            ("repurchased_by", "had ordered again by then"),
        )
        if measure in at_the_end
    ]
    months = counted(int(str(longest)), "month")
    return f"Retention {months} after the first order depends on the question: {listed(parts)}."


def revenue(months: pl.DataFrame, running: date | None, currency: str) -> str:
    """The best month, and how much of all net revenue has no customer."""
    over = months if running is None else months.filter(pl.col("month") < running.replace(day=1))
    if over.is_empty():
        over = months
    best = (
        over.group_by("month")
        .agg(pl.col("net").sum())
        .sort("net", "month", descending=True)
        .row(0, named=True)
    )
    total = float(months["net"].sum())
    without = float(months.filter(~pl.col("has_customer"))["net"].sum())
    says = f"The best month was {long_month(best['month'])} with {money(best['net'], currency)} net"
    if total <= 0:
        return says + "."
    if not without:
        return says + "; every order names its customer."
    return f"{says}; {percent(without / total)} of all net revenue has no customer."


def conservation(tables: pl.DataFrame) -> str:
    """Whether every delivered row is accounted for."""
    total = int(tables["rows"].sum())
    counts = {fate: int(tables[fate].sum()) for fate in ("accepted", "replayed", "quarantined", "erased")}
    missing = total - sum(counts.values())
    if missing:
        lost = f"{counted(abs(missing), 'row')} of {number(total)} delivered are not accounted for"
        return f"{lost}: the numbers below cannot be trusted."
    words = {
        "accepted": f"{number(counts['accepted'])} accepted",
        "replayed": f"{number(counts['replayed'])} had come before",
        "quarantined": f"{number(counts['quarantined'])} set aside",
        "erased": f"{number(counts['erased'])} of erased people",
    }
    parts = [text for fate, text in words.items() if counts[fate] or fate == "quarantined"]
    return f"Every one of {number(total)} delivered rows is accounted for: {listed(parts)}."


def contract(results: pl.DataFrame) -> str:
    """How many rules were broken, and which most often."""
    broken = results.filter(pl.col("failed") > 0).sort("failed", descending=True)
    if broken.is_empty():
        return f"Every row keeps all {results.height} rules of the contract."
    critical = broken.filter(severity="critical")
    says = f"{broken.height} of {results.height} rules were broken"
    if critical.is_empty():
        return f"{says}, none of them one that sets a row aside."
    return f"{says}, {critical.height} of them so that rows were set aside."


def backtest(rows: Sequence[Row]) -> str:
    """Which model won for what."""
    champions = {row["quantity"]: row for row in rows if row["is_champion"]}
    words = {"value": "what customers will be worth", "probability": "who will order"}
    parts = [
        f"“{model_name(champions[quantity]['model'])}” for {says}"
        for quantity, says in words.items()
        if quantity in champions
    ]
    if not parts:
        return f"{len({row['model'] for row in rows})} models were measured on days they had not seen."
    return f"Published after the back-test: {listed(parts)}."


def segments(rows: Sequence[Row]) -> str:
    """Which segment brings most of the net revenue, and how many people that is."""
    best = max(rows, key=lambda row: row["net"])
    if best["net_share"] is None:
        return f"{best['klaviyo_segment']} are {percent(best['share'], 0)} of customers."
    return (
        f"{best['klaviyo_segment']} are {percent(best['share'], 0)} of customers "
        f"and bring {percent(best['net_share'], 0)} of their net revenue."
    )


def stages(rows: Sequence[Row]) -> str:
    """How many customers are with the shop, and how many have gone quiet."""
    total = sum(row["customers"] for row in rows)
    here = sum(row["customers"] for row in rows if row["stage"] in ("new", "active", "reactivated"))
    gone = sum(row["customers"] for row in rows if row["stage"] in ("lapsed", "dormant"))
    return (
        f"{percent(here / total, 0)} of customers are new, active or back again; {percent(gone / total, 0)} "
        f"({number(gone)}) are {stage_name('lapsed')} or {stage_name('dormant')}."
    )


def movements(rows: Sequence[Row], month: date) -> str:
    """How many came back and how many lapsed in a month."""
    back = sum(row["customers"] for row in rows if row["to_stage"] == "reactivated" != row["from_stage"])
    gone = sum(
        row["customers"]
        for row in rows
        if row["to_stage"] in ("lapsed", "dormant") and row["from_stage"] not in ("lapsed", "dormant")
    )
    joined = sum(row["customers"] for row in rows if row["from_stage"] == "newcomer")
    return (
        f"In {long_month(month)} {counted(joined, 'customer')} joined, {number(back)} came back after having lapsed, "
        f"and {number(gone)} lapsed."
    )


def gate(row: Row) -> str:
    """How many of everybody end up in a list's file."""
    return (
        f"{counted(row['deliverable'], 'person', 'people')} of {number(row['everyone'])} are in the file; "
        f"{number(row['held_out'])} more are held out."
    )


def champion(row: Row) -> str:
    """Which model is published for a quantity."""
    what = {"value": "Net revenue", "probability": "Chance of an order"}.get(row["quantity"], row["quantity"])
    kinds = {
        "boosted_trees": "learned from the customers' features",
        "season_mean": "a purchase model and last year's spend",
    }
    kind = kinds.get(row["model"], "a purchase model")
    kind = "a simple baseline, published as one" if row["is_baseline"] else kind
    return f"{what}: {model_name(row['model'])}, {kind}."


def in_plain_words(reason: str) -> str:
    """A champion's reason with models and metrics under the names that people read."""
    for name, plain in MODEL_NAMES.items():
        reason = re.sub(rf"\b{name}\b", f"“{plain}”", reason)
    plain = reason.replace("normalised_gini", "normalised Gini").replace("log_loss", "log-loss")
    return re.sub(r"(?<=\d)%", f"{SPACE}%", re.sub(r"-(?=\d)", MINUS, plain))


def detectable_lift(row: Row) -> str:
    """The smallest effect that a list can show, or why it can show none."""
    people = f"{number(row['deliverable'])} written to and {number(row['held_out'])} held out"
    if row["base_rate"] is None:
        return f"Cannot be said: the rate without a campaign is not known ({row['base_rate_source']})."
    base = f"{percent(row['base_rate'])} would order within 90 days anyway ({row['base_rate_source']})"
    if row["detectable_lift"] is None:
        return f"None: {base}, and with {people} no effect, however large, would be told from chance."
    return f"A rise of {points(row['detectable_lift'])} or more. {base[0].upper()}{base[1:]}; {people}."


def returned(rows: Sequence[Row], currency: str) -> str:
    """How much came back, and how much of it found its order."""
    total = sum(row["amount"] for row in rows)
    matched = sum(row["amount"] for row in rows if row["is_matched"])
    lines = sum(row["returns"] for row in rows)
    if not total:
        return "Nothing came back."
    return (
        f"{counted(lines, 'line')} of merchandise worth {exact_money(total, currency)} came back. "
        f"{percent(matched / total)} of the value could be matched to its order and lowers that order's net revenue; "
        f"the rest, {exact_money(total - matched, currency)}, is counted and lowers none."
    )


def cuts(row: Row) -> str:
    """Where the stages end this month."""
    parts = [
        f"{who} is at risk after {row[f'p75_{which}']:.0f} days, lapsed after {row[f'p90_{which}']:.0f} and dormant "
        f"after {row[f'dormant_after_{which}']:.0f}"
        for who, which in (("somebody with one order", "first"), ("somebody with more", "later"))
        if row[f"p75_{which}"] is not None
    ]
    if not parts:
        return ""
    fallback = row["is_fallback_first"] or row["is_fallback_later"]
    return f"By this month's cuts {listed(parts)}." + (
        " Too few gaps have been seen yet, so general cuts are used for some." if fallback else ""
    )


def _ordinal(number_: int) -> str:
    ending = "th" if 10 <= number_ % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number_ % 10, "th")
    return f"{number_}{ending}"
