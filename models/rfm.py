"""RFM: recency, frequency and monetary scores, and the segments two well-known shop platforms name by them.

Klaviyo publishes its map from three thirds to six segments, and its R days; that is the default.
Shopify publishes its names but not its cuts: the grid on quintiles here is ours.

Ranks are averaged over ties and then cut (`models.ranks`): most customers of most shops have ordered
once, and a plain quantile cut would put several cut points on that one value.

Who is written to, and lifecycle stages (`models.lifecycle`), do not belong here.
"""

from __future__ import annotations

from datetime import date

import polars as pl

from models.ranks import rank_score

# Klaviyo help center on RFM analysis: codes are R, F, M digits; all 27 occur once.
KLAVIYO_SEGMENTS = {
    "Champions": ("333", "332", "323"),
    "Loyal": ("321", "322", "331", "232", "233"),
    "Recent": ("312", "313", "311", "222", "223"),
    "Needs attention": ("213", "221", "123", "132", "133"),
    "At risk": ("231", "212", "122", "131", "211"),
    "Inactive": ("111", "112", "113", "121"),
}
KLAVIYO_RECENT_DAYS = 180
KLAVIYO_LAST_YEAR_DAYS = 365

SHOPIFY_SEGMENTS = (
    "PROSPECTS",
    "CHAMPIONS",
    "LOYAL",
    "ACTIVE",
    "NEW",
    "PROMISING",
    "NEEDS_ATTENTION",
    "PREVIOUSLY_LOYAL",
    "AT_RISK",
    "ALMOST_LOST",
    "DORMANT",
)


def rfm(purchases: pl.LazyFrame, as_of: date, *, customers: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Scores and segments of every customer.

    Parameters
    ----------
    purchases
        One row per customer and order day: customer_key, order_day, net, orders.
    as_of
        Last day included.
    customers
        Everybody the shop knows (customer_key). Adds those without an order as Shopify's PROSPECTS, with
        null scores and no Klaviyo segment; they take no part in the ranks.

    Returns
    -------
    pl.LazyFrame
        One row per customer: customer_key; recency_days (since the last order day), order_days, orders
        (Int32), net (Float64, shop currency, to `as_of`); r, f, m (Int8, 1 to 3) and klaviyo_segment;
        r5, f5, m5 (Int8, 1 to 5) and shopify_segment. Higher is better, in r as well. f ranks orders, m
        ranks net.
    """
    totals = (
        purchases.filter(pl.col("order_day") <= as_of)
        .group_by("customer_key")
        .agg(
            recency_days=(pl.lit(as_of) - pl.col("order_day").max()).dt.total_days().cast(pl.Int32),
            order_days=pl.len().cast(pl.Int32),
            orders=pl.col("orders").sum().cast(pl.Int32),
            net=pl.col("net").sum().cast(pl.Float64),
        )
    )
    recency = pl.col("recency_days")
    scored = (
        totals.with_columns(
            r=pl.when(recency <= KLAVIYO_RECENT_DAYS)
            .then(3)
            .when(recency <= KLAVIYO_LAST_YEAR_DAYS)
            .then(2)
            .otherwise(1)
            .cast(pl.Int8),
            f=rank_score(pl.col("orders"), 3),
            m=rank_score(pl.col("net"), 3),
            r5=rank_score(-recency, 5),
            f5=rank_score(pl.col("orders"), 5),
            m5=rank_score(pl.col("net"), 5),
        )
        .with_columns(
            klaviyo_segment=klaviyo_segment(pl.col("r"), pl.col("f"), pl.col("m")),
            shopify_segment=shopify_segment(pl.col("r5"), pl.col("f5"), pl.col("m5")),
        )
        .select(
            "customer_key",
            "recency_days",
            "order_days",
            "orders",
            "net",
            *("r", "f", "m", "klaviyo_segment"),
            *("r5", "f5", "m5", "shopify_segment"),
        )
    )
    if customers is None:
        return scored
    prospects = (
        customers.select("customer_key")
        .join(scored, on="customer_key", how="anti")
        .with_columns(shopify_segment=pl.lit("PROSPECTS"))
    )
    return pl.concat([scored, prospects], how="diagonal")


def rfm_cuts(scores: pl.LazyFrame) -> pl.LazyFrame:
    """Which values got which score: the cuts to show beside every RFM table.

    Parameters
    ----------
    scores
        The result of `rfm`.

    Returns
    -------
    pl.LazyFrame
        One row per scheme, measure and score that occurs, sorted: scheme ("klaviyo" or "shopify"), measure
        (recency_days, orders, net), score (Int8), lowest, highest (Float64, both included), customers.
        A score nobody got, because ties jumped over it, has no row.
    """
    measures = {
        ("klaviyo", "recency_days"): "r",
        ("klaviyo", "orders"): "f",
        ("klaviyo", "net"): "m",
        ("shopify", "recency_days"): "r5",
        ("shopify", "orders"): "f5",
        ("shopify", "net"): "m5",
    }
    return pl.concat(
        scores.filter(pl.col(score).is_not_null())
        .group_by(score=score)
        .agg(
            lowest=pl.col(measure).min().cast(pl.Float64),
            highest=pl.col(measure).max().cast(pl.Float64),
            customers=pl.len().cast(pl.Int64),
        )
        .select(pl.lit(scheme).alias("scheme"), pl.lit(measure).alias("measure"), pl.all())
        for (scheme, measure), score in measures.items()
    ).sort("scheme", "measure", "score")


def klaviyo_segment(r: pl.Expr, f: pl.Expr, m: pl.Expr) -> pl.Expr:
    """Klaviyo's segment for scores from 1 to 3; null for null scores, an error for any other code."""
    code = r.cast(pl.Int32) * 100 + f.cast(pl.Int32) * 10 + m.cast(pl.Int32)
    names = {int(code): name for name, codes in KLAVIYO_SEGMENTS.items() for code in codes}
    return code.replace_strict(names, return_dtype=pl.String)


def shopify_segment(r5: pl.Expr, f5: pl.Expr, m5: pl.Expr) -> pl.Expr:
    """Shopify's segment name for quintile scores, on our grid of R and FM = (F + M) / 2."""
    fm = (f5.cast(pl.Int32) + m5.cast(pl.Int32)) / 2

    def by_fm(*steps: tuple[float, str], otherwise: str) -> pl.Expr:
        segment = pl.lit(otherwise)
        for at_least, name in reversed(steps):
            segment = pl.when(fm >= at_least).then(pl.lit(name)).otherwise(segment)
        return segment

    return (
        pl.when(r5 == 5)
        .then(by_fm((4, "CHAMPIONS"), (2.5, "ACTIVE"), otherwise="NEW"))
        .when(r5 == 4)
        .then(by_fm((4, "LOYAL"), (2.5, "ACTIVE"), otherwise="PROMISING"))
        .when(r5 == 3)
        .then(by_fm((4, "LOYAL"), (2, "NEEDS_ATTENTION"), otherwise="PROMISING"))
        .when(r5 <= 2)
        .then(
            by_fm(
                (4.5, "PREVIOUSLY_LOYAL"), (3, "AT_RISK"), (2, "ALMOST_LOST"), otherwise="DORMANT"
            )
        )
    )  # fmt: skip
