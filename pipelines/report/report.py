"""The report of one shop and day as one HTML page that needs nothing else: no script, no request, no personal data.

Here figures and sections are put into the template. What is drawn stands in ``figures``, what is said in ``findings``
and the template, what is counted in ``numbers``.
"""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from pipelines.report import break_downs, sections, words
from pipelines.report.changes import changes
from pipelines.report.claims import claims_section
from pipelines.report.figures.backtests import backtest_figure
from pipelines.report.figures.calibrations import calibration_figure
from pipelines.report.figures.claims import claims_figure
from pipelines.report.figures.cohorts import cohort_figure
from pipelines.report.figures.decile_lifts import decile_lift_figure
from pipelines.report.figures.deliveries import conservation_figure, contract_figure
from pipelines.report.figures.experience import aftermath_figure, score_figure
from pipelines.report.figures.experience_by_month import nps_figure, return_rates_figure
from pipelines.report.figures.frequency_recency import frequency_recency_figure
from pipelines.report.figures.importances import importances_figure
from pipelines.report.figures.latency import latency_figure
from pipelines.report.figures.purchase_paths import purchase_paths_figure
from pipelines.report.figures.rates import rates_figure
from pipelines.report.figures.revenue import revenue_figure
from pipelines.report.figures.revenue_bridge import revenue_bridge_figure
from pipelines.report.figures.segments import rfm_figure
from pipelines.report.figures.stages import movements_figure, stages_figure
from pipelines.report.figures.tracking import tracking_figure
from pipelines.report.glossary import TERMS
from pipelines.report.repeat_bridge import repeat_bridge
from pipelines.report.sections import Tables
from pipelines.report.shown import Shown, shown
from pipelines.report.theme import Look
from pipelines.shop import Shop

CONTENTS = (
    ("headline", "The shop in numbers"),
    ("intake", "What came in"),
    ("cohorts", "Who came back"),
    ("returns", "Returns"),
    ("satisfaction", "Satisfaction"),
    ("service", "Delivery and service"),
    ("predictions", "What to expect"),
    ("claims", "What everybody says"),
    ("segments", "Who the customers are today"),
    ("lists", "Lists for campaigns"),
    ("glossary", "What the words mean"),
)


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
        **sections.intake(tables, shop, as_of),
        **sections.returns(tables, shop, as_of),
        **sections.predictions(tables),
        "by_first_order": break_downs.by_first_order(tables("cohort_retention")),
        "by_goods": break_downs.by_goods(tables("return_rates")),
        "service": break_downs.service(tables("service_rates")),
        "repeat_bridge": repeat_bridge(tables("revenue_bridge")),
        "refunds": break_downs.refunds(tables("refund_speed")),
        "changes": changes(tables, shop.currency),
        "claims": claims_section(tables("claims")),
        "surveys": sections.surveys(tables),
        "has_surveys": bool(shop.sources_of("survey_answers")),
        "cuts": sections.cuts(tables("stage_cuts")),
        "lists": sections.lists(tables("campaign_lists"), shop, look),
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
        "bridge": revenue_bridge_figure(tables("revenue_bridge"), currency=shop.currency),
        "return_rates": return_rates_figure(tables("return_rates")),
        "nps": nps_figure(tables("satisfaction")),
        "scores": score_figure(tables("score_behaviour")),
        "aftermath": aftermath_figure(tables("aftermath")),
        "latency": latency_figure(tables("purchase_latency")),
        "backtest": backtest_figure(tables("backtest"), champions),
        "calibration": calibration_figure(tables("backtest_calibration"), champions, shop.currency),
        "lift": decile_lift_figure(tables("decile_lift"), champions),
        "tracking": tracking_figure(tables("tracking"), champions),
        "matrix": frequency_recency_figure(tables("frequency_recency"), champions),
        "paths": purchase_paths_figure(tables("purchase_paths")),
        "importances": importances_figure(tables("churn_importances")),
        "claims": claims_figure(tables("claims")),
        "stages": stages_figure(tables("customer_profile"), as_of),
        "movements": movements_figure(tables("stage_transitions"), as_of),
        "rfm": rfm_figure(tables("rfm"), shop.currency),
    }
    # Charts are put together here and drawn by a library that lets go of the interpreter: two threads do both at once.
    with ThreadPoolExecutor(max_workers=2) as pool:
        drawn = pool.map(lambda name: shown(f"figure-{name}", figures[name], look), figures)
        return dict(zip(figures, drawn, strict=True))


_NUMBER = re.compile(
    r"^[−+£€$]?[A-Z]{0,3}\s?[−\d][\d,. ]*( ?(%|points|million|days))?( to −?[\d,.]+ ?%?)?$|^$|^(under|over) [\d.]+ ?%$"
)


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
        "long_month": words.long_month,
        "counted": words.counted,
    }
    environment.tests["numeric_column"] = _is_numeric_column
    return environment.from_string(_text("report.html.j2"))
