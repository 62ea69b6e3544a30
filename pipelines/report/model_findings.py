"""What the tables behind "Can the models be trusted?" show, in one sentence each.

Pure functions from rows to words, as in `findings`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipelines.report.words import (
    SPACE,
    counted,
    exact_money,
    feature_name,
    listed,
    number,
    percent,
    purchase_model_name,
)

Row = Mapping[str, Any]

STORY_NAMES = {
    "regular": "the regular",
    "overdue": "the one who is overdue",
    "came_back": "the one who came back",
}


def calibration(deciles: pl.DataFrame, currency: str) -> str:
    """How the highest tenth's prediction compares with what happened."""
    says: list[str] = []
    for quantity in ("probability", "value"):
        rows = deciles.filter(quantity=quantity).sort("decile")
        if rows.is_empty():
            continue
        top = rows.row(-1, named=True)
        predicted, actual = top["predicted_mean"], top["actual_mean"]
        if quantity == "probability":
            says.append(f"{percent(actual)} of those ranked highest ordered ({percent(predicted)} predicted)")
        else:
            mean, expected = exact_money(actual, currency), exact_money(predicted, currency)
            says.append(f"those ranked most valuable brought {mean} each ({expected} predicted)")
    sentence = listed(says)
    return f"{sentence[0].upper()}{sentence[1:]}."


def tracking(rows: Sequence[Row]) -> str:
    """How far expected orders were from actual ones where the model had not looked."""
    unseen = [row for row in rows if row["is_held_out"]]
    shown = unseen or rows
    actual, expected = (sum(row[name] for row in shown) for name in ("actual", "expected"))
    weeks = counted(len(shown), "week")
    which = f"{weeks} that it had not seen" if unseen else f"{weeks} that it was fitted on"
    says = (
        f"In the {which}, {purchase_model_name(rows[0]['model'])} expected {number(expected)} repeat orders; "
        f"{number(actual)} came"
    )
    if not actual:
        return says + "."
    off = expected / actual - 1
    side = "too many" if off > 0 else "too few"
    astray = sum(abs(row["expected"] - row["actual"]) for row in shown) / actual
    by_week = f"a single week was off by {percent(astray, 0)} on average"
    return f"{says}, so it expected {percent(abs(off))} {side}; {by_week}."


def decile_lift(rows: Sequence[Row]) -> str:
    """What the tenth ranked highest held."""
    top = {row["quantity"]: row for row in rows if row["decile"] == 10 and row["share"] is not None}
    says: list[str] = []
    if "value" in top:
        row = top["value"]
        says.append(
            f"the tenth of customers ranked most valuable brought {percent(row['share'], 0)} of net revenue, "
            f"{row['lift']:.1f}{SPACE}times its number"
        )
    if "probability" in top:
        row = top["probability"]
        says.append(
            f"the tenth likeliest to order held {percent(row['share'], 0)} of those who ordered "
            f"({percent(row['best_share'], 0)} would be perfect)"
        )
    if not says:
        return "Nobody ordered in the days after the cut, so no ranking can be judged."
    sentence = "; ".join(says)
    return f"{sentence[0].upper()}{sentence[1:]}."


def frequency_recency(rows: Sequence[Row]) -> str:
    """How much silence costs somebody with a middling number of repeat orders."""
    asked = [row for row in rows if row["frequency_from"] > 0 and row["purchase_probability"] is not None]
    lived = sorted({row["frequency_from"] for row in asked if row["customers"]})
    age = number(rows[0]["age_days"])
    if not lived:
        return f"Nobody who first ordered about {age} days ago has ordered again."
    usual = [row for row in asked if row["frequency_from"] == lived[len(lived) // 2]]
    newest = max(usual, key=lambda row: row["recency_from"])
    silent = min(usual, key=lambda row: abs(row["recency_from"] - newest["recency_from"] / 2))
    orders = counted(newest["frequency_from"], "repeat order")
    quiet = number(silent["age_days"] - (silent["recency_from"] + silent["recency_to"]) / 2)
    return (
        f"{age} days after the first order, a customer with {orders} has a chance of "
        f"{percent(newest['purchase_probability'], 0)} to order within {newest['horizon_days']}{SPACE}days if the last "
        f"order is fresh, and of {percent(silent['purchase_probability'], 0)} after {quiet}{SPACE}days of silence."
    )


def purchase_paths(last_days: Sequence[Row]) -> str:
    """Where the typical customers' chances stand on the last day."""
    chances = [
        f"{percent(row['purchase_probability'], 0)} for {STORY_NAMES.get(row['story'], row['story'])}"
        for row in last_days
    ]
    days = last_days[0]["horizon_days"]
    return f"On the last day the chance of an order within {days}{SPACE}days is {listed(chances)}."


def purchase_path(last_day: Row) -> str:
    """Where one customer's chance stands."""
    return (
        f"After {counted(last_day['order_days'], 'order day')} in {counted(last_day['age_days'], 'day')}, the chance "
        f"of an order within {last_day['horizon_days']}{SPACE}days is "
        f"{percent(last_day['purchase_probability'], 0)}."
    )


def importances(rows: Sequence[Row]) -> str:
    """What the trees look at most."""
    names = [feature_name(row["feature"]) for row in rows[:3]]
    days = f"{rows[0]['horizon_days']}{SPACE}days"
    return f"To tell who orders within {days}, the boosted trees lean most on {listed(names)}."


def before_the_cut(last_seen: Row) -> str:
    """How far a model is off in the days that it was fitted on."""
    actual, expected = last_seen["cumulative_actual"], last_seen["cumulative_expected"]
    if not actual:
        return ""
    off = expected / actual - 1
    return f"Until then it comes to {percent(abs(off))} {'more' if off > 0 else 'fewer'} than happened."
