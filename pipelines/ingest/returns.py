"""Returns, each matched to the purchase it undoes where that can be told.

Each return looks back only: what comes later never changes how an earlier return was matched, so the past
stays as it was known. What a return means for revenue is `models.summary`'s and `orders`' business.
"""

from datetime import timedelta

import polars as pl

from data_contracts import MONEY, table
from pipelines.ingest.identity import with_customer_key, with_key_of_few
from pipelines.ingest.values import local_day
from pipelines.ingest.versions import winners
from pipelines.shop import Shop

LINE_CONTENT = ["product_id", "amount", "quantity", "returned_at", "refunded_at", "reason", "outcome"]


def returns(
    current: pl.LazyFrame, delivered: pl.LazyFrame, identities: pl.LazyFrame, shop: Shop
) -> pl.LazyFrame:
    """All returns in the shape of ``returns``.

    Parameters
    ----------
    current
        ``current_orders``: its returns are taken, its orders are what returns are matched to.
    delivered
        ``valid_returns`` with ``customer_numbers``: returns that came in files of their own.
    """
    everything = (
        pl.concat([_from_orders(current), _from_files(delivered)])
        .pipe(with_customer_key, identities, shop.identity)
        .with_columns(
            local_day(pl.col("returned_at"), shop.zone).alias("returned_day"),
            local_day(pl.col("refunded_at"), shop.zone).alias("refunded_day"),
        )
        .collect(engine="streaming")  # few beside the orders, and asked several times below
    )
    if everything.is_empty():
        return table("returns").empty().lazy()
    everything = everything.lazy()
    bought = (
        _perhaps_returned(current, everything)
        .collect(engine="streaming")
        .lazy()
        .pipe(with_key_of_few, identities, shop.identity)
        .select(
            pl.col("order_id").alias("_order"),
            pl.col("line_no").alias("_line"),
            pl.col("customer_key").alias("_buyer"),
            "product_id",
            pl.col("quantity").alias("_bought"),
            pl.col("net").alias("_paid"),
            pl.col("ordered_at").alias("_bought_at"),
            pl.col("order_day").alias("_bought_day"),
            (pl.col("kind") == "merchandise").alias("_is_merchandise"),
        )
    )
    by_line = _line_matches(everything, bought, timedelta(days=shop.returns.match_window_days))
    matches = pl.concat([by_line, _order_matches(everything, bought, by_line)])
    names_nobody = pl.col("customer_key").is_null() & pl.col("named_order").is_null()
    return (
        everything.join(
            matches.drop("returned_at").rename({"amount": "_paid_back"}), on="return_id", how="left"
        )
        .with_columns(
            # A report without amounts gave back what was paid; without a purchase nobody knows how much.
            pl.coalesce("amount", pl.when(pl.col("order_id").is_not_null()).then("_paid_back")).alias(
                "amount"
            ),
            pl.coalesce("customer_key", "_buyer").alias("customer_key"),
            pl.col("match_rule").fill_null(
                pl.when(names_nobody).then(pl.lit("no_customer")).otherwise(pl.lit("no_earlier_purchase"))
            ),
        )
        .select(table("returns").schema.keys())
        .sort("return_id")
    )


def _perhaps_returned(current: pl.LazyFrame, everything: pl.LazyFrame) -> pl.LazyFrame:
    """Keep bought lines that a return may mean: of a returned product, or of an order that a return names."""
    bought = current.filter((pl.col("record") == "order") & (pl.col("quantity") > 0))
    products = everything.select(pl.col("product_id").drop_nulls().unique())
    named = everything.select(pl.col("named_order").drop_nulls().unique().alias("order_id"))
    of_products = bought.join(products, on="product_id", how="semi")
    of_orders = bought.join(named, on="order_id", how="semi").join(products, on="product_id", how="anti")
    return pl.concat([of_products, of_orders])


def _from_orders(current: pl.LazyFrame) -> pl.LazyFrame:
    return current.filter(pl.col("record") == "return").select(
        pl.concat_str("order_id", pl.lit("-"), "line_no").alias("return_id"),
        pl.lit(None, pl.String).alias("named_order"),
        "customer_numbers",
        "customer_id",
        "email",
        "phone",
        "product_id",
        "kind",
        pl.col("quantity").abs().alias("quantity"),
        (-pl.col("net")).cast(MONEY).alias("amount"),
        pl.lit(None, pl.String).alias("reason"),
        pl.lit(None, pl.String).alias("outcome"),
        pl.col("ordered_at").alias("returned_at"),
        pl.lit(None, pl.Datetime("us", "UTC")).alias("refunded_at"),
    )


def _from_files(delivered: pl.LazyFrame) -> pl.LazyFrame:
    """Take the newest version of each delivered return, line by line."""
    unit = ["customer_numbers", "return_id"]
    return (
        delivered.join(winners(delivered, unit, "updated_at"), on=[*unit, "delivery_id"], how="semi")
        .sort(*unit, *LINE_CONTENT, nulls_last=True)
        .select(
            pl.concat_str("return_id", pl.lit("-"), pl.int_range(1, pl.len() + 1).over(unit)).alias(
                "return_id"
            ),
            pl.col("order_id").alias("named_order"),
            "customer_numbers",
            "customer_id",
            "email",
            "phone",
            "product_id",
            pl.lit("merchandise").alias("kind"),
            pl.col("quantity").fill_null(0),
            "amount",
            "reason",
            "outcome",
            "returned_at",
            "refunded_at",
        )
    )


def _line_matches(everything: pl.LazyFrame, bought: pl.LazyFrame, window: timedelta) -> pl.LazyFrame:
    """Match returns of a product to the order they name, else to the customer's best earlier purchase."""
    # By days: files often say on which day goods came back and not when.
    named = (
        everything.filter(pl.col("named_order").is_not_null())
        .join(bought.with_columns(pl.col("_order").alias("named_order")), on=["named_order", "product_id"])
        .filter(pl.col("_bought_day") <= pl.col("returned_day"))
    )
    guessed = (
        everything.filter(pl.col("named_order").is_null() & pl.col("customer_key").is_not_null())
        .join(bought.with_columns(pl.col("_buyer").alias("customer_key")), on=["customer_key", "product_id"])
        .filter(pl.col("_bought_at").is_between(pl.col("returned_at") - window, "returned_at"))
    )
    chosen = (
        pl.concat([named.select(_CANDIDATE), guessed.select(_CANDIDATE)])
        .filter(pl.col("_bought") >= pl.col("quantity"))
        .with_columns(
            (pl.col("_bought") == pl.col("quantity")).alias("_is_same"),
            pl.coalesce("amount", _share_of_paid()).alias("amount"),
        )
        .sort(
            "return_id",
            "_is_same",
            "_bought_at",
            "_order",
            "_line",
            descending=[False, True, True, True, False],
        )
        .unique("return_id", keep="first", maintain_order=True)
    )
    fits = (_so_far("quantity", "_order", "_line") <= pl.col("_bought")) & (
        _so_far("amount", "_order", "_line") <= pl.col("_paid")
    )
    rule = (
        pl.when(pl.col("named_order").is_not_null())
        .then(pl.lit("by_order_id"))
        .when("_is_same")
        .then(pl.lit("same_quantity"))
        .otherwise(pl.lit("latest_purchase"))
    )
    return chosen.pipe(_decide, fits, rule)


def _order_matches(everything: pl.LazyFrame, bought: pl.LazyFrame, by_line: pl.LazyFrame) -> pl.LazyFrame:
    """Amounts that name an order and no product: the order as a whole, up to what was paid for its goods."""
    orders = (
        bought.filter("_is_merchandise")
        .group_by("_order")
        .agg(
            pl.col("_paid").sum().cast(MONEY),
            pl.col("_buyer").drop_nulls().min(),
            pl.col("_bought_day").min(),
        )
    )
    amounts = (
        everything.filter(pl.col("named_order").is_not_null() & pl.col("product_id").is_null())
        .join(orders.with_columns(pl.col("_order").alias("named_order")), on="named_order")
        .filter(pl.col("_bought_day") <= pl.col("returned_day"))
        .select(
            "return_id", "amount", "returned_at", "_order", "_buyer", "_paid", pl.lit(True).alias("_asks")
        )
    )
    taken = by_line.filter(pl.col("order_id").is_not_null()).select(
        "return_id", "amount", "returned_at", pl.col("order_id").alias("_order"), pl.lit(False).alias("_asks")
    )
    return (
        pl.concat([amounts, taken], how="diagonal")
        .with_columns((_so_far("amount", "_order") <= pl.col("_paid")).alias("_fits"))
        .filter("_asks")
        .with_columns(pl.lit(None, pl.Int32).alias("_line"))
        .pipe(_decide, pl.col("_fits"), pl.lit("by_order_id"))
    )


def _share_of_paid() -> pl.Expr:
    """What was paid for the returned pieces: exact to ten places, rounded once to four."""
    exact, whole = pl.Decimal(38, 10), pl.Decimal(38, 0)
    paid = pl.col("_paid").cast(exact) * pl.col("quantity").cast(whole)
    return (paid / pl.col("_bought").cast(whole)).cast(MONEY)


def _so_far(what: str, *of: str) -> pl.Expr:
    """Add up what returns have taken back, in time: later ones never count against earlier ones."""
    return pl.col(what).cum_sum().over(of, order_by=["returned_at", "return_id"])


def _decide(candidates: pl.LazyFrame, fits: pl.Expr, rule: pl.Expr) -> pl.LazyFrame:
    """Keep a match that fits; one that takes back more than was bought or paid stays unmatched."""
    return candidates.with_columns(fits.alias("_fits")).select(
        "return_id",
        "amount",
        "returned_at",
        pl.when("_fits").then("_order").alias("order_id"),
        pl.when("_fits").then("_line").alias("line_no"),
        pl.when("_fits").then("_buyer").alias("_buyer"),
        pl.when("_fits").then(rule).otherwise(pl.lit("more_than_bought")).alias("match_rule"),
    )


_CANDIDATE = [
    "return_id",
    "named_order",
    "quantity",
    "amount",
    "returned_at",
    "_order",
    "_line",
    "_buyer",
    "_bought",
    "_paid",
    "_bought_at",
]
