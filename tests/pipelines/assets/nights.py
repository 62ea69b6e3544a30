"""Nights of a composed shop whose facts are put into its lake: only the steps that make predictions are carried out."""

import shutil
from datetime import date
from graphlib import TopologicalSorter
from pathlib import Path

import polars as pl

from data_contracts import conform, table
from pipelines.assets.catalogue import steps_of
from pipelines.assets.given import Given
from pipelines.assets.run import carry_out
from pipelines.assets.step import Moment, Outcome
from pipelines.lake import Lake
from pipelines.shop import Shop
from tests.models.composed_purchases import day
from tests.pipelines.small_shops import NOW, write_shop

MADE = (
    "purchases",
    "readiness",
    "model_fits",
    "purchase_models",
    "returned_shares",
    "boosted_models",
    "churn_importances",
    "backtest_predictions",
    "backtest_candidates",
    "backtest",
    "backtest_origins",
    "backtest_comparisons",
    "backtest_calibration",
    "backtest_outcomes",
    "backtest_cohorts",
    "champions",
    "customer_predictions",
)


class Nights:
    """A composed shop's lake with facts, and nights that make its predictions."""

    def __init__(self, shop: Shop, lake: Lake) -> None:
        self.shop, self.lake = shop, lake

    @classmethod
    def opened(cls, folder: Path, orders: pl.LazyFrame, *, more: str = "") -> "Nights":
        shop = write_shop(folder / "shop", more=more)
        nights = cls(shop, Lake.make(folder / "lake", shop.name))
        nights.take_in(orders)
        return nights

    def copy(self, folder: Path) -> "Nights":
        return Nights(self.shop, Lake.open(Path(shutil.copytree(self.lake.root, folder / "lake"))))

    def take_in(self, orders: pl.LazyFrame) -> None:
        missing = [
            pl.lit(None, dtype).alias(name)
            for name, dtype in table("orders").schema.items()
            if name not in orders.collect_schema()
        ]
        rows = conform(orders.with_columns(missing), table("orders"))
        fingerprint = str(rows.select(pl.len()).collect().item())
        self.lake.replace("orders", rows, fingerprint=fingerprint)

    def night(self, number: int, made: tuple[str, ...] = MADE, *, refit: bool = False) -> dict[str, Outcome]:
        steps = steps_of(self.shop)
        given = Given(self.shop, self.lake, Moment(f"night-{number}", NOW, day(number), refit), steps)
        needs = {name: [read for read in steps[name].reads if read in made] for name in made}
        return {name: carry_out(steps[name], given) for name in TopologicalSorter(needs).static_order()}

    def rows(self, name: str, number: int) -> pl.DataFrame:
        return self.lake.scan(name, as_of=day(number)).collect()

    def fit(self, number: int) -> tuple[date, str]:
        return self.rows("model_fits", number).select("fitted_as_of", "reason").row(0)
