"""conform: promised columns in promised order and type, or a message that says which are wrong."""

import polars as pl
import pytest

from data_contracts import ContractError, conform, table

FAULTS = table("orders_faults")
ROW = {"rule": "r", "severity": "warning", "row_number": 3, "delivery_id": "d"}


def test_columns_come_in_stored_order_and_type() -> None:
    frame = pl.LazyFrame([ROW], schema_overrides={"row_number": pl.UInt32})
    conformed = conform(frame, FAULTS).collect()
    assert conformed.schema == pl.Schema(FAULTS.schema)
    assert conformed.row(0, named=True) == ROW


def test_what_is_missing_and_what_is_unknown_is_named_with_the_file_to_mend() -> None:
    frame = pl.LazyFrame([ROW]).drop("rule", "severity").with_columns(pl.lit(1).alias("extra"))
    with pytest.raises(
        ContractError,
        match=r"orders_faults: missing columns: rule, severity; "
        r"columns the dictionary does not know: extra.*orders_faults\.toml",
    ):
        conform(frame, FAULTS)


def test_a_value_that_does_not_fit_is_an_error_and_never_null() -> None:
    frame = pl.LazyFrame([ROW]).with_columns(pl.lit("three").alias("row_number"))
    with pytest.raises(pl.exceptions.InvalidOperationError):
        conform(frame, FAULTS).collect()
