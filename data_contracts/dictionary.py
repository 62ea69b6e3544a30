"""The column dictionary: what each table holds, one row per what, and how private each column is.

One TOML file a table under ``dictionary/``. Casts before writing, ``lab.describe()``, the table pages,
erasure and least-data downloads all read it, so that a column is described in one place only. What a table's
*rows* must fulfil stands in ``suites/``; moving or computing data belongs to ``pipelines`` and ``models``.
"""

import hashlib
import json
import tomllib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache
from importlib.resources import files

import polars as pl

from data_contracts.errors import ContractError

MONEY = pl.Decimal(18, 4)

POLARS_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "flag": pl.Boolean(),
    "count": pl.Int64(),
    "small_count": pl.Int32(),
    "number": pl.Float64(),
    "money": MONEY,
    "day": pl.Date(),
    "moment": pl.Datetime("us", "UTC"),
}


ROW_SHAPES = ("faults", "quarantine")
"""Tables of one shape that every delivered table has: orders_faults, returns_quarantine ..."""

DELIVERY_COLUMNS = ("delivery_id", "row_number", "is_replay", "received_at", "delivered_through")
"""Columns that landing adds to what a file delivers."""


READING_FAULT = "reading_fault"
"""Column of raw tables in which a reader says what is wrong with a row as a whole."""


class Privacy(StrEnum):
    """How closely a column points at a person."""

    NONE = "none"
    PSEUDONYM = "pseudonym"
    """Points at one person only for who holds the shop's key."""
    PERSONAL = "personal"
    """Says something about one person: behaviour, score, address part."""
    IDENTIFIER = "identifier"
    """Names or reaches a person: e-mail, phone, the source's own customer number."""
    FREE_TEXT = "free_text"
    """May hold anything that a person wrote or a file delivered."""


class Layer(StrEnum):
    """Where in the way of the data a table stands."""

    DELIVERED = "delivered"
    FACT = "fact"
    MEASURE = "measure"
    PREDICTION = "prediction"
    SEGMENT = "segment"
    LIST = "list"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Column:
    """One column's promise.

    Attributes
    ----------
    name, kind, meaning, unit
        ``kind`` is a key of `POLARS_TYPES`; ``unit`` is empty where there is none.
    privacy
        Drives erasure, export of one person and what a download may hold.
    required
        A delivered file must bring it (delivered tables only).
    """

    name: str
    kind: str
    meaning: str
    unit: str
    privacy: Privacy
    required: bool

    @property
    def dtype(self) -> pl.DataType:
        """The column's Polars type."""
        return POLARS_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Table:
    """One table's promise: one row per ``grain``, these columns in this order."""

    name: str
    grain: str
    meaning: str
    layer: Layer
    key: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def schema(self) -> dict[str, pl.DataType]:
        """Column names and Polars types, in stored order."""
        return {column.name: column.dtype for column in self.columns}

    @property
    def is_kept_by_as_of(self) -> bool:
        """Whether the table holds one set of rows for each as_of."""
        return "as_of" in self.key

    @property
    def version(self) -> str:
        """Checksum of what the rows are: grain, key, names and types of the columns, not their descriptions."""
        shape = [self.grain, self.key, [(column.name, column.kind, column.unit) for column in self.columns]]
        return hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:12]

    def columns_of(self, *classes: Privacy) -> tuple[str, ...]:
        """Names of the columns in these privacy classes."""
        return tuple(column.name for column in self.columns if column.privacy in classes)

    def empty(self) -> pl.DataFrame:
        """Give a frame of no rows with the promised columns."""
        return pl.DataFrame(schema=self.schema)


@cache
def table(name: str) -> Table:
    """Look one table up.

    Raises
    ------
    ContractError
        There is no such table; the message names the near ones.
    """
    known = table_names()
    for shape in ROW_SHAPES:
        if name.endswith(f"_{shape}") and f"valid_{name.removesuffix(f'_{shape}')}" in known:
            return parse_table(name, _text(shape))
    if name.startswith("raw_") and f"valid_{name.removeprefix('raw_')}" in known:
        return _raw(name.removeprefix("raw_"))
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else f"Known tables: {', '.join(known)}."
        raise ContractError(f"There is no table {name!r} in the dictionary. {hint}")
    return parse_table(name, _text(name))


def delivered_columns(name: str) -> tuple[Column, ...]:
    """Give the columns that files of the delivered table ``name`` may bring."""
    return tuple(column for column in table(f"valid_{name}").columns if column.name not in DELIVERY_COLUMNS)


def reach_of(name: str) -> Column:
    """Give the column whose latest value says how far a delivery of the table ``name`` reaches.

    The moment or day that every row must have; of tables without one the first moment, which may be null.
    """
    told = [column for column in delivered_columns(name) if column.kind in ("moment", "day")]
    needed = [column for column in told if column.required]
    return (needed or [column for column in told if column.kind == "moment"])[0]


def _raw(delivered: str) -> Table:
    """Rows as delivered: the valid table's columns, each still the text that the file held."""
    promised = table(f"valid_{delivered}")
    columns = tuple(
        column if column.name in DELIVERY_COLUMNS else replace(column, kind="text")
        for column in promised.columns
    )
    fault = Column(
        READING_FAULT,
        "text",
        "Why the row could not be read as a whole, with its text; null where it could.",
        "",
        Privacy.FREE_TEXT,
        required=False,
    )
    return replace(
        promised,
        name=f"raw_{delivered}",
        grain="delivered row that no earlier delivery brought",
        meaning="Rows as delivered, every value as text; only exact replays are left out.",
        columns=(*columns, fault),
    )


def _text(name: str) -> str:
    return files("data_contracts").joinpath("dictionary", f"{name}.toml").read_text(encoding="utf-8")


@cache
def table_names() -> tuple[str, ...]:
    """Every table with a dictionary file of its own, sorted by name.

    raw_*, *_faults and *_quarantine are derived from these and not listed.
    """
    folder = files("data_contracts").joinpath("dictionary")
    names = (f.name.removesuffix(".toml") for f in folder.iterdir() if f.name.endswith(".toml"))
    return tuple(sorted(name for name in names if name not in ROW_SHAPES))


def parse_table(name: str, text: str) -> Table:
    """Read one dictionary file's text.

    Raises
    ------
    ContractError
        The file is not TOML or lacks something; a column has an unknown type or privacy class, or no meaning.
    """
    where = f"dictionary/{name}.toml"
    try:
        entry = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContractError(f"{where} is not valid TOML: {error}.") from error
    if lacking := [word for word in ("grain", "meaning", "layer", "key") if word not in entry]:
        raise ContractError(f"{where} lacks {', '.join(lacking)}.")
    if entry["layer"] not in list(Layer):
        raise ContractError(f"{where}: layer must be one of {', '.join(Layer)}.")
    columns = tuple(
        _parse_column(name, column, promise) for column, promise in entry.get("columns", {}).items()
    )
    known = {column.name for column in columns}
    key = tuple(entry["key"])
    if missing := [column for column in key if column not in known]:
        raise ContractError(f"{where}: key columns {missing} are not among the columns.")
    return Table(name, entry["grain"], entry["meaning"], Layer(entry["layer"]), key, columns)


def _parse_column(table_name: str, name: str, promise: dict[str, str | bool]) -> Column:
    kind, meaning = str(promise.get("type", "")), str(promise.get("meaning", ""))
    if kind not in POLARS_TYPES:
        raise ContractError(
            f"dictionary/{table_name}.toml, column {name}: type {kind!r} is not one of "
            f"{', '.join(POLARS_TYPES)}."
        )
    if not meaning:
        raise ContractError(f"dictionary/{table_name}.toml, column {name}: every column needs a meaning.")
    try:
        privacy = Privacy(str(promise.get("privacy", "none")))
    except ValueError as error:
        raise ContractError(
            f"dictionary/{table_name}.toml, column {name}: privacy must be one of {', '.join(Privacy)}."
        ) from error
    return Column(name, kind, meaning, str(promise.get("unit", "")), privacy, bool(promise.get("required")))
