"""Purchase models as features: what the models say themselves, of what was known, and never an end of the run.

All shops are composed.
"""

from __future__ import annotations

import warnings
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from models.errors import ApproximationWarning
from models.features import Tables, features
from models.purchase_features import purchase_feature_names, purchase_features
from models.purchases import ModifiedBetaGeo
from models.spend import GammaGamma
from models.summary import customer_summary
from models.training_rows import LABELS, training_rows
from tests.models.composed_experience import Experience
from tests.models.shops import OPENED, ORDERS, Shop, as_of_days, purchases_of, shops

HORIZON = 60
AS_OF = OPENED + timedelta(400)
NAMES = purchase_feature_names(HORIZON)


def _orders(customers: int = 150, *, days: int = 500, seed: int = 0) -> pl.DataFrame:
    """Buyers at their own pace and price; some never come back."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for number in range(customers):
        gap, price = rng.gamma(2.0, 40.0), rng.gamma(5.0, 8.0)
        day = rng.uniform(0, 200)
        while day < days:
            rows.append(
                {
                    "order_id": f"o{len(rows)}",
                    "customer_key": f"c{number}",
                    "order_day": OPENED + timedelta(int(day)),
                    "is_valid": True,
                    "gross": round(price * rng.gamma(4.0, 0.25), 2),
                    "discount": 0,
                }
            )
            day += rng.exponential(gap) + (1e9 if rng.random() < 0.15 else 0)
    made = pl.DataFrame(rows)
    empty = [pl.lit(None, kind).alias(name) for name, kind in ORDERS.items() if name not in made.columns]
    return made.with_columns(empty).cast(ORDERS).select(list(ORDERS))  # type: ignore[arg-type]


def _purchases(orders: pl.DataFrame) -> pl.LazyFrame:
    return orders.lazy().select("customer_key", "order_day", net="gross", orders=pl.lit(1, pl.Int32))


def test_the_features_are_what_the_models_say() -> None:
    purchases = _purchases(_orders().unique(["customer_key", "order_day"]))
    told = purchase_features(purchases, AS_OF, HORIZON)
    summary = customer_summary(purchases, AS_OF).sort("customer_key").collect()
    orders, spend = ModifiedBetaGeo(prior_precision=1.0).fit(summary), GammaGamma().fit(summary)
    expected = summary.select("customer_key").with_columns(
        pl.Series(NAMES[0], orders.purchase_probability(summary, HORIZON)),
        pl.Series(NAMES[1], orders.expected_purchases(summary, HORIZON)),
        pl.Series(NAMES[2], orders.probability_alive(summary)),
        pl.Series(NAMES[3], spend.expected_spend(summary)),
    )
    assert_frame_equal(told, expected, check_exact=True)
    assert NAMES[0] == "mbg_purchase_probability_60d"


@settings(max_examples=5, deadline=None)
@given(st.integers(150, 480), st.integers(0, 100))
def test_nothing_after_as_of_changes_a_cell_nor_does_the_order_of_rows(day: int, seed: int) -> None:
    as_of = OPENED + timedelta(day)
    orders = _orders()
    later = pl.col("order_day") > as_of
    altered = pl.concat(
        [
            orders.filter(~later),
            orders.filter(later).head(seed).with_columns(gross=pl.lit(9).cast(pl.Decimal(18, 4))),
        ]
    ).sample(fraction=1, shuffle=True, seed=seed)
    assert_frame_equal(
        features(as_of, horizon_days=HORIZON, orders=orders.lazy()),
        features(as_of, horizon_days=HORIZON, orders=altered.lazy()),
        check_row_order=False,
        check_exact=True,
    )


@settings(max_examples=20, deadline=None)
@given(shops(), as_of_days(240))
def test_any_shop_gets_a_row_a_customer_and_no_error(shop: Shop, as_of: date) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ApproximationWarning)
        made = features(as_of, horizon_days=HORIZON, orders=shop.orders, returns=shop.returns).collect()
    plain = features(as_of, orders=shop.orders, returns=shop.returns)
    assert_frame_equal(made.drop(NAMES), plain.collect(), check_row_order=False, check_exact=True)
    known = made.select(pl.col(NAMES).drop_nulls().is_finite().all())
    assert all(known.row(0))


def test_without_repeat_purchases_all_is_null_and_the_reason_is_told() -> None:
    purchases = purchases_of([("a", OPENED), ("b", OPENED + timedelta(3)), ("c", OPENED)])
    with pytest.warns(ApproximationWarning) as told:
        made = purchase_features(purchases, AS_OF, HORIZON)
    assert made.select(NAMES).null_count().row(0) == (3, 3, 3, 3)
    assert set(made.select(NAMES).schema.values()) == {pl.Float64()}
    said = [str(warning.message) for warning in told]
    assert len(said) == 2
    assert f"MBG/NBD could not be fitted on what was known at {AS_OF}" in said[0]
    assert "0 of 3 customers had come back" in said[0]
    assert "gamma_gamma_expected_spend is null there" in said[1]


def test_where_all_spend_the_same_only_spend_is_null() -> None:
    orders = _purchases(_orders().unique(["customer_key", "order_day"]))
    same = orders.with_columns(net=pl.lit(10).cast(pl.Decimal(18, 4)))
    with pytest.warns(ApproximationWarning, match="Gamma-Gamma .* the same mean spend"):
        made = purchase_features(same, AS_OF, HORIZON)
    assert made.null_count().row(0) == (0, 0, 0, 0, made.height)


def test_an_empty_shop_has_no_rows_and_the_same_columns() -> None:
    with pytest.warns(ApproximationWarning):
        made = purchase_features(purchases_of([]), AS_OF, HORIZON)
    assert made.is_empty()
    assert made.columns == ["customer_key", *NAMES]


def test_training_and_scoring_have_the_same_columns_whatever_tables_there_are() -> None:
    orders = _orders().lazy()
    experience = Experience()
    others: dict[str, pl.LazyFrame] = {
        "order_lines": experience.shop.order_lines,
        "returns": experience.shop.returns,
        "survey_answers": experience.answers,
        "survey_invitations": experience.invitations,
        "shipments": experience.shipments,
        "tickets": experience.tickets,
    }
    for names in ((), ("returns",), tuple(others)):
        tables: Tables = {"orders": orders, **{name: others[name] for name in names}}  # type: ignore[typeddict-item]
        rows = training_rows(AS_OF, horizon_days=HORIZON, max_cuts=3, **tables)
        scoring = features(AS_OF, horizon_days=HORIZON, **tables).collect_schema()
        assert rows.drop(LABELS).schema == {
            name: kind for name, kind in scoring.items() if name != "customer_key"
        }
        assert rows.select(NAMES).null_count().row(0) == (0, 0, 0, 0)
