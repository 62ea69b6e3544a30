"""The UK gift shop by a fixed recipe: gross value, so that other libraries can be measured on the very same numbers.

Products of five digits, positive lines of known customers, exact repeats dropped; cut 2011-06-09, known for at least
a day then, value of the next 183 days. This is for comparing alone: the product's own back-test is net of returns.
"""

from __future__ import annotations

import warnings
from datetime import date, timedelta

import polars as pl

from data_contracts import table
from models.candidates import Candidate
from models.known import Known, known_at
from models.summary import customer_summary, purchases_at
from pipelines.shop import SAMPLES

CUT = date(2011, 6, 9)
HORIZON_DAYS = 183
END = CUT + timedelta(HORIZON_DAYS)

TAKEN_BACK = ("16446", 168_469.60)
"""The largest value held out is one order of 80,995 pieces on the last day, taken back in full the same day
(C581484); its customer had bought two brushes for 2.90 before the cut."""

_LINE = ("Invoice", "StockCode", "Description", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country")
_KEY = ("customer_key", "order_day")


def orders() -> pl.DataFrame:
    """Orders by the recipe, in the columns that candidates see; amounts have four digits, so nothing is rounded."""
    lines = pl.scan_parquet(SAMPLES / "uk_gift_shop" / "uk_gift_shop.parquet").select(_LINE).unique()
    bought = (pl.col("Quantity") > 0) & (pl.col("Price") > 0) & pl.col("Customer ID").is_not_null()
    return (
        lines.filter(bought & pl.col("StockCode").str.contains(r"^\d{5}"))
        .group_by(
            "Invoice",
            pl.col("Customer ID").cast(pl.String).alias("customer_key"),
            pl.col("InvoiceDate").dt.date(),
        )
        .agg(
            gross=(pl.col("Quantity") * pl.col("Price")).sum().round(4).cast(pl.Decimal(18, 4)),
            country=pl.col("Country").min(),
        )
        .select(
            "customer_key",
            "country",
            "gross",
            pl.lit(0).cast(pl.Decimal(18, 4)).alias("discount"),
            pl.lit(None, pl.String).alias("channel"),
            pl.lit(True).alias("is_valid"),
            order_id=pl.format("{} {}", "Invoice", "InvoiceDate"),
            order_day="InvoiceDate",
        )
        .sort("order_id")
        .collect()
    )


def known(shop: pl.DataFrame) -> Known:
    """What candidates see."""
    return known_at(CUT, orders=shop.lazy())


def outcomes(shop: pl.DataFrame) -> pl.DataFrame:
    """One row per customer known for at least a day: customer_key, actual_value, has_bought."""
    purchases = purchases_at(shop.lazy(), table("returns").empty().lazy(), END)
    after = purchases.filter(pl.col("order_day") > CUT).group_by("customer_key").agg(pl.col("net").sum())
    return (
        customer_summary(purchases, CUT)
        .filter(pl.col("T") > 0)
        .join(after, on="customer_key", how="left")
        .select(
            "customer_key",
            actual_value=pl.col("net").cast(pl.Float64).fill_null(0.0),
            has_bought=pl.col("net").is_not_null(),
        )
        .sort("customer_key")
        .collect()
    )


class Lifetimes:
    """BG/NBD and Gamma-Gamma of lifetimes, by its own code; it has no probability of buying in a horizon."""

    name = "lifetimes"

    def fit(self, known: Known) -> Lifetimes:
        """Fit on customers known for at least a day, as its manual shows."""
        from lifetimes import BetaGeoFitter, GammaGammaFitter

        summary = (
            customer_summary(known.purchases, known.as_of)
            .filter(pl.col("T") > 0)
            .sort("customer_key")
            .collect()
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            x, t_x, age = (summary[name].to_numpy() for name in ("frequency", "recency", "T"))
            self._orders = BetaGeoFitter().fit(x, t_x, age)
            again = summary.filter(pl.col("frequency") > 0)
            self._spend = GammaGammaFitter().fit(
                again["frequency"].to_numpy(), again["monetary_value"].to_numpy()
            )
        self._summary = summary
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Expected orders times expected spend."""
        x, t_x, age = (self._summary[name].to_numpy() for name in ("frequency", "recency", "T"))
        mean_spend = self._summary["monetary_value"].fill_null(0.0).to_numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            orders = self._orders.conditional_expected_number_of_purchases_up_to_time(
                horizon_days, x, t_x, age
            )
            spend = self._spend.conditional_expected_average_profit(x, mean_spend)
        return self._summary.select(
            "customer_key",
            predicted_value=pl.Series(orders * spend, dtype=pl.Float64),
            purchase_probability=pl.lit(None, pl.Float64),
            model=pl.lit(self.name),
        )


def predictions(candidates: list[Candidate], shop: pl.DataFrame) -> pl.DataFrame:
    """Every candidate's predictions beside the outcomes, as `models.measure.measure` takes them."""
    seen, then = known(shop), outcomes(shop)
    split = {"as_of": END, "cut": CUT, "horizon_days": HORIZON_DAYS}
    parts: list[pl.DataFrame] = []
    for candidate in candidates:
        with warnings.catch_warnings():
            # What the models warn of is the back-test's to tell.
            warnings.simplefilter("ignore")
            predicted = candidate.fit(seen).predict(HORIZON_DAYS)
        parts.append(
            then.join(predicted, on="customer_key", how="left", validate="1:1", maintain_order="left")
            .with_columns(pl.lit(value).alias(name) for name, value in split.items())
            .select(
                *split,
                "customer_key",
                "model",
                "predicted_value",
                "purchase_probability",
                "actual_value",
                "has_bought",
            )
        )
    return pl.concat(parts)
