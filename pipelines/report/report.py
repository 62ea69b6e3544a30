"""The report of one shop and day as one HTML page that needs nothing else: no script, no request, no personal data.

Here tables are read, handed to figures and counts, and put into the template. What is drawn stands in ``figures``, what
is said in ``findings`` and the template, what is counted in ``numbers``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
import polars as pl
from markupsafe import Markup

from data_contracts import table as promise
from data_contracts import table_names
from pipelines.report import findings, numbers, words
from pipelines.report.figures.backtests import backtest_figure, calibration_figure
from pipelines.report.figures.cohorts import cohort_figure, rates_figure
from pipelines.report.figures.deliveries import conservation_figure, contract_figure
from pipelines.report.figures.lists import gate_figure
from pipelines.report.figures.revenue import revenue_figure
from pipelines.report.figures.segments import movements_figure, rfm_figure, stages_figure
from pipelines.report.glossary import TERMS
from pipelines.report.pictures import to_svg
from pipelines.report.theme import NARROW, WIDE, Figure, Look, PlainTable
from pipelines.shop import Shop

Tables = Callable[[str], pl.LazyFrame]

CONTENTS = (
    ("headline", "The shop in numbers"),
    ("intake", "What came in"),
    ("cohorts", "Who came back"),
    ("returns", "Returns"),
    ("satisfaction", "Satisfaction"),
    ("predictions", "What to expect"),
    ("segments", "Who the customers are today"),
    ("lists", "Lists for campaigns"),
    ("glossary", "What the words mean"),
)
MATCH_RULES = {
    "by_order_id": "by its order number",
    "same_quantity": "to the latest purchase of that product in the same quantity",
    "latest_purchase": "to the latest purchase of that product",
    "no_customer": "not matched: names no customer",
    "no_earlier_purchase": "not matched: no earlier purchase of it in the data",
    "more_than_bought": "not matched: more than was bought",
}
CONDITIONS = {
    "customers": "customers with a valid order",
    "history_days": "days of history",
    "days_since_last_order": "days since the last order",
    "regulars": "customers with three or more orders",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure as it stands in the page: one picture for wide screens and paper, one for phones."""

    name: str
    figure: Figure
    wide: Markup
    narrow: Markup
    footer: str


def render_report(tables: Tables, shop: Shop, as_of: date, made: str) -> str:
    """Render the report.

    Parameters
    ----------
    tables
        Gives a table's rows that belong to ``as_of``; one without rows is an empty frame of the promised columns.
    shop
        Its title, currency, attribution and lists.
    as_of
        Last day included.
    made
        When and by which run, in words.

    Returns
    -------
    str
        The page. Apart from ``made`` it is the same for the same tables.
    """
    look = Look(is_titled=False, shop=shop.title, as_of=as_of, currency=shop.currency)
    context = {
        "shop": shop,
        "as_of": as_of,
        "made": made,
        "css": Markup(_text("report.css")),
        "terms": TERMS,
        "contents": CONTENTS,
        "figures": _figures(tables, shop, as_of, look),
        **_intake(tables, shop, as_of),
        **_returns(tables, shop, as_of),
        **_predictions(tables),
        "surveys": _surveys(tables, as_of),
        "cuts": _cuts(tables("stage_cuts")),
        "lists": _lists(tables("campaign_lists"), shop, look),
    }
    return _template().render(context)


def _figures(tables: Tables, shop: Shop, as_of: date, look: Look) -> dict[str, Shown | None]:
    orders, returns, cohorts, champions = (
        tables(name) for name in ("orders", "returns", "cohort_retention", "champions")
    )
    figures = {
        "revenue": revenue_figure(orders, returns, as_of, shop.currency),
        "conservation": conservation_figure(tables("deliveries")),
        "contract": contract_figure(tables("contract_results")),
        "cohorts": cohort_figure(cohorts),
        "rates": rates_figure(cohorts),
        "backtest": backtest_figure(tables("backtest"), champions),
        "calibration": calibration_figure(tables("backtest_calibration"), champions, shop.currency),
        "stages": stages_figure(tables("customer_profile"), as_of),
        "movements": movements_figure(tables("stage_transitions"), as_of),
        "rfm": rfm_figure(tables("rfm"), shop.currency),
    }
    return {name: _shown(f"figure-{name}", figure, look) for name, figure in figures.items()}


def _shown(name: str, figure: Figure | None, look: Look) -> Shown | None:
    if figure is None:
        return None
    wide, narrow = (
        Markup(to_svg(figure.chart(_sized(look, width)), prefix=f"{name}-{form}").replace(_NAMESPACES, ""))
        for form, width in (("w", WIDE), ("n", NARROW))
    )
    return Shown(name, figure, wide, narrow, figure.footer(look))


_NAMESPACES = ' xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def _sized(look: Look, width: int) -> Look:
    return Look(width=width, is_titled=look.is_titled, shop=look.shop, as_of=look.as_of, currency=look.currency)


def _intake(tables: Tables, shop: Shop, as_of: date) -> dict[str, Any]:
    orders, returns = tables("orders"), tables("returns")
    head = numbers.headline(orders, returns, tables("purchases"), as_of, shop.history_start)
    deliveries = tables("deliveries").select("is_blocked", "unknown_columns").collect()
    unknown = {
        name.strip()
        for cell in deliveries["unknown_columns"].drop_nulls()
        for name in cell.split(",")
        if name.strip()
    }
    results = tables("contract_results").collect()
    excluded = numbers.excluded_orders(orders, as_of)
    without = orders.filter("is_valid", pl.col("customer_key").is_null(), pl.col("order_day") <= as_of)
    return {
        "head": head,
        "deliveries": {"blocked": int(deliveries["is_blocked"].sum()), "unknown": sorted(unknown)},
        "has_results": not results.is_empty(),
        "set_aside": results.filter(pl.col("failed") > 0, severity="critical")
        .sort("failed", "rule", descending=[True, False])
        .to_dicts(),
        "excluded": {
            "total": sum(row["orders"] for row in excluded),
            "header": ("Why", "Orders"),
            "rows": tuple(
                (row["excluded_because"] or words.UNKNOWN, words.number(row["orders"])) for row in excluded
            ),
        },
        "lines_without": without.select(pl.col("lines").cast(pl.Int64).sum()).collect().item(),
    }


def _returns(tables: Tables, shop: Shop, as_of: date) -> dict[str, Any]:
    returns = tables("returns")
    rows = numbers.returns_by_rule(returns, as_of)
    return {
        "back": numbers.returned(tables("orders"), returns, as_of),
        "by_rule": {
            "says": findings.returned(rows, shop.currency),
            "header": ("Returned merchandise matched", "Lines", "Value"),
            "rows": tuple(
                (
                    MATCH_RULES.get(row["match_rule"], row["match_rule"].replace("_", " ")),
                    words.number(row["returns"]),
                    words.exact_money(row["amount"], shop.currency),
                )
                for row in rows
            ),
        },
        "other": numbers.other_returns(returns, as_of),
        "return_rates": _return_rates(tables),
    }


def _return_rates(tables: Tables) -> PlainTable | None:
    """Return rates over everything, where the lab computes that table."""
    wanted = {"measure", "n", "rate", "low", "high"}
    if "return_rates" not in table_names() or not wanted <= set(promise("return_rates").schema):
        return None
    rates = tables("return_rates")
    if "break_down" in rates.collect_schema():
        rates = rates.filter(pl.col("break_down") == "all")
    rows = rates.filter(pl.col("rate").is_not_null()).sort("measure").head(12).collect().to_dicts()
    if not rows:
        return None
    return PlainTable(
        header=("Rate", "Value", "95 % interval", "n"),
        rows=tuple(
            (
                str(row["measure"]).replace("_", " "),
                words.percent(row["rate"]),
                words.interval(row["low"], row["high"]),
                words.number(row["n"]),
            )
            for row in rows
        ),
    )


def _surveys(tables: Tables, as_of: date) -> PlainTable | None:
    rows = numbers.answers(tables("survey_answers"), tables("survey_invitations"), as_of)
    if not rows:
        return None
    return PlainTable(
        header=("Survey", "Answers", "Customers who answered", "Invitations", "Response rate"),
        rows=tuple(
            (
                row["kind"].upper() if row["kind"] in ("nps", "csat") else row["kind"],
                words.number(row["answers"]) + (" (too few to say much)" if row["answers"] < numbers.TOO_FEW else ""),
                words.number(row["people"]),
                words.number(row["invitations"]) if row["invitations"] else "not delivered",
                words.percent(row["answers"] / row["invitations"]) if row["invitations"] else words.UNKNOWN,
            )
            for row in rows
        ),
    )


def _predictions(tables: Tables) -> dict[str, Any]:
    ready = tables("readiness").collect()
    champions = tables("champions").sort("quantity", descending=True).collect().to_dicts()
    backtest = tables("backtest").collect()
    split = backtest.row(0, named=True) if backtest.height else None
    return {
        "ready": _readiness(ready),
        "split": {"cut": split["cut"], "days": split["horizon_days"]} if split else None,
        "champions": [
            {"says": findings.champion(row), "reason": findings.in_plain_words(row["reason"])} for row in champions
        ],
        "outlook": _outlook(tables("customer_predictions"), backtest),
    }


def _readiness(ready: pl.DataFrame) -> dict[str, Any]:
    rows = ready.to_dicts()
    if not rows:
        return {"rows": [], "is_ready": False, "says": ""}
    is_ready = all(row["is_ready"] for row in rows)
    found = [
        f"{words.number(row['found'])} {CONDITIONS.get(row['condition'], row['condition'].replace('_', ' '))}"
        for row in rows
        if row["found"] is not None
    ]
    reasons = next((row["reasons"] for row in rows if row["reasons"]), "the numbers do not suffice")
    return {"rows": rows, "is_ready": is_ready, "says": words.listed(found) if is_ready else reasons}


def _outlook(predictions: pl.LazyFrame, backtest: pl.DataFrame) -> dict[str, Any] | None:
    is_band = {band: (pl.col("churn_band") == band).sum().alias(band) for band in ("low", "medium", "high")}
    found = (
        predictions.select(
            pl.len().alias("customers"),
            pl.col("predicted_clv_365d").sum().alias("total"),
            pl.col("value_model").first(),
            *is_band.values(),
        )
        .collect()
        .row(0, named=True)
    )
    if not found["customers"]:
        return None
    bands = [f"{band} for {words.number(found[band])}" for band in is_band if found[band]]
    bias = backtest.filter(quantity="value", metric="bias", model=found["value_model"])["value"]
    return {
        "customers": found["customers"],
        "total": found["total"],
        "model": f"“{words.model_name(found['value_model'] or words.UNKNOWN)}”",
        "bands": words.listed(bands),
        "bias": bias[0] if len(bias) else None,
    }


def _cuts(stage_cuts: pl.LazyFrame) -> str:
    newest = stage_cuts.sort("month").tail(1).collect()
    return findings.cuts(newest.row(0, named=True)) if newest.height else ""


def _lists(campaign_lists: pl.LazyFrame, shop: Shop, look: Look) -> list[dict[str, Any]]:
    rows = campaign_lists.sort("name").collect()
    order = {entry.name: position for position, entry in enumerate(shop.lists)}
    shown: list[dict[str, Any]] = []
    for position, row in sorted(enumerate(rows.to_dicts()), key=lambda pair: order.get(pair[1]["name"], len(order))):
        expiry = "Lists of a sample shop do not expire." if shop.sample else "It does not expire."
        if row["expires_at"] is not None and not shop.sample:
            local = row["expires_at"].astimezone(shop.zone)
            expiry = f"{words.long_day(local.date())}, {local:%H:%M} ({shop.timezone}); after that it is not handed out."
        gate = gate_figure(rows.lazy().slice(position, 1))
        shown.append(
            {
                "row": row,
                "lift": findings.detectable_lift(row),
                "expiry": expiry,
                "gate": _shown(f"figure-list-{len(shown) + 1}", gate, look),
            }
        )
    return shown


_NUMBER = re.compile(r"^[−+£€$]?[A-Z]{0,3}\s?[−\d][\d,. ]*( ?(%|points|million|days))?( to −?[\d,.]+ ?%?)?$|^$|^(under|over) [\d.]+ ?%$")


def _is_numeric_column(table: Any, position: int) -> bool:
    """Whether a column of a plain table holds numbers, to be set flush right."""
    rows = table["rows"] if isinstance(table, dict) else table.rows
    cells = [row[position].replace(words.SPACE, " ") for row in rows]
    return position > 0 and any(cells) and all(_NUMBER.match(cell) or cell == words.UNKNOWN for cell in cells)


def _text(name: str) -> str:
    return files("pipelines.report").joinpath(name).read_text(encoding="utf-8")


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "number": words.number,
        "percent": words.percent,
        "signed_percent": words.signed_percent,
        "interval": lambda bounds: words.interval(*bounds),
        "money": words.money,
        "exact_money": words.exact_money,
        "long_day": words.long_day,
        "counted": words.counted,
    }
    environment.tests["numeric_column"] = _is_numeric_column
    return environment.from_string(_text("report.html.j2"))
