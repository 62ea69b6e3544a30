"""The text that stands for a typed value of a Parquet file, and reads back to the same value.

A whole number in a column of floats loses its ".0": customer numbers become floats wherever one is missing. Structures
become dotted columns and lists JSON, as in `flat_json`. Reading the file is the business of `parquet`.
"""

import json
from collections.abc import Iterator
from typing import cast

import polars as pl
from polars.datatypes import DataTypeClass

EXACT_FLOATS = 2.0**53
"""Up to here every whole number is a float of its own."""
INSIDE = "x"
"""Name of a list while it is written as JSON."""


def as_texts(name: str, dtype: pl.DataType) -> Iterator[tuple[str, pl.Expr]]:
    """Give the columns of text that a column becomes: one, or one for each field of a structure."""
    yield from _texts(name, pl.col(name), dtype)


def _texts(name: str, value: pl.Expr, dtype: pl.DataType) -> Iterator[tuple[str, pl.Expr]]:
    if isinstance(dtype, pl.Struct) and dtype.fields:
        for field in dtype.fields:
            inner = value.struct.field(field.name)
            yield from _texts(f"{name}.{field.name}", inner, _instance(field.dtype))
    else:
        yield name, _text(value, dtype)


def _text(value: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if dtype.is_float():
        is_whole = (value == value.round()) & (value.abs() < EXACT_FLOATS)
        whole = value.cast(pl.Int64, strict=False).cast(pl.String)
        return pl.when(is_whole).then(whole).otherwise(value.cast(pl.String))
    if isinstance(dtype, pl.Duration):
        return value.dt.to_string("iso")
    if isinstance(dtype, pl.Binary):
        return value.map_batches(_decoded, return_dtype=pl.String, is_elementwise=True)
    if isinstance(dtype, pl.List | pl.Array | pl.Struct):
        if _holds_bytes(dtype):
            return value.map_batches(_as_json, return_dtype=pl.String, is_elementwise=True)
        written = pl.struct(value.alias(INSIDE)).struct.json_encode()
        inside = written.str.strip_prefix(f'{{"{INSIDE}":').str.strip_suffix("}")
        return pl.when(value.is_not_null()).then(inside)
    return value.cast(pl.String)


def _decoded(column: pl.Series) -> pl.Series:
    """Read bytes as the text they are, or as hexadecimal digits where they are none."""
    try:
        return column.cast(pl.String)
    except pl.exceptions.ComputeError:
        return pl.Series(column.name, [_text_or_digits(value) for value in column], pl.String)


def _text_or_digits(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return value.hex() if value is not None else None


def _holds_bytes(dtype: pl.DataType) -> bool:
    if isinstance(dtype, pl.Struct):
        return any(_holds_bytes(_instance(field.dtype)) for field in dtype.fields)
    if isinstance(dtype, pl.List | pl.Array):
        return _holds_bytes(_instance(dtype.inner))
    return isinstance(dtype, pl.Binary)


def _instance(dtype: pl.DataType | DataTypeClass) -> pl.DataType:
    return dtype if isinstance(dtype, pl.DataType) else cast(pl.DataType, dtype())


def _as_json(column: pl.Series) -> pl.Series:
    """Write nested values as JSON one by one: Polars cannot where there are bytes in them."""
    texts = [None if value is None else _json(value) for value in column.to_list()]
    return pl.Series(column.name, texts, pl.String)


def _json(value: object) -> str:
    return json.dumps(value, default=_plain, ensure_ascii=False, separators=(",", ":"))


def _plain(value: object) -> str | None:
    return _text_or_digits(value) if isinstance(value, bytes) else str(value)
