"""Money in other currencies: the rate that holds on a day, and amounts in the shop's currency.

Amounts are rounded once, here, from the exact product. Which rows have no rate is the contract's business; rates are
delivered, never fetched.
"""

from datetime import timedelta

import polars as pl

from data_contracts import MONEY
from pipelines.ingest.newest import newest
from pipelines.ingest.values import local_day, stripped
from pipelines.shop import Shop

RATE = pl.Decimal(38, 12)
EXACT = pl.Decimal(38, 16)
"""Holds the product of an amount (4 places) and a rate (12) without rounding."""
ONE = pl.lit(1).cast(RATE)
AMOUNTS = {"orders": ("unit_price", "discount"), "returns": ("amount",), "costs": ("amount",)}
"""Delivered tables with a ``currency`` and their amounts."""
DAY_OF = {"orders": "ordered_at", "returns": "returned_at", "costs": "day"}
"""The column that says by which day's rate a row is converted."""


def standing_rates(rates: pl.LazyFrame, shop: Shop) -> pl.LazyFrame:
    """What each currency is worth on each day: code, on_day, rate.

    A delivered rate holds from its day until the next one, and no longer than ``orders.rate_holds_days``.

    Parameters
    ----------
    rates
        Rows of ``valid_rates``, all versions.
    """
    longest = timedelta(days=shop.orders.rate_holds_days)
    next_day = pl.col("day").shift(-1).over("code", order_by="day")
    return (
        rates.with_columns(currency_code().alias("code"))
        .pipe(newest, ["code", "day"])
        .with_columns(
            pl.min_horizontal(next_day - timedelta(days=1), pl.col("day") + longest).alias("_until"),
            # Floats print the shortest decimal that they stand for: the digits that were delivered.
            pl.col("rate").cast(pl.String).cast(RATE),
        )
        .select("code", pl.date_ranges("day", "_until").alias("on_day"), "rate")
        .explode("on_day")
    )


def with_rate(rows: pl.LazyFrame, day: pl.Expr, shop: Shop, rates: pl.LazyFrame | None) -> pl.LazyFrame:
    """Add ``_rate``: shop currency for one unit of ``currency`` on ``day``; null where no rate holds.

    Parameters
    ----------
    rates
        ``valid_rates``; None where no source delivers any.
    """
    code = currency_code().fill_null(shop.currency)
    if rates is None:
        return rows.with_columns(pl.when(code == shop.currency).then(ONE).alias("_rate"))
    return (
        rows.with_columns(code.alias("code"), day.alias("on_day"))
        .join(standing_rates(rates, shop), on=["code", "on_day"], how="left")
        .with_columns(pl.when(pl.col("code") == shop.currency).then(ONE).otherwise("rate").alias("_rate"))
        .drop("code", "on_day", "rate")
    )


def day_of(table: str, shop: Shop) -> pl.Expr:
    """Shop-local day by whose rate a row of a delivered table is converted."""
    name = DAY_OF[table]
    return pl.col(name) if name == "day" else local_day(pl.col(name), shop.zone)


def in_shop_currency(rows: pl.LazyFrame, table: str, shop: Shop, rates: pl.LazyFrame | None) -> pl.LazyFrame:
    """Convert the amounts of ``valid_<table>``; ``currency`` stays what was paid in, its code in capitals."""
    if rates is None:
        return rows.with_columns(currency_code().fill_null(shop.currency).alias("currency"))
    return rows.pipe(with_rate, day_of(table, shop), shop, rates).pipe(_convert, table, shop)


def returns_in_shop_currency(
    rows: pl.LazyFrame, current: pl.LazyFrame, shop: Shop, rates: pl.LazyFrame | None
) -> pl.LazyFrame:
    """Convert the amounts of ``valid_returns``, of those that name an order at the rate of the order's day.

    So what is given back of an order never exceeds what was paid because a rate has moved. Where a return says no
    currency, its order's holds.

    Parameters
    ----------
    current
        ``current_orders``, with order numbers told apart as in ``rows``.
    """
    if rates is None:
        return in_shop_currency(rows, "returns", shop, rates)
    named = (
        current.join(rows.select("order_id").unique(), on="order_id", how="semi")
        .group_by("order_id")
        .agg(pl.col("currency").first().alias("_paid_in"), pl.col("order_day").first().alias("_order_day"))
    )
    returned_on = day_of("returns", shop)
    return (
        rows.join(named, on="order_id", how="left")
        .with_columns(pl.coalesce("currency", "_paid_in").alias("currency"))
        .pipe(with_rate, pl.coalesce("_order_day", returned_on), shop, rates)
        .rename({"_rate": "_order_rate"})
        .pipe(with_rate, returned_on, shop, rates)
        .with_columns(pl.coalesce("_order_rate", "_rate").alias("_rate"))
        .drop("_paid_in", "_order_day", "_order_rate")
        .pipe(_convert, "returns", shop)
    )


def _convert(rows: pl.LazyFrame, table: str, shop: Shop) -> pl.LazyFrame:
    is_own = pl.col("_rate") == ONE
    exact = pl.col(AMOUNTS[table]).cast(EXACT) * pl.col("_rate").cast(EXACT)
    return rows.with_columns(
        # Of two amounts equally near the even one, as where amounts are read.
        pl.when(is_own).then(pl.col(AMOUNTS[table])).otherwise(exact.cast(MONEY)),
        currency_code().fill_null(shop.currency).alias("currency"),
    ).drop("_rate")


def currency_code() -> pl.Expr:
    """The column ``currency`` as three capitals of ISO 4217."""
    return stripped(pl.col("currency")).str.to_uppercase()
