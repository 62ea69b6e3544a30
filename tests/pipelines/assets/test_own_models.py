"""Own models in the night: the better one wins and is published, cheats and broken ones are out, and no night stops.

The shop is composed: 600 made-up people who order every 20 days or so until they leave, and whose last order before
they leave comes to an odd amount. Order days alone do not tell who has left; the amounts do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from models.errors import ApproximationWarning
from pipelines.assets.step import Outcome, Verdict
from tests.models.composed_purchases import day, orders
from tests.pipelines.assets.nights import MADE, Nights

LAST = 480
SCORED = ("customer_predictions",)

GOODBYE = """
import polars as pl

class Goodbye:
    '''Whoever's last order came to an odd amount has left; the others go on as before.'''

    def fit(self, known):
        {fault}
        orders = known.tables["orders"].filter("is_valid").collect()
        last = orders.sort("order_day").group_by("customer_key").agg(pl.col("gross").last().cast(pl.Int64) % 2)
        pace = pl.col("net").sum().cast(pl.Float64) / ((known.as_of - pl.col("order_day").min()).dt.total_days() + 20)
        people = known.purchases.group_by("customer_key").agg(a_day=pace).collect()
        self.people = people.join(last, on="customer_key").sort("customer_key")
        return self

    def predict(self, horizon_days):
        stays = pl.col("gross") == 0
        return self.people.select(
            "customer_key",
            predicted_value=pl.when(stays).then(pl.col("a_day") * horizon_days * 0.85).otherwise(0.0),
            purchase_probability=pl.when(stays).then(0.98).otherwise(0.02),
        )
"""
BOUGHT_LATER = """
import polars as pl

class KnowsLater:
    def fit(self, known):
        self.people = known.purchases.select("customer_key").unique().collect()
        return self

    def predict(self, horizon_days):
        later = pl.scan_parquet({lake!r}).collect()
        return self.people.join(later, on="customer_key", how="left")
"""
BROKEN = "class Broken:\n    def fit(self, known):\n        return self.nothing\n\n    def predict(self, days): ...\n"
SETTINGS = """
[[models]]
name = "goodbye"
file = "goodbye.py"
class = "Goodbye"

[[models]]
name = "knows_later"
file = "knows_later.py"
class = "KnowsLater"

[[models]]
name = "broken"
file = "broken.py"
class = "Broken"

[[models]]
name = "gone"
file = "gone.py"
class = "Gone"
"""


def composed() -> pl.LazyFrame:
    rng = np.random.default_rng(4)
    rows: list[tuple[str, str, int, int]] = []
    for number in range(600):
        when, leaves, usual = rng.uniform(0, 150), rng.uniform(60, 900), 10 * rng.gamma(4) / rng.gamma(4)
        while when <= LAST:
            after = when + rng.uniform(12, 28)
            goes = after > leaves
            rows.append(
                (f"{len(rows)}", f"customer {number:03}", int(when), 2 * int(1 + usual * rng.gamma(6)) + goes)
            )
            if goes:
                break
            when = after
    return orders(rows)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Nights, dict[str, Outcome]]:
    folder = tmp_path_factory.mktemp("own_models")
    night = Nights.opened(folder, composed(), more=SETTINGS)
    shop = night.shop.folder
    (shop / "goodbye.py").write_text(GOODBYE.format(fault="pass"), encoding="utf-8")
    lake = str(night.lake.root / "purchases" / "*.parquet")
    (shop / "knows_later.py").write_text(BOUGHT_LATER.format(lake=lake), encoding="utf-8")
    (shop / "broken.py").write_text(BROKEN, encoding="utf-8")
    return night, night.night(LAST)


def notes(nights: Nights, number: int) -> dict[str, tuple[bool, str]]:
    told = nights.rows("backtest_candidates", number).sort("cut")
    return {
        model: (took_part, says)
        for model, took_part, says in told.select("model", "took_part", "notes").rows()
    }


def test_the_better_model_wins_and_is_published_with_bounds(
    nights: tuple[Nights, dict[str, Outcome]],
) -> None:
    night, _ = nights
    champions = night.rows("champions", LAST)
    assert dict(champions.select("quantity", "model").rows())["probability"] == "goodbye"
    predicted = night.rows("customer_predictions", LAST)
    assert set(predicted["probability_model"]) == {"goodbye"}
    bounds = ["churn_probability_90d_low", "churn_probability_90d", "churn_probability_90d_high"]
    assert predicted.select(pl.sum_horizontal(pl.col(bounds).null_count())).item() == 0
    assert predicted.filter(pl.col(bounds[0]) > pl.col(bounds[2])).is_empty()
    last = (
        composed().sort("order_day").group_by("customer_key").agg(pl.col("gross").last().cast(pl.Int64) % 2)
    )
    by_hand = predicted.join(last.collect(), on="customer_key")
    has_left = by_hand.filter(pl.col("gross") == 1)
    assert has_left["churn_probability_365d"].to_list() == pytest.approx([0.98] * has_left.height)


def test_cheats_and_broken_models_are_out_with_the_reason_and_a_warning(
    nights: tuple[Nights, dict[str, Outcome]],
) -> None:
    night, outcomes = nights
    told = notes(night, LAST)
    assert told["goodbye"] == (True, "")
    assert not told["knows_later"][0]
    assert "is out: it reads with polars.scan_parquet (knows_later.py, line 10)" in told["knows_later"][1]
    assert told["broken"] == (
        False,
        "Model broken failed: AttributeError: 'Broken' object has no attribute 'nothing' (broken.py, line 3).",
    )
    assert not told["gone"][0]
    assert "gone.py cannot be read (No such file or directory)" in told["gone"][1]
    own = {"knows_later", "broken", "gone"}
    assert not own & set(night.rows("backtest_predictions", LAST)["model"])
    warned = next(v for v in outcomes["backtest_candidates"].verdicts if v.check == "own_models_took_part")
    assert isinstance(warned, Verdict)
    assert not warned.passed
    assert not warned.is_error
    assert all(f"Model {name}" in warned.says for name in own)


@pytest.fixture(scope="module")
def tomorrow(nights: tuple[Nights, dict[str, Outcome]], tmp_path_factory: pytest.TempPathFactory) -> Nights:
    """The next night, before anybody is scored."""
    night = nights[0].copy(tmp_path_factory.mktemp("tomorrow"))
    night.night(LAST + 1, tuple(name for name in MADE if name != "customer_predictions"))
    return night


def test_a_champion_scores_the_week_and_one_that_breaks_is_stood_in_for_by_name(
    tomorrow: Nights, tmp_path: Path
) -> None:
    assert tomorrow.fit(LAST + 1)[1] == f"not fitted: the models of {day(LAST)} score this day"
    night, broken = tomorrow.copy(tmp_path / "whole"), tomorrow.copy(tmp_path / "broken")
    night.night(LAST + 1, SCORED)
    assert set(night.rows("customer_predictions", LAST + 1)["probability_model"]) == {"goodbye"}
    late = f"if known.as_of.isoformat() > '{day(LAST)}': raise KeyError('a day too many')"
    with (
        replaced(night.shop.folder / "goodbye.py", GOODBYE.format(fault=late)),
        pytest.warns(ApproximationWarning, match=r"stands in for goodbye.*KeyError: 'a day too many'"),
    ):
        broken.night(LAST + 1, SCORED)
    published = set(broken.rows("customer_predictions", LAST + 1)["probability_model"])
    assert published <= {"bg_nbd_gamma_gamma", "mbg_nbd_gamma_gamma", "pareto_nbd_gamma_gamma"}
    assert len(published) == 1


def test_a_changed_file_means_a_new_fit(tomorrow: Nights, tmp_path: Path) -> None:
    night = tomorrow.copy(tmp_path)
    with replaced(night.shop.folder / "goodbye.py", GOODBYE.format(fault="pass  # a second thought")):
        night.night(LAST + 2, ("purchases", "readiness", "model_fits"))
    assert night.fit(LAST + 2)[1] == "the program, its settings or the contract of the data changed"


@contextmanager
def replaced(file: Path, text: str) -> Iterator[None]:
    """Another text in a file for as long as something runs."""
    before = file.read_text(encoding="utf-8")
    file.write_text(text, encoding="utf-8")
    try:
        yield
    finally:
        file.write_text(before, encoding="utf-8")
