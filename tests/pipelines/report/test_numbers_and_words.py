from datetime import date, timedelta
from decimal import Decimal

import polars as pl
import pytest

from models.returns import return_rates
from pipelines.report import findings, numbers, words
from pipelines.report.figures.rates import pooled_rates
from pipelines.report.figures.revenue import revenue_by_month
from tests.pipelines.report.composed_tables import AS_OF, START, Composed, frame


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (0.2346, "23.5 %"), (0.0, "0.0 %"), (1.0, "100.0 %"), (1e-6, "under 0.1 %"), (0.99999, "over 99.9 %"),
        (-0.09, "−9.0 %"), (None, "unknown"),
    ],
)  # fmt: skip
def test_percent_never_rounds_something_to_nothing(share: float | None, says: str) -> None:
    assert plain(words.percent(share)) == says


@pytest.mark.parametrize(
    ("amount", "currency", "says"),
    [
        (17_231_445.2, "GBP", "£17.23 million"), (1234.5, "EUR", "€1,234"), (-5000, "CHF", "−CHF 5,000"),
        (None, "USD", "unknown"),
    ],
)  # fmt: skip
def test_money_carries_its_currency(amount: float | None, currency: str, says: str) -> None:
    assert plain(words.money(amount, currency)) == says


def test_refunds_known_after_as_of_change_nothing(tables: Composed) -> None:
    def net(as_of: date) -> float:
        head = numbers.headline(tables("orders"), tables("returns"), tables("purchases"), as_of, START)
        return head.net

    assert net(AS_OF) - net(AS_OF + timedelta(days=1)) == pytest.approx(41)


def test_months_add_up_to_the_headline(tables: Composed) -> None:
    head = numbers.headline(tables("orders"), tables("returns"), tables("purchases"), AS_OF, START)
    months = revenue_by_month(tables("orders"), tables("returns"), AS_OF)
    assert months["net"].sum() == pytest.approx(head.net)
    assert months["orders"].sum() == head.orders
    assert months.filter(~pl.col("has_customer"))["net"].sum() == pytest.approx(head.net_without)


def test_year_on_year_agrees_with_counting_people(tables: Composed) -> None:
    found = numbers.year_on_year(tables("purchases"), AS_OF, START)
    rows = tables("purchases").collect().iter_rows(named=True)
    ages = [(row["customer_key"], (AS_OF - row["order_day"]).days) for row in rows]
    second = {key for key, age in ages if 0 <= age < 365}
    first = {key for key, age in ages if 365 <= age < 730}
    assert found == numbers.Rate(len(first & second), len(first))


def test_year_on_year_needs_two_whole_years(tables: Composed) -> None:
    assert numbers.year_on_year(tables("purchases"), AS_OF, AS_OF - timedelta(days=728)) is None
    assert numbers.year_on_year(tables("purchases"), AS_OF, AS_OF - timedelta(days=729)) is not None


def test_return_rate_leaves_out_orders_too_young_to_tell() -> None:
    day = date(2023, 1, 1)
    orders = [
        {"order_id": name, "order_day": day + timedelta(days=age), "gross": Decimal(100), "discount": Decimal(0),
         "is_valid": True}
        for name, age in (("a", 0), ("b", 0), ("c", 0), ("young", 80))
    ]  # fmt: skip
    lines = [
        {"order_id": str(order["order_id"]), "line_no": 1, "product_id": "mug", "kind": "merchandise",
         "quantity": 1, "net": Decimal(100)}
        for order in orders
    ]  # fmt: skip
    back = [
        {"return_id": name, "order_id": name, "line_no": 1, "product_id": "mug", "kind": "merchandise",
         "quantity": 1, "amount": Decimal(25), "returned_day": day + timedelta(days=40)}
        for name in ("a", "b")
    ]  # fmt: skip
    rates = return_rates(
        frame("orders", orders),
        frame("order_lines", lines),
        frame("returns", back),
        day + timedelta(days=100),
    )
    found = numbers.returned(rates, 40)
    assert (found.window_days, found.orders) == (40, numbers.Rate(2, 3))
    assert found.value_share == pytest.approx(50 / 300)


def test_pooled_rates_keep_the_promises_of_their_names(tables: Composed) -> None:
    pooled = pooled_rates(_cohorts(n=40))
    by_name = {
        name: pooled.filter(measure=name).sort("k")["rate"].to_list() for name in pooled["measure"].unique()
    }
    assert by_name["repurchased_by"] == sorted(by_name["repurchased_by"])
    assert by_name["retained_from"] == sorted(by_name["retained_from"], reverse=True)
    assert pooled.filter(pl.col("measure") != "period_retention")["n"].n_unique() == 1


def test_too_few_customers_are_not_pooled() -> None:
    assert pooled_rates(_cohorts(n=5)).is_empty()


def _cohorts(n: int) -> pl.LazyFrame:
    rates = {
        "active_rate": (1.0, 0.3, 0.2, 0.25),
        "repurchased_by": (0.1, 0.4, 0.5, 0.6),
        "retained_from": (1.0, 0.8, 0.6, 0.5),
    }  # fmt: skip
    rows = [
        {"as_of": AS_OF, "period_unit": "month", "cohort": date(2023, month, 1), "k": k, "measure": measure,
         "break_down": "all", "break_down_value": "all", "n": n, "customers": round(n * rate),
         "is_complete": True, "is_left_truncated": False, "is_small": n < 30}
        for month, ages in ((1, 4), (2, 3))
        for measure, values in rates.items()
        for k, rate in enumerate(values[:ages])
    ]  # fmt: skip
    return frame("cohort_retention", rows)


def test_a_champions_reason_names_models_as_people_read_them() -> None:
    reason = "mbg_nbd_gamma_gamma (log_loss 0.529) beats bg_nbd_gamma_gamma by -0.1%."
    assert plain(findings.in_plain_words(reason)) == (
        "“MBG/NBD + Gamma-Gamma” (log-loss 0.529) beats “BG/NBD + Gamma-Gamma” by −0.1 %."
    )


def test_movements_count_each_customer_once() -> None:
    rows = [
        {"from_stage": "newcomer", "to_stage": "new", "customers": 5},
        {"from_stage": "lapsed", "to_stage": "reactivated", "customers": 3},
        {"from_stage": "reactivated", "to_stage": "reactivated", "customers": 9},
        {"from_stage": "at_risk", "to_stage": "lapsed", "customers": 2},
        {"from_stage": "lapsed", "to_stage": "dormant", "customers": 7},
    ]
    assert plain(findings.movements(rows, date(2023, 5, 1))) == (
        "In May 2023 5 customers joined, 3 came back after having lapsed, and 2 lapsed."
    )


def test_list_without_a_known_rate_says_that_no_effect_can_be_told() -> None:
    row = {
        "deliverable": 5,
        "held_out": 1,
        "base_rate": None,
        "base_rate_source": "no predictions",
        "detectable_lift": None,
    }
    assert "not known (no predictions)" in findings.detectable_lift(row)


def test_features_have_names_that_people_read() -> None:
    assert words.feature_name("T") == "days since the first order"
    assert words.feature_name("mbg_purchase_probability_365d") == "MBG/NBD: chance of order"
    assert words.feature_name("mbg_expected_orders_90d") == "MBG/NBD: expected orders"
    assert words.feature_name("open_tickets") == "open tickets"
