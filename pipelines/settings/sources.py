"""Where deliveries come from, how their files are written, and when one is broken as a whole.

Reading them is `pipelines.sources`' business.
"""

import codecs
from typing import Literal

from pydantic import Field, field_validator, model_validator

from data_contracts import table_names
from pipelines.settings.base import Settings, check_timezone


class Layout(Settings):
    """How a file is written; what is not said is found out from each file.

    Attributes
    ----------
    encoding
        Of text files: a Python codec name.
    separator
        Of text files: one character.
    skip_rows
        Lines before the header; found out where not said.
    header_rows
        2 where a second row goes on with the names (a question above, its answers below).
    sheet
        Of workbooks; the first by default.
    dates
        How to read 03/04/2026.
    decimal
        What parts whole numbers from fractions.
    """

    encoding: str | None = None
    separator: str | None = Field(default=None, min_length=1, max_length=1)
    skip_rows: int | None = Field(default=None, ge=0)
    header_rows: Literal[1, 2] | None = None
    sheet: str | None = None
    dates: Literal["day first", "month first"] | None = None
    decimal: Literal[".", ","] | None = None

    @field_validator("encoding")
    @classmethod
    def _is_a_codec(cls, value: str | None) -> str | None:
        try:
            return value if value is None else codecs.lookup(value).name
        except LookupError as error:
            raise ValueError(f"{value!r} is not an encoding such as utf-8 or windows-1252") from error


class Database(Settings):
    """Where a source's rows stand in a database.

    Attributes
    ----------
    address_from
        Name of the environment variable that holds the address; addresses hold passwords.
    table
        A table or view; or else a query.
    query
        One SELECT.
    updated_at
        A column that grows with every change: only what changed since the last time is fetched.
    overlap_hours
        How far before the last time to fetch again: a long transaction shows up late under an earlier time.
    """

    address_from: str
    table: str | None = None
    query: str | None = None
    updated_at: str | None = None
    overlap_hours: float = Field(default=1.0, ge=0)

    @model_validator(mode="after")
    def _names_one(self) -> "Database":
        if (self.table is None) == (self.query is None):
            raise ValueError("give either table or query")
        return self


class Source(Settings):
    """One stream of deliveries for one table.

    Attributes
    ----------
    name
        Short name, part of every delivery's id.
    table
        The delivered table, such as orders.
    format
        How its files are written: csv, xlsx, json, parquet, postgres, or a system's export such as shopify_orders.
    path
        File, folder or glob, relative to shop.toml.
    database
        In place of ``path`` for the format ``postgres``.
    columns
        Canonical column -> the file's column; goes before what the format knows by itself.
    values
        Canonical column -> the same text for every row.
    split_by
        A column of the file whose values, in the order they appear, are deliveries of their own.
    customer_numbers
        Whose numbers ``customer_id`` holds: the same number in two sources is the same customer only where both say
        the same here. Not said, a second source of orders has numbers of its own, and every other source those of the
        first.
    order_numbers
        The same of ``order_id`` and orders.
    timezone
        Of times without an offset; the shop's by default.
    layout
        How the files are written.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    table: str
    format: str
    path: str | None = None
    database: Database | None = None
    columns: dict[str, str] = Field(default={})
    values: dict[str, str] = Field(default={})
    split_by: str | None = None
    customer_numbers: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    order_numbers: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    timezone: str | None = None
    layout: Layout = Layout()

    @field_validator("table")
    @classmethod
    def _is_delivered(cls, value: str) -> str:
        known = [name.removeprefix("valid_") for name in table_names() if name.startswith("valid_")]
        if value not in known:
            raise ValueError(f"there is no delivered table {value!r}; there are {', '.join(known)}")
        return value

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str | None) -> str | None:
        return value if value is None else check_timezone(value)

    @model_validator(mode="after")
    def _lies_somewhere(self) -> "Source":
        if (self.path is None) == (self.database is None):
            raise ValueError(f"source {self.name}: give either path or database")
        if (self.format == "postgres") != (self.database is not None):
            raise ValueError(f"source {self.name}: format postgres and database go together")
        return self


class Contracts(Settings):
    """When a delivery is broken rather than a row.

    Attributes
    ----------
    block_share
        A critical rule that fails on more than this share of a delivery's rows sets all of it aside.
    """

    block_share: float = Field(default=0.2, gt=0, le=1)
