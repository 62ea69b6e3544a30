"""The flags that contracts look at beside the delivered columns: what GX cannot ask of one plain column.

Each flag is true where all is well. The rules that expect them stand in data_contracts/suites.
"""

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.shop import Shop

LARGEST_VALUE = 1e10
"""No line of a shop is worth more, in any currency: a larger one is a slip that sums could not hold."""
SCORE_SCALES = {"nps": (0, 10), "csat": (1, 5), "product": (1, 5)}


def matches(column: str, pattern: str | None) -> pl.Expr:
    """Whether a text column matches a shop's regular expression; false where the shop gives none."""
    return pl.lit(False) if pattern is None else pl.col(column).str.contains(pattern).fill_null(False)


def with_flags(rows: pl.LazyFrame, table: str, shop: Shop) -> pl.LazyFrame:
    """Add the flags of ``table`` to typed rows."""
    return rows.with_columns(*_clock_flags(table), *_flags(table, shop))


def _clock_flags(table: str) -> list[pl.Expr]:
    moments = [column.name for column in delivered_columns(table) if column.kind == "moment"]
    return [
        flag
        for name in moments
        for flag in (
            pl.col(f"{name}__time").ne_missing("skipped").alias(f"{name}__exists"),
            pl.col(f"{name}__time").ne_missing("twice").alias(f"{name}__is_single"),
        )
    ]


def _flags(table: str, shop: Shop) -> list[pl.Expr]:
    match table:
        case "orders":
            return _order_flags(shop)
        case "returns":
            return [_value_fits(pl.col("quantity"), pl.col("amount"))]
        case "survey_answers":
            fits = [
                (pl.col("kind") == kind) & ~pl.col("score").is_between(low, high)
                for kind, (low, high) in SCORE_SCALES.items()
            ]
            return [_customer_is_named(), (~pl.any_horizontal(fits)).fill_null(True).alias("score_fits")]
        case "survey_invitations" | "consents" | "suppressions":
            return [_customer_is_named()]
        case _:
            return []


def _customer_is_named() -> pl.Expr:
    return pl.any_horizontal(pl.col("customer_id", "email").is_not_null()).alias("customer_is_named")


def _value_fits(*values: pl.Expr) -> pl.Expr:
    within = [value.cast(pl.Float64).abs() <= LARGEST_VALUE for value in values]
    return pl.all_horizontal(flag.fill_null(True) for flag in within).alias("value_fits")


def _order_flags(shop: Shop) -> list[pl.Expr]:
    is_return = matches("order_id", shop.orders.return_order_ids)
    is_adjustment = matches("order_id", shop.orders.adjustment_order_ids)
    content = [column.name for column in delivered_columns("orders")]
    return [
        _customer_is_named(),
        (~is_return | (pl.col("quantity") < 0)).fill_null(True).alias("return_takes_back"),
        (is_adjustment | (pl.col("unit_price") >= 0)).fill_null(True).alias("price_fits"),
        (is_adjustment | (pl.col("unit_price") > 0)).fill_null(True).alias("price_is_above_zero"),
        (is_return | is_adjustment | (pl.col("quantity") > 0))
        .fill_null(True)
        .alias("quantity_is_above_zero"),
        pl.col("currency").fill_null(shop.currency).eq(shop.currency).alias("currency_fits"),
        _value_fits(
            pl.col("quantity") * pl.col("unit_price").cast(pl.Float64), pl.col("quantity"), pl.col("discount")
        ),
        (pl.int_range(pl.len()).over(pl.struct("delivery_id", *content).hash()) == 0).alias("line_is_single"),
    ]
