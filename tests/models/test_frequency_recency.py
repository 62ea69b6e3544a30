"""Each cell says what the model says, and each customer of that age stands in one cell."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.frequency_recency import LARGEST_GRID, MATRIX, frequency_recency
from models.purchases import BetaGeo, ModifiedBetaGeo, ParetoNBD, PurchaseModel
from tests.models.cdnow import daily_summary, weekly_summary

DAYS = BetaGeo.from_parameters({"r": 0.6, "alpha": 50.0, "a": 0.7, "b": 2.5})

histories = st.lists(
    st.tuples(st.integers(0, 400), st.integers(0, 40), st.floats(0, 1)).map(
        lambda drawn: (float(min(drawn[1], drawn[0])), float(drawn[0]), drawn[2])
    ),
    min_size=1,
    max_size=40,
)


def summary(rows: list[tuple[float, float, float]]) -> pl.LazyFrame:
    """Frequency, recency, T; somebody without a repeat order has recency 0."""
    schema = {"frequency": pl.Float64, "recency": pl.Float64, "T": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row").lazy()


def test_cdnow_cells_agree_with_the_model_asked_by_hand_in_any_unit() -> None:
    models: dict[str, PurchaseModel] = {
        "days": BetaGeo().fit(daily_summary()),
        "weeks": BetaGeo(time_unit="weeks").fit(weekly_summary()),
        "pareto": ParetoNBD(time_unit="weeks").fit(weekly_summary()),
    }
    found = frequency_recency(daily_summary().lazy(), models, horizon_days=364)
    asked = found.filter(pl.col("expected_orders").is_not_null())
    middle = (pl.col("recency_from") + pl.col("recency_to")) / 2
    # Everything but the open last row is asked about at its own frequency.
    own = asked.filter(pl.col("frequency_from") == pl.col("frequency_to")).with_columns(
        frequency=pl.col("frequency_from").cast(pl.Float64),
        recency=pl.when(pl.col("frequency_from") > 0).then(pl.max_horizontal(middle, "frequency_from")).otherwise(0.0),
        T=pl.col("age_days").cast(pl.Float64),
    )  # fmt: skip
    for name, model in models.items():
        unit = 1 if name == "days" else 7
        mine = own.filter(model=name)
        history = mine.select(
            frequency=pl.col("frequency"), recency=pl.col("recency") / unit, T=pl.col("T") / unit
        )
        expected = model.expected_purchases(history, 364 / unit)
        assert mine["expected_orders"].to_list() == pytest.approx(expected, rel=1e-9)
        chance = model.purchase_probability(history, 364 / unit)
        assert mine["purchase_probability"].to_list() == pytest.approx(chance, rel=1e-9)
    days, weeks = (asked.filter(model=name)["expected_orders"].to_list() for name in ("days", "weeks"))
    assert days == pytest.approx(weeks, rel=1e-6)


def test_cdnow_age_is_that_of_nine_in_ten_and_the_tail_is_asked_about_at_its_median() -> None:
    everybody = daily_summary()
    found = frequency_recency(everybody.lazy(), {"m": DAYS}, cells=5)
    age = found["age_days"][0]
    assert (everybody["T"] <= age).mean() >= 0.9 > (everybody["T"] < age).mean()  # type: ignore[operator]
    near = everybody.filter((pl.col("T") - age).abs() <= 0.1 * age)
    assert found["customers"].sum() == near.height
    tail = near.filter(pl.col("frequency") >= 4)["frequency"]
    last = found.filter(frequency_from=4).sort("recency_from").row(-1, named=True)
    assert last["frequency_to"] == tail.max()
    median = tail.sort()[(tail.len() - 1) // 2]
    customer = summary([(median, (last["recency_from"] + last["recency_to"]) / 2, float(age))])
    assert last["expected_orders"] == pytest.approx(DAYS.expected_purchases(customer, 365)[0])


@settings(max_examples=40, deadline=None)
@given(histories, st.integers(2, LARGEST_GRID))
def test_everybody_of_nearly_that_age_stands_in_one_cell_of_a_bounded_grid(
    rows: list[tuple[float, float, float]], cells: int
) -> None:
    made = [(x, x and x + part * (age - x), age) for x, age, part in rows]
    found = frequency_recency(summary(made), {"m": DAYS}, cells=cells)
    if all(age == 0 for _, _, age in made):
        assert found.is_empty()
        return
    age = found["age_days"][0]
    assert found["customers"].sum() == sum(1 for _, _, own in made if own and abs(own - age) <= 0.1 * age)
    assert found["frequency_from"].n_unique() <= cells
    assert found["recency_from"].n_unique() <= cells
    assert found["recency_to"].max() == age
    assert not found.select("frequency_from", "recency_from").is_duplicated().any()
    answered = found.drop_nulls("expected_orders")
    assert answered["purchase_probability"].is_between(0, 1).all()
    assert (answered["expected_orders"] >= 0).all()
    # Orders before the last one were on days of their own.
    assert (answered["frequency_from"] <= answered["recency_to"]).all()
    without = found.filter(pl.col("frequency_from") == 0, pl.col("recency_from") > 0)
    assert without["expected_orders"].null_count() == without.height


def test_fresher_orders_never_lower_the_chance() -> None:
    model = ModifiedBetaGeo.from_parameters({"r": 0.6, "alpha": 50.0, "a": 0.7, "b": 2.5})
    found = frequency_recency(daily_summary().lazy(), {"m": model})
    rising = found.drop_nulls().sort("frequency_from", "recency_from").group_by("frequency_from")
    assert rising.agg((pl.col("purchase_probability").diff().drop_nulls() >= 0).all())[
        "purchase_probability"
    ].all()


def test_one_time_buyers_alone_have_a_grid() -> None:
    found = frequency_recency(summary([(0.0, 0.0, 30.0)] * 3), {"m": DAYS})
    assert found.filter(pl.col("customers") > 0).select(
        "frequency_from", "recency_from", "customers"
    ).rows() == [(0, 0, 3)]


def test_no_history_gives_no_rows_and_impossible_grids_are_refused() -> None:
    empty = frequency_recency(summary([]), {"m": DAYS})
    assert empty.is_empty()
    assert empty.schema == pl.Schema(MATRIX)
    for cells in (1, LARGEST_GRID + 1):
        with pytest.raises(ValueError, match="cells a side"):
            frequency_recency(summary([]), {"m": DAYS}, cells=cells)
    with pytest.raises(ValueError, match="age of 0 days"):
        frequency_recency(summary([]), {"m": DAYS}, age_days=0)
    asked = frequency_recency(summary([]), {"m": DAYS}, age_days=100)
    assert asked["customers"].sum() == 0
    assert asked["expected_orders"].count() > 0
