"""The flags that contracts look at beside the delivered columns: what GX cannot ask of one plain column.

Each flag is true where all is well. The rules that expect them stand in data_contracts/suites.
"""

from datetime import timedelta

import polars as pl

from data_contracts.dictionary import delivered_columns
from pipelines.ingest.currency import AMOUNTS, day_of, with_rate
from pipelines.ingest.order_rules import is_known_status, kind
from pipelines.ingest.patterns import matches
from pipelines.shop import Shop

LARGEST_VALUE = 1e10
"""No line of a shop is worth more, in any currency: a larger one is a slip that sums could not hold."""
SCORE_SCALES = {"nps": (0, 10), "csat": (1, 5), "product": (1, 5)}
AHEAD = timedelta(days=1)
"""How far clocks and timezones may put a time before the delivery that brings it."""
CUSTOMER_CELLS = ("customer_id", "email", "phone")
FRIEND_CELLS = ("friend_customer_id", "friend_email", "friend_phone")
COST_FIGURE = ("day", "kind", "order_id", "product_id", "campaign")
"""What makes two costs without numbers the same figure."""


def with_flags(rows: pl.LazyFrame, table: str, shop: Shop, rates: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Add the flags of ``table`` to typed rows.

    Parameters
    ----------
    rates
        ``valid_rates``, where amounts may be in other currencies; None where no source delivers any.
    """
    columns = delivered_columns(table)
    names = {column.name for column in columns}
    flags = [*_clock_flags(table), *_flags(table, shop)]
    if set(CUSTOMER_CELLS) <= names:
        flags.append(_is_named(CUSTOMER_CELLS, "customer_is_named"))
    if table not in AMOUNTS:
        return rows.with_columns(flags)
    return (
        rows.pipe(with_rate, day_of(table, shop), shop, rates)
        .with_columns(
            *flags,
            pl.col("_rate").is_not_null().alias("currency_is_known"),
            _value_fits(*_values(table)),
        )
        .drop("_rate")
    )


def with_single_lines(rows: pl.LazyFrame, raw: pl.LazyFrame) -> pl.LazyFrame:
    """Add ``line_is_single``: false where the same line stands in its delivery before.

    Parameters
    ----------
    rows
        Any rows of a raw table with ``delivery_id`` and ``row_number``.
    raw
        All rows as delivered. They are read here and now, as three numbers each: within one long query the engine
        would hold every column of every row.
    """
    content = [column.name for column in delivered_columns("orders")]
    named = raw.select("delivery_id", "row_number", pl.struct("delivery_id", *content).hash().alias("_line"))
    repeated = (
        named.collect(engine="streaming")
        .lazy()
        .sort("row_number")
        .filter(~pl.col("_line").is_first_distinct())
        .select("delivery_id", "row_number", pl.lit(False).alias("line_is_single"))
        .collect()
    )
    if repeated.is_empty():
        return rows.with_columns(pl.lit(True).alias("line_is_single"))
    return rows.join(repeated.lazy(), on=["delivery_id", "row_number"], how="left").with_columns(
        pl.col("line_is_single").fill_null(True)
    )


def _clock_flags(table: str) -> list[pl.Expr]:
    columns = delivered_columns(table)
    moments = [column.name for column in columns if column.kind == "moment"]
    latest = pl.col("received_at") + AHEAD
    return [
        *(
            flag
            for name in moments
            for flag in (
                pl.col(f"{name}__time").ne_missing("skipped").alias(f"{name}__exists"),
                pl.col(f"{name}__time").ne_missing("twice").alias(f"{name}__is_single"),
            )
        ),
        *(
            (pl.col(column.name).cast(pl.Datetime("us", "UTC")) <= latest)
            .fill_null(True)
            .alias(f"{column.name}_is_past")
            for column in columns
            if column.kind in ("moment", "day")
        ),
    ]


def _flags(table: str, shop: Shop) -> list[pl.Expr]:
    match table:
        case "orders":
            return _order_flags(shop)
        case "returns":
            has_goods = pl.col("product_id").is_not_null() & (pl.col("quantity") > 0).fill_null(False)
            return [(pl.col("amount").is_not_null() | has_goods).alias("amount_or_goods_are_given")]
        case "survey_answers":
            fits = [
                (pl.col("kind") == kind) & ~pl.col("score").is_between(low, high)
                for kind, (low, high) in SCORE_SCALES.items()
            ]
            return [(~pl.any_horizontal(fits)).fill_null(True).alias("score_fits")]
        case "shipments":
            return [_follows("delivered_at", "shipped_at", "arrives_after_it_left")]
        case "tickets":
            return [_follows("closed_at", "opened_at", "closes_after_it_opened")]
        case "messages":
            return [_follows("opened_at", "sent_at", "opens_after_it_was_sent")]
        case "loyalty_ledger":
            return [_value_fits(pl.col("points"))]
        case "referrals":
            is_oneself = [
                pl.col(mine).str.to_lowercase() == pl.col(theirs).str.to_lowercase()
                for mine, theirs in zip(CUSTOMER_CELLS, FRIEND_CELLS, strict=True)
            ]
            return [
                _is_named(FRIEND_CELLS, "friend_is_named"),
                (~pl.any_horizontal(is_oneself)).fill_null(True).alias("friend_is_another"),
            ]
        case "costs":
            is_only = pl.len().over("delivery_id", *COST_FIGURE, pl.col("cost_id").is_null()) == 1
            return [(pl.col("cost_id").is_not_null() | is_only).alias("cost_is_single")]
        case _:
            return []


def _is_named(cells: tuple[str, ...], flag: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(cells).is_not_null()).alias(flag)


def _follows(later: str, earlier: str, flag: str) -> pl.Expr:
    """By days: many sources say on which day something happened and not when."""
    return (pl.col(later).dt.date() >= pl.col(earlier).dt.date()).fill_null(True).alias(flag)


def _value_fits(*values: pl.Expr) -> pl.Expr:
    within = [value.cast(pl.Float64).abs() <= LARGEST_VALUE for value in values]
    return pl.all_horizontal(flag.fill_null(True) for flag in within).alias("value_fits")


def _values(table: str) -> list[pl.Expr]:
    """What must fit the columns of the facts: pieces and amounts as delivered, and amounts as converted."""
    amounts = [pl.col(name).cast(pl.Float64) for name in AMOUNTS[table]]
    pieces = [pl.col("quantity")] if table in ("orders", "returns") else []
    if table == "orders":
        amounts.append(pl.col("quantity") * pl.col("unit_price").cast(pl.Float64))
    rate = pl.max_horizontal(pl.col("_rate").cast(pl.Float64), 1.0)
    return [*pieces, *(amount * rate for amount in amounts)]


def _order_flags(shop: Shop) -> list[pl.Expr]:
    is_return = matches("order_id", shop.orders.return_order_ids)
    is_adjustment = matches("order_id", shop.orders.adjustment_order_ids)
    is_goods = kind(shop.orders) == "merchandise"
    value = pl.col("quantity") * pl.col("unit_price").cast(pl.Float64)
    return [
        (~is_return | (pl.col("quantity") < 0)).fill_null(True).alias("return_takes_back"),
        # A voucher or a fee may be below 0; goods may not.
        (is_adjustment | ~is_goods | (pl.col("unit_price") >= 0)).fill_null(True).alias("price_fits"),
        is_known_status(shop).alias("status_is_known"),
        (value.abs() >= pl.col("discount").cast(pl.Float64).abs()).fill_null(True).alias("discount_fits"),
        (is_adjustment | (pl.col("unit_price") > 0)).fill_null(True).alias("price_is_above_zero"),
        (is_return | is_adjustment | (pl.col("quantity") > 0))
        .fill_null(True)
        .alias("quantity_is_above_zero"),
    ]
