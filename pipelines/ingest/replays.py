"""Which delivered rows came before: exact repetition only.

What a changed row means is `versions`' business.
"""

import polars as pl

UNITS = {"orders": "order_id", "returns": "return_id"}
"""Tables whose rows belong together: a change to one line is a change of the whole order or return."""


def mark(rows: pl.LazyFrame, earlier: pl.LazyFrame, content: list[str], unit: str | None) -> pl.DataFrame:
    """Mark every row of a delivery: row_number, ``is_replay``, and ``is_kept`` where it says something new.

    Both frames have the shape of a raw table. They are compared by 64-bit hashes of their contents, so that memory
    holds a few numbers a row and not the rows.
    """
    units = [unit] if unit else []

    def slim(frame: pl.LazyFrame) -> pl.LazyFrame:
        return frame.select(
            "delivery_id",
            "row_number",
            "is_replay",
            *(pl.col(name).hash() for name in units),
            pl.struct(content).hash().alias("_row"),
        )

    delivered = slim(rows).drop("delivery_id", "is_replay").collect(engine="streaming").sort("row_number")
    before = slim(earlier)
    if unit:  # a small delivery is compared with its own orders only
        before = before.join(delivered.lazy().select(unit).unique(), on=unit, how="semi")
    known = before.drop("row_number").collect(engine="streaming").lazy()
    marked = mark_replays(delivered.lazy(), known, ["_row"])
    left = without_pure_replays(marked, known, ["_row"], unit)
    return (
        marked.join(left.select("row_number", pl.lit(True).alias("is_kept")), on="row_number", how="left")
        .select("row_number", "is_replay", pl.col("is_kept").fill_null(False))
        .collect()
    )


def mark_replays(delivered: pl.LazyFrame, earlier: pl.LazyFrame, content: list[str]) -> pl.LazyFrame:
    """Add ``is_replay``: the same content, and the same nth occurrence of it, stands in an earlier delivery.

    Two equal lines of one file are two lines; a file that brings them again replays both, a third one is new.

    Parameters
    ----------
    delivered
        Rows of one delivery.
    earlier
        Rows of earlier deliveries, marked themselves.
    content
        The columns that make up a row's content.
    """
    fingerprint = _content(content)
    # A delivery adds unmarked only what goes beyond all before it: unmarked rows add up to the most so far.
    before = earlier.filter(~pl.col("is_replay")).group_by(fingerprint).len("_times")
    return (
        delivered.with_columns(fingerprint)
        .with_columns(pl.int_range(1, pl.len() + 1).over("_content").alias("_occurrence"))
        .join(before, on="_content", how="left", maintain_order="left")
        .with_columns((pl.col("_occurrence") <= pl.col("_times").fill_null(0)).alias("is_replay"))
        .drop("_content", "_occurrence", "_times")
    )


def without_pure_replays(
    marked: pl.LazyFrame, earlier: pl.LazyFrame, content: list[str], unit: str | None
) -> pl.LazyFrame:
    """Drop what says nothing new: replays, or whole orders and returns that one earlier delivery brought.

    An order of which every line came before, but not all in one delivery, is a version of its own.

    Parameters
    ----------
    earlier
        Rows of earlier deliveries with ``delivery_id``.
    unit
        Column whose equal values belong together; see `UNITS`.
    """
    if unit is None:
        return marked.filter(~pl.col("is_replay"))
    lines = marked.group_by(_content(content), unit).len("_lines")
    before = earlier.group_by("delivery_id", _content(content)).len("_before")
    repeated = (
        lines.join(before, on="_content")
        .group_by("delivery_id", unit)
        .agg(pl.min_horizontal("_lines", "_before").sum().alias("_found"))
        .join(lines.group_by(unit).agg(pl.col("_lines").sum()), on=unit, nulls_equal=True)
        .filter(pl.col("_found") == pl.col("_lines"))
    )
    return marked.join(
        repeated.select(unit).unique(), on=unit, how="anti", nulls_equal=True, maintain_order="left"
    )


def _content(content: list[str]) -> pl.Expr:
    return pl.struct(content).hash().alias("_content")
