"""Charts for notebooks and for the pages of assets: a table's rows in, an Altair chart in the house theme out.

``from pipelines.report import charts, theme; theme.enable(); charts.cohort_heat_map(lab.read("cohort_retention"))``

Each says its finding in the title and source, n and day below. A table without rows gives a chart that says so. The
drawing stands in `pipelines.report.figures`; files of pictures are made by `pipelines.report.pictures`.
"""

from dataclasses import replace

import polars as pl

from pipelines.report.figures.backtests import backtest_figure
from pipelines.report.figures.calibrations import calibration_figure
from pipelines.report.figures.campaigns import campaign_figure, campaigns_figure, pressure_figure
from pipelines.report.figures.claims import claims_figure
from pipelines.report.figures.cohorts import cohort_figure
from pipelines.report.figures.decile_lifts import decile_lift_figure
from pipelines.report.figures.deliveries import conservation_figure, contract_figure
from pipelines.report.figures.experience import aftermath_figure, score_figure
from pipelines.report.figures.experience_by_month import nps_figure, return_rates_figure
from pipelines.report.figures.frequency_recency import frequency_recency_figure
from pipelines.report.figures.importances import importances_figure
from pipelines.report.figures.latency import latency_figure
from pipelines.report.figures.lists import gate_figure
from pipelines.report.figures.purchase_paths import purchase_path_figure, purchase_paths_figure
from pipelines.report.figures.rates import rates_figure
from pipelines.report.figures.revenue import revenue_figure
from pipelines.report.figures.revenue_bridge import revenue_bridge_figure
from pipelines.report.figures.segments import rfm_figure
from pipelines.report.figures.stages import movements_figure, stages_figure
from pipelines.report.figures.tracking import tracking_figure
from pipelines.report.pictures import to_png, to_svg
from pipelines.report.theme import NARROW, Chart, Figure, Look, nothing_to_show

__all__ = [
    "Look",
    "aftermath",
    "backtest_chart",
    "calibration_chart",
    "campaign_result",
    "campaign_results",
    "claims",
    "cohort_heat_map",
    "contact_pressure",
    "contract_rules",
    "decile_lift",
    "delivery_conservation",
    "for_phones",
    "frequency_recency",
    "importances_chart",
    "lifecycle_stages",
    "list_gate",
    "net_revenue",
    "nps_by_month",
    "purchase_latency",
    "purchase_path",
    "purchase_paths",
    "retention_rates",
    "return_rates",
    "revenue_bridge",
    "rfm_segments",
    "scores_and_orders",
    "stage_movements",
    "to_png",
    "to_svg",
    "tracking_curve",
]

_PLAIN = Look()


def _drawn(figure: Figure | None, look: Look, why_not: str) -> Chart:
    return nothing_to_show(why_not, look) if figure is None else figure.chart(look)


def cohort_heat_map(cohort_retention: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Share of each month's new customers who ordered in the months after; not complete is empty."""
    return _drawn(cohort_figure(cohort_retention), look, "No cohort is a full month old yet.")


def retention_rates(cohort_retention: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """The four retention rates of the same complete, not truncated cohorts."""
    return _drawn(rates_figure(cohort_retention), look, "No cohort is a full month old yet.")


def purchase_latency(purchase_latency: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Share of customers back with another order, by days since the one before."""
    return _drawn(
        latency_figure(purchase_latency), look, "Too few customers to say how soon they come back yet."
    )


def revenue_bridge(revenue_bridge: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """From our net revenue, step by step, to all that a shop platform may count."""
    figure = revenue_bridge_figure(revenue_bridge, currency=look.currency)
    return _drawn(figure, look, "There is no valid order yet.")


def return_rates(return_rates: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Share of each month's orders that saw something come back; months old enough only."""
    return _drawn(
        return_rates_figure(return_rates), look, "No month is old enough to say what came back yet."
    )


def nps_by_month(satisfaction: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """NPS by month with its interval; months of too few answers are left out."""
    return _drawn(nps_figure(satisfaction), look, "There are too few answers for an NPS by month yet.")


def scores_and_orders(score_behaviour: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Who ordered again after a survey, by what they answered."""
    return _drawn(
        score_figure(score_behaviour), look, "There are too few answers to compare what followed them yet."
    )


def aftermath(aftermath: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """What late parcels, tickets and returns go with: the next order, against alike orders without them."""
    return _drawn(aftermath_figure(aftermath), look, "No event has struck enough orders to compare yet.")


def net_revenue(orders: pl.LazyFrame, look: Look = _PLAIN, returns: pl.LazyFrame | None = None) -> Chart:
    """Net revenue by month of the order, with and without a customer; refunds by ``look.as_of`` with ``returns``."""
    return _drawn(
        revenue_figure(orders, returns, look.as_of, look.currency), look, "There is no valid order yet."
    )


def backtest_chart(
    backtest: pl.LazyFrame, look: Look = _PLAIN, champions: pl.LazyFrame | None = None
) -> Chart:
    """The deciding metric of each model with its interval; the champion stands out."""
    return _drawn(backtest_figure(backtest, champions), look, "No model was back-tested.")


def calibration_chart(
    backtest_calibration: pl.LazyFrame, look: Look = _PLAIN, champions: pl.LazyFrame | None = None
) -> Chart:
    """Predicted against actual by tenth of customers, for the champions or else the first model by name."""
    return _drawn(
        calibration_figure(backtest_calibration, champions, look.currency), look, "No model was back-tested."
    )


def decile_lift(
    decile_lift: pl.LazyFrame, look: Look = _PLAIN, champions: pl.LazyFrame | None = None
) -> Chart:
    """What each tenth of customers held of all that happened, for the champions or else the first model by name."""
    return _drawn(decile_lift_figure(decile_lift, champions), look, "No model was back-tested.")


def tracking_curve(
    tracking: pl.LazyFrame, look: Look = _PLAIN, champions: pl.LazyFrame | None = None
) -> Chart:
    """Repeat orders by week and cumulated, expected and as they came, before and after the cut."""
    return _drawn(tracking_figure(tracking, champions), look, "No purchase model was back-tested.")


def frequency_recency(
    frequency_recency: pl.LazyFrame, look: Look = _PLAIN, champions: pl.LazyFrame | None = None
) -> Chart:
    """Chance of an order and expected orders, by how often and how lately somebody of one age ordered."""
    figure = frequency_recency_figure(frequency_recency, champions)
    return _drawn(figure, look, "No purchase model was fitted yet.")


def importances_chart(churn_importances: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Which features the boosted trees lean on to tell who orders."""
    return _drawn(importances_figure(churn_importances), look, "No trees were grown yet.")


def purchase_paths(purchase_paths: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """How the chance of an order rose and fell for the shop's typical customers."""
    return _drawn(purchase_paths_figure(purchase_paths), look, "Too few customers order regularly yet.")


def purchase_path(path: pl.DataFrame, look: Look = _PLAIN) -> Chart:
    """How it rose and fell for one customer; takes what `models.purchase_paths.purchase_path` gives."""
    return _drawn(purchase_path_figure(path), look, "There is no order yet.")


def rfm_segments(rfm: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Each RFM segment's share of customers beside its share of net revenue."""
    return _drawn(rfm_figure(rfm, look.currency), look, "No customer has a score yet.")


def lifecycle_stages(customer_stages: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Customers by lifecycle stage on ``look.as_of``, by default the last day that a stage began.

    Takes ``customer_stages`` or ``customer_profile``.
    """
    newest = "from_day" if "from_day" in customer_stages.collect_schema() else "as_of"
    day = look.as_of or customer_stages.select(pl.col(newest).max()).collect().item()
    figure = stages_figure(customer_stages, day) if day else None
    return _drawn(figure, look, "No customer has a stage yet.")


def stage_movements(stage_transitions: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Moves between stages in the last month that is over."""
    return _drawn(movements_figure(stage_transitions, look.as_of), look, "No month is over yet.")


def list_gate(campaign_list: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """One list's way from everybody to the people in the file."""
    return _drawn(gate_figure(campaign_list), look, "No list was made.")


def campaign_results(campaign_results: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """How much more or less often people of each finished campaign ordered than the people held out."""
    return _drawn(campaigns_figure(campaign_results), look, "No campaign's window is over yet.")


def campaign_result(campaign_results: pl.LazyFrame, campaign: str, look: Look = _PLAIN) -> Chart:
    """All that one campaign changed."""
    figure = campaign_figure(campaign_results, campaign, look.currency)
    return _drawn(figure, look, "The campaign's window is not over yet, or there was nobody to compare.")


def contact_pressure(contact_pressure: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Share who unsubscribed, by how often they had been written to before."""
    return _drawn(
        pressure_figure(contact_pressure), look, "Too little is known of contacts and unsubscriptions."
    )


def claims(claims: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """What everybody repeats, beside the shop's own numbers."""
    return _drawn(claims_figure(claims), look, "No claim could be tested.")


def delivery_conservation(deliveries: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Where every delivered row went."""
    return _drawn(conservation_figure(deliveries), look, "Nothing was delivered yet.")


def contract_rules(contract_results: pl.LazyFrame, look: Look = _PLAIN) -> Chart:
    """Rules that were broken, most often first."""
    return _drawn(contract_figure(contract_results), look, "No rule was broken.")


def for_phones(look: Look = _PLAIN) -> Look:
    """The same look on a phone's width."""
    return replace(look, width=NARROW)
