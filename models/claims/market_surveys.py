"""Claim 14: what market surveys say. A shop can test one thing of it: whether it measures customer value accurately.

The 42 % of firms that are said to measure customer lifetime value accurately cannot be counted in one shop. Whether
this shop is one of those that do is what its own back-test answers.

What does not belong here: the back-test (`models.backtest`) and the choice of the model (`models.champion`).
"""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from models.claims._estimate import Estimate
from models.claims._finding import Claimed, Facts, Finding, Sense, Status, Unit, status_of
from models.claims._part import Part
from models.claims._words import count, signed_percent
from models.intervals import SMALL_GROUP

__all__ = ["findings"]

ACCURATE = Claimed(low=-0.10, high=0.10, sense=Sense.ABOUT, unit=Unit.SHARE)
"""A total within 10 %, as the lab asks of a model before it publishes it (ours)."""

MOST_GROUPS = 0.8
"""Share of groups that come out as foretold below which a right total is called no more than that (ours): with exact
forecasts fewer than 8 of 10 would happen once in ninety times."""

_ASKED = "An answer that people or firms gave in a survey of the market; no table of a shop holds it."
_DEFINITION = (
    "Accurate: the published model's total for days that it had not seen is within 10 % of what "
    "customers then spent, net "
    "of returns (bias, 95 % interval by resampling customers). Beside it: in how many of ten groups, "
    "from the least to "
    "the most promising customers, the mean foretold lies within the 95 % interval of what the group spent, and the "
    "normalised Gini of the order they were put in (1 is perfect, 0 is chance). The model is the "
    "best of several by the "
    "same days, which flatters it a little. That 42 % of firms do cannot be counted in one shop."
)
_OWN = Part(
    claim=14,
    part="the total of customer value, here",
    definition=_DEFINITION,
    n_of="customers foretold",
    claimed=ACCURATE,
)


def findings(facts: Facts, as_of: date) -> list[Finding]:
    """Say what cannot be tested, and whether customer value is measured accurately here."""
    return [
        _survey("notifications wanted", 0.88, "That 88 % want to be told how their order proceeds"),
        _survey("experience as a key factor", 0.73, "That 73 % call the experience a key factor of buying"),
        _own_accuracy(facts, as_of),
    ]


def _survey(part: str, share: float, says: str) -> Finding:
    claimed = Claimed(low=share, high=share, sense=Sense.ABOUT, unit=Unit.SHARE)
    asked = Part(claim=14, part=part, definition=_ASKED, n_of="", claimed=claimed)
    return asked.cannot_be_tested(f"{says} is a survey of the market: no shop's data can test it.")


def _own_accuracy(facts: Facts, as_of: date) -> Finding:
    needs = facts.lacks("champions", "backtest")
    champion = None if needs else _newest(facts.tables["champions"], as_of)
    if champion is None:
        return _OWN.cannot_be_tested(
            "Customer value has not been back-tested here: that takes 500 customers, 180 days of "
            "history and 50 customers "
            "with three orders.",
            needs=("champions", "backtest"),
        )
    model = champion.filter(pl.col("quantity") == "value").get_column("model").to_list()
    measured = _newest(facts.tables["backtest"], as_of)
    rows = (
        {}
        if measured is None or not model
        else {
            row["metric"]: row
            for row in measured.filter(
                (pl.col("quantity") == "value") & (pl.col("model") == model[0])
            ).to_dicts()
        }
    )
    if "bias" not in rows:
        return _OWN.cannot_be_tested(
            "No model of customer value is published here, so there is none to measure."
        )
    bias = rows["bias"]
    found = Estimate(bias["value"], bias["low"], bias["high"])
    status = status_of(ACCURATE, found.low, found.high)
    says = _says(rows, _deciles(facts, model[0], as_of), status)
    if bias["n"] < SMALL_GROUP:
        return _OWN.cannot_tell(bias["n"], f"{says} Too few to tell.")
    return _OWN.tested(found, bias["n"], says)


def _deciles(facts: Facts, model: str, as_of: date) -> tuple[int, int] | None:
    """Groups whose foretold mean lies in the interval of the actual mean, and groups."""
    if facts.lacks("backtest_calibration"):
        return None
    deciles = _newest(facts.tables["backtest_calibration"], as_of)
    if deciles is None:
        return None
    told = deciles.filter((pl.col("quantity") == "value") & (pl.col("model") == model)).drop_nulls(
        ["low", "high"]
    )
    right = told.select(pl.col("predicted_mean").is_between(pl.col("low"), pl.col("high")).sum()).item()
    return (int(right), told.height) if told.height else None


def _says(rows: dict[str, dict[str, Any]], deciles: tuple[int, int] | None, status: Status) -> str:
    bias = rows["bias"]
    text = (
        f"What the published model foretold {count(bias['n'])} customers to spend in "
        f"{bias['horizon_days']} days was off "
        f"by {signed_percent(Estimate(bias['value'], bias['low'], bias['high']))} in total"
    )
    if deciles is not None:
        text += f"; {deciles[0]} of {deciles[1]} groups from least to most promising came out as foretold"
    gini = rows.get("normalised_gini")
    if gini is not None and gini["value"] is not None:
        text += f", and it put customers in an order worth {gini['value']:.2f} of a perfect one"
    if status is Status.HOLDS and deciles is not None and deciles[0] < MOST_GROUPS * deciles[1]:
        return f"{text}: so the total of customer value is accurate here, but not that of every group."
    verdict = {
        Status.HOLDS: "so the total of customer value is accurate here, as it is said to be in 42 % of firms.",
        Status.DOES_NOT_HOLD: "so customer value is not measured accurately here.",
    }.get(status, "so nobody can tell yet whether the total is accurate to 10 %.")
    return f"{text}: {verdict}"


def _newest(table: pl.LazyFrame, as_of: date) -> pl.DataFrame | None:
    """The rows of the newest day by as_of; None where there are none."""
    known = table.filter(pl.col("as_of") <= as_of)
    rows = known.filter(pl.col("as_of") == pl.col("as_of").max()).collect()
    return None if rows.is_empty() else rows
