"""Orders of composed customers for benchmarks: buy-till-you-die with a fixed seed, no person behind any row."""

from datetime import date

import numpy as np
import polars as pl

START = date(2022, 1, 1)
DAYS = 730


def orders(customers: int, seed: int = 1) -> pl.DataFrame:
    """Orders of customers who buy at their own rate and may leave after each order: the BG/NBD process.

    About 2.9 orders a customer; columns as far as `models.summary.purchases_at` reads them.
    """
    generator = np.random.default_rng(seed)
    customer = np.arange(customers)
    rate, dropout = generator.gamma(0.7, 1 / 60, customers), generator.beta(0.8, 2.4, customers)
    day = generator.uniform(0, DAYS, customers)
    everybody, days = [], []
    while customer.size:
        everybody.append(customer)
        days.append(day)
        stays = generator.random(customer.size) > dropout[customer]
        customer, day = customer[stays], day[stays] + generator.exponential(1 / rate[customer[stays]])
        customer, day = customer[day < DAYS], day[day < DAYS]
    net = generator.gamma(2.0, 20.0, sum(part.size for part in days)).round(2)
    frame = pl.DataFrame(
        {"customer": np.concatenate(everybody), "day": np.concatenate(days).astype(np.int64), "net": net}
    )
    return frame.select(
        pl.int_range(pl.len()).cast(pl.String).alias("order_id"),
        pl.format("c{}", "customer").alias("customer_key"),
        (pl.lit(START) + pl.duration(days=pl.col("day"))).alias("order_day"),
        (pl.col("day") + (START - date(1970, 1, 1)).days).cast(pl.Int32).alias("order_day_number"),
        pl.col("net").cast(pl.Decimal(18, 4)).alias("gross"),
        pl.lit(0).cast(pl.Decimal(18, 4)).alias("discount"),
        pl.lit(True).alias("is_valid"),
    )
