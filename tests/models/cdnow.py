"""The CDNOW sample that ships inside lifetimes: 2,357 customers who first bought in early 1997.

Read by path: `lifetimes.datasets` itself needs pkg_resources, which a fresh environment lacks. Days are
counted to 1997-09-30 and divided by 7, same-day purchases collapsed, as in Fader, Hardie & Lee (2005).
"""

import importlib.util
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

END_OF_CALIBRATION = date(1997, 9, 30)


def _folder() -> Path:
    spec = importlib.util.find_spec("lifetimes")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "datasets"


@cache
def order_days() -> pl.DataFrame:
    """customer_key, order_day, net: one row per customer and order day, to the end of 1998-06."""
    return _order_days("CDNOW_sample.txt", customer=1)


def _order_days(file: str, *, customer: int) -> pl.DataFrame:
    """Read a file of orders: the day stands after the customer (column number `customer`), the net last."""
    lines = (_folder() / file).read_text().splitlines()
    fields = [row for row in map(str.split, lines) if row and row[-3].isdigit()]  # one file has a heading
    days = (row[-3] for row in fields)
    return (
        pl.DataFrame(
            {
                "customer_key": [row[customer] for row in fields],
                "order_day": [date(int(day[:4]), int(day[4:6]), int(day[6:])) for day in days],
                "net": [float(row[-1]) for row in fields],
            }
        )
        .group_by("customer_key", "order_day")
        .agg(pl.col("net").sum())
        .sort("customer_key", "order_day")
    )


@cache
def daily_summary(end: date = END_OF_CALIBRATION) -> pl.DataFrame:
    """Customer summary in days at `end`, customers in the order of the published file."""
    return _summary(order_days(), end)


@cache
def master_summary() -> pl.DataFrame:
    """Summarise all 23,570 customers, in weeks, as `weekly_summary` does its tenth of them."""
    return _summary(_order_days("CDNOW_master.txt", customer=0), END_OF_CALIBRATION).with_columns(
        pl.col("recency", "T") / 7
    )


def _summary(order_days: pl.DataFrame, end: date) -> pl.DataFrame:
    known = order_days.filter(pl.col("order_day") <= end)
    first = pl.col("order_day").min()
    last = pl.col("order_day").max()
    repeat = pl.col("order_day") > pl.col("order_day").min().over("customer_key")
    return (
        known.with_columns(repeat.alias("repeat"))
        .group_by("customer_key", maintain_order=True)
        .agg(
            frequency=pl.col("repeat").sum().cast(pl.Float64),
            recency=(last - first).dt.total_days().cast(pl.Float64),
            T=(pl.lit(end) - first).dt.total_days().cast(pl.Float64),
            monetary_value=pl.col("net").filter(pl.col("repeat")).mean(),
        )
    )


@cache
def weekly_summary() -> pl.DataFrame:
    """Customer summary in weeks: days / 7."""
    return daily_summary().with_columns(pl.col("recency", "T") / 7)


@cache
def published_summary() -> pl.DataFrame:
    """The summary as published with note 025: weeks to two decimals, mean repeat spend to the cent."""
    table = pl.read_csv(_folder() / "cdnow_customers_summary_with_transactions.csv")
    return table.select(
        customer_key=pl.col("ID").cast(pl.String),
        frequency=pl.col("x").cast(pl.Float64),
        recency=pl.col("t_x"),
        T=pl.col("T"),
        monetary_value=pl.col("zbar"),
    )
