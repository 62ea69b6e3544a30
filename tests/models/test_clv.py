"""Customer lifetime value: published figures, units of time, discounting, and intervals that cover."""

from functools import cache

import numpy as np
import polars as pl
import pytest

from models.clv import Intervals, customer_lifetime_value
from models.errors import ApproximationWarning
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from models.spend import GammaGamma
from tests.models.cdnow import published_summary
from tests.models.simulated_histories import simulate


@cache
def cdnow_models() -> tuple[BetaGeo, GammaGamma]:
    return BetaGeo(time_unit="weeks").fit(published_summary()), GammaGamma().fit(published_summary())


def test_twelve_months_of_cdnow_at_one_percent_a_month() -> None:
    """36.278 4.637 8.344: twelve steps of 4.345 weeks (364.98 days), each discounted from its end."""
    purchases, spend = cdnow_models()
    table = customer_lifetime_value(
        published_summary(), purchases, spend, horizon_days=12 * 4.345 * 7, annual_discount=1.01**12 - 1
    )
    assert table.columns == ["customer_key", "predicted_orders", "predicted_clv"]
    assert table["predicted_clv"].head(3).to_list() == pytest.approx([36.278, 4.637, 8.344], abs=1e-3)
    # a year of 365 days is 0.02 days longer
    year = customer_lifetime_value(published_summary(), purchases, spend, annual_discount=1.01**12 - 1)
    assert year["predicted_clv"].head(3).to_list() == pytest.approx([36.278, 4.637, 8.344], rel=2e-4)


def test_undiscounted_value_is_orders_times_spend() -> None:
    purchases, spend = cdnow_models()
    table = customer_lifetime_value(published_summary().lazy(), purchases, spend, horizon_days=90)
    orders = purchases.expected_purchases(published_summary(), 90 / 7)
    np.testing.assert_array_equal(table["predicted_orders"].to_numpy(), orders)
    np.testing.assert_array_equal(
        table["predicted_clv"].to_numpy(), orders * spend.expected_spend(published_summary())
    )
    assert table["customer_key"].equals(published_summary()["customer_key"])


def test_weeks_and_days_give_the_same_value() -> None:
    _, spend = cdnow_models()
    weeks = BetaGeo.from_parameters({"r": 0.243, "alpha": 4.414, "a": 0.793, "b": 2.426}, time_unit="weeks")
    days = BetaGeo.from_parameters({"r": 0.243, "alpha": 4.414 * 7, "a": 0.793, "b": 2.426})
    in_days = published_summary().with_columns(pl.col("recency", "T") * 7)
    for discount in (0.0, 0.1):
        first = customer_lifetime_value(published_summary(), weeks, spend, annual_discount=discount)
        second = customer_lifetime_value(in_days, days, spend, annual_discount=discount)
        np.testing.assert_allclose(first["predicted_clv"], second["predicted_clv"], rtol=1e-10)


def test_discounting_agrees_with_a_loop_over_months_and_never_raises_the_value() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(20)
    horizon, rate = 100.0, 0.3  # three months and a piece
    ends = [365 / 12, 365 / 6, 365 / 4, 100.0]
    expected = np.zeros(20)
    for start, end in zip([0.0, *ends], ends, strict=False):
        orders = purchases.expected_purchases(few, end / 7) - purchases.expected_purchases(few, start / 7)
        expected += orders * spend.expected_spend(few) / 1.3 ** (end / 365)
    found = customer_lifetime_value(few, purchases, spend, horizon_days=horizon, annual_discount=rate)
    np.testing.assert_allclose(found["predicted_clv"], expected, rtol=1e-12)
    plain = customer_lifetime_value(few, purchases, spend, horizon_days=horizon)
    assert (found["predicted_clv"] < plain["predicted_clv"]).all()
    assert found["predicted_orders"].equals(plain["predicted_orders"])


@pytest.mark.parametrize(
    ("story", "model", "parameters"),
    [
        ("bg", BetaGeo, (0.8, 60.0, 0.9, 2.5)),
        ("mbg", ModifiedBetaGeo, (0.9, 60.0, 0.8, 2.0)),
        ("pareto", ParetoNBD, (0.8, 60.0, 0.7, 200.0)),
    ],
)
def test_predictive_intervals_cover_what_customers_of_a_simulated_shop_do(
    story: str, model: type[PurchaseModel], parameters: tuple[float, float, float, float]
) -> None:
    horizon = 180
    shop = simulate(story, parameters, customers=6_000, seed=11, horizon=horizon)
    rng = np.random.default_rng(12)
    nu = rng.gamma(4.0, 1 / 15.0, shop.height)
    x, later = shop["frequency"].to_numpy(), shop["later"].to_numpy()
    spent = np.where(x > 0, rng.gamma(6 * np.maximum(x, 1)) / nu / np.maximum(x, 1), 0.0)
    value = np.where(later > 0, rng.gamma(6 * np.maximum(later, 1)) / nu, 0.0)
    shop = shop.with_columns(monetary_value=spent)
    table = customer_lifetime_value(
        shop, model().fit(shop), GammaGamma().fit(shop), horizon_days=horizon, intervals=Intervals(draws=100)
    )
    for quantity, actual in (("orders", later), ("clv", value)):
        low, high = (table[f"predicted_{quantity}{bound}"].to_numpy() for bound in ("_low", "_high"))
        inside = ((low <= actual) & (actual <= high)).mean()
        # counts are whole numbers, so intervals hold somewhat more than they promise
        assert 0.885 < float(inside) < 0.99, (quantity, inside)
        expected = float(table[f"predicted_{quantity}"].sum())
        assert expected == pytest.approx(actual.sum(), rel=0.08)


def test_intervals_of_the_expectation_hold_it_and_are_narrower() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(300)
    of_mean = customer_lifetime_value(few, purchases, spend, intervals=Intervals(predictive=False))
    of_customer = customer_lifetime_value(few, purchases, spend, intervals=Intervals())
    for quantity in ("predicted_orders", "predicted_clv"):
        inside = of_mean[quantity].is_between(of_mean[f"{quantity}_low"], of_mean[f"{quantity}_high"])
        assert inside.all()
        width = of_mean[f"{quantity}_high"] - of_mean[f"{quantity}_low"]
        wide = of_customer[f"{quantity}_high"] - of_customer[f"{quantity}_low"]
        assert float(width.sum()) < 0.3 * float(wide.sum())


def test_intervals_repeat_and_depend_on_nobody_else() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(500)
    first = customer_lifetime_value(few, purchases, spend, intervals=Intervals(draws=50))
    again = customer_lifetime_value(few[::-1], purchases, spend, intervals=Intervals(draws=50))
    other = customer_lifetime_value(few, purchases, spend, intervals=Intervals(draws=50, seed=1))
    assert first.equals(again[::-1])
    assert not first.equals(other)
    alone = customer_lifetime_value(few[[5, 17]], purchases, spend, intervals=Intervals(draws=50))
    assert alone.equals(first[[5, 17]])
    equal = first.filter(pl.Series(few["frequency"] == 0) & pl.Series(few["T"] == few["T"][2]))
    assert equal["predicted_clv_high"].n_unique() == 1


def test_discounted_intervals_shrink_with_the_value() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(50)
    plain = customer_lifetime_value(few, purchases, spend, intervals=Intervals(draws=50))
    discounted = customer_lifetime_value(
        few, purchases, spend, annual_discount=0.2, intervals=Intervals(draws=50)
    )
    share = discounted["predicted_clv"] / plain["predicted_clv"]
    np.testing.assert_allclose(
        discounted["predicted_clv_high"], plain["predicted_clv_high"] * share, rtol=1e-12
    )
    assert plain["predicted_orders_high"].equals(discounted["predicted_orders_high"])


def test_a_margin_scales_value_and_its_bounds_but_no_orders() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(50)
    net, earned = (
        customer_lifetime_value(
            few, purchases, spend, annual_discount=0.1, margin=margin, intervals=Intervals(draws=50)
        )
        for margin in (1.0, 0.4)
    )
    for column in ("predicted_clv", "predicted_clv_low", "predicted_clv_high"):
        np.testing.assert_allclose(earned[column], net[column] * 0.4, rtol=1e-12)
    orders = [name for name in net.columns if "orders" in name]
    assert earned.select(orders).equals(net.select(orders))


@pytest.mark.parametrize("margin", [0.0, -0.2, 1.5, np.nan])
def test_a_margin_must_be_a_share(margin: float) -> None:
    purchases, spend = cdnow_models()
    with pytest.raises(ValueError, match="margin is a share of net revenue"):
        customer_lifetime_value(published_summary(), purchases, spend, margin=margin)


def test_where_many_do_not_come_all_that_may_lie_outside_lies_above() -> None:
    """An interval from 0 on cuts off nobody below: it ends at the 90 % quantile, not at the 95 % one."""
    purchases, spend = cdnow_models()
    once = published_summary().filter(pl.col("frequency") == 0).head(40)
    table = customer_lifetime_value(once, purchases, spend, intervals=Intervals(draws=400))
    none = purchases.purchase_count_probability(once, 365 / 7, 0)
    assert (table["predicted_clv_low"] == 0).all()
    at_most = np.zeros(once.height)
    for n in range(8):
        reached = table["predicted_orders_high"].to_numpy() >= n
        at_most += np.where(reached, purchases.purchase_count_probability(once, 365 / 7, n), 0.0)
    assert np.all((none > 0.05) & (at_most > 0.88))
    one_less = at_most - np.array(
        [
            purchases.purchase_count_probability(once[[i]], 365 / 7, int(high))[0]
            for i, high in enumerate(table["predicted_orders_high"])
        ]
    )
    assert np.all(one_less < 0.92)


def test_missing_spend_of_one_time_buyers_is_as_good_as_zero() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(50)
    null = few.with_columns(monetary_value=pl.when(pl.col("frequency") > 0).then("monetary_value"))
    settings = Intervals(draws=30)
    assert customer_lifetime_value(few, purchases, spend, intervals=settings).equals(
        customer_lifetime_value(null, purchases, spend, intervals=settings)
    )


def test_what_intervals_leave_out_is_said() -> None:
    purchases, spend = cdnow_models()
    few = published_summary().head(10)
    unknown = BetaGeo.from_parameters(purchases.params_, time_unit="weeks")
    with pytest.warns(ApproximationWarning, match="covariance of the purchase model"):
        customer_lifetime_value(few, unknown, spend, intervals=Intervals(draws=20))
    same = few.with_columns(monetary_value=pl.when(pl.col("frequency") > 0).then(20.0))
    with pytest.warns(ApproximationWarning, match="pooled mean"):
        constant = GammaGamma().fit(same)
    with pytest.warns(ApproximationWarning, match="uncertainty of orders only"):
        table = customer_lifetime_value(same, purchases, constant, intervals=Intervals(draws=20))
    np.testing.assert_allclose(table["predicted_clv_high"], table["predicted_orders_high"] * 20)


def test_an_empty_shop_gives_an_empty_table() -> None:
    purchases, spend = cdnow_models()
    table = customer_lifetime_value(published_summary().clear(), purchases, spend, intervals=Intervals())
    assert table.height == 0
    assert table.columns[1:] == [
        f"predicted_{quantity}{bound}" for quantity in ("orders", "clv") for bound in ("", "_low", "_high")
    ]


def test_settings_are_checked() -> None:
    purchases, spend = cdnow_models()
    with pytest.raises(ValueError, match="annual_discount"):
        customer_lifetime_value(published_summary(), purchases, spend, annual_discount=-1.0)
    with pytest.raises(ValueError, match="horizon"):
        customer_lifetime_value(published_summary(), purchases, spend, horizon_days=-5)
    with pytest.raises(ValueError, match="draws"):
        Intervals(draws=3)
    with pytest.raises(ValueError, match="level"):
        Intervals(level=1.0)
