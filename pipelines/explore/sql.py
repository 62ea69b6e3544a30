"""SQL over a finished run's tables: DuckDB reads their files where they lie, and nothing else.

Only the tables that a query names are opened, and of one that keeps several days the newest day's files unless all are
asked for, so that a table of any size is read no further than the query needs. A list's rule is another thing: it is
one expression, see `pipelines.delivery.rules`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import polars as pl

from data_contracts import Table, table, table_names
from pipelines.errors import LabError
from pipelines.explore.table_files import table_files

if TYPE_CHECKING:
    import duckdb

    from pipelines.explore.opened import Opened

ALL_DAYS: Final = "_all_days"
SQL_TYPES: Final = {
    "text": "VARCHAR", "flag": "BOOLEAN", "count": "BIGINT", "small_count": "INTEGER", "number": "DOUBLE",
    "money": "DECIMAL(18, 4)", "day": "DATE", "moment": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip
_WORD: Final = re.compile(r"[a-z_][a-z0-9_]*")
_NO_COLUMN: Final = re.compile(r'column "([^"]+)"', re.IGNORECASE)
_NO_TABLE: Final = re.compile(r"table with name (\S+) does not exist", re.IGNORECASE)


class QueryError(LabError):
    """A query that cannot be asked; the message says why and suggests names."""


def asked(lab: Opened, query: str) -> pl.DataFrame:
    """Ask one SELECT; see `pipelines.lab.Lab.sql`.

    Raises
    ------
    QueryError
        It is no single SELECT, names a table or column that is not there, or fails while it runs.
    """
    with _connected() as connection:
        _check(connection, query)
        files = {name: _files(lab, name) for name in _tables_named(query) if _is_there(lab, name)}
        # Paths are allowed before the door is shut: a query may name a file, too.
        connection.execute(
            "SET allowed_paths = ?", [[file for found in files.values() for file in found or []]]
        )
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        columns: set[str] = set()
        for name, found in files.items():
            promised = _promised(name)
            columns.update(promised.schema)
            if found is None:
                connection.register(name, _frame(lab, name).to_arrow())
            else:
                connection.execute(f'CREATE TEMP VIEW "{name}" AS {_select(promised, found, connection)}')
        try:
            relation = connection.sql(query)
            return _whole_numbers(relation, pl.DataFrame(relation.to_arrow_table()))
        except _faults() as error:
            raise QueryError(_told(str(error), columns)) from error


@contextmanager
def _connected() -> Iterator[duckdb.DuckDBPyConnection]:
    import duckdb

    connection = duckdb.connect(
        config={"threads": 2, "temp_directory": "", "python_enable_replacements": "false"}
    )
    connection.execute("SET TimeZone = 'UTC'")
    try:
        yield connection
    finally:
        connection.close()


def _faults() -> type[Exception]:
    import duckdb

    return duckdb.Error


def _check(connection: duckdb.DuckDBPyConnection, query: str) -> None:
    """Refuse whatever is not one SELECT, before anything runs."""
    import duckdb

    try:
        kinds = [statement.type for statement in connection.extract_statements(query)]
    except duckdb.Error as error:
        raise QueryError(f"{_first_line(str(error))}.") from error
    if kinds != [duckdb.StatementType.SELECT]:
        raise QueryError("Ask one SELECT (it may begin with WITH): a lab reads tables and changes nothing.")


def _tables_named(query: str) -> list[str]:
    """Tables whose name stands anywhere in a query: to open one too many costs milliseconds."""
    words = set(_WORD.findall(query.lower()))
    return [name for name in _every_name() if name in words]


def _every_name() -> list[str]:
    names = table_names()
    return [*names, *(name + ALL_DAYS for name in names if table(name).is_kept_by_as_of)]


def _is_there(lab: Opened, name: str) -> bool:
    return _promised(name).name in lab.snapshot.versions or lab.lake.has(_promised(name).name)


def _promised(name: str) -> Table:
    return table(name.removesuffix(ALL_DAYS))


def _frame(lab: Opened, name: str) -> pl.DataFrame:
    """Give a table as `Lab.read` does."""
    promised = _promised(name)
    return lab.read(promised.name, as_of="all" if name.endswith(ALL_DAYS) else None).collect()


def _files(lab: Opened, name: str) -> list[str] | None:
    """Name the files that hold a table's rows; None where there are none, or they cannot be read as they lie."""
    promised = _promised(name)
    version = lab.snapshot.versions.get(promised.name)
    if version is None:
        return None
    one_day = promised.is_kept_by_as_of and not name.endswith(ALL_DAYS)
    return table_files(lab.lake, promised.name, version, lab.as_of if one_day else None) or None


def _select(promised: Table, files: list[str], connection: duckdb.DuckDBPyConnection) -> str:
    """Read files into the promised columns; what older files lack is null."""
    listed = ", ".join(f"'{file.replace(chr(39), 2 * chr(39))}'" for file in files)
    days = ", hive_types = {'as_of': DATE}" if promised.is_kept_by_as_of else ""
    source = f"read_parquet([{listed}], union_by_name = true, hive_partitioning = {bool(days)}{days})"
    held = {row[0] for row in connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()}
    columns = ", ".join(
        f"CAST({_quoted(column.name) if column.name in held else 'NULL'} AS {SQL_TYPES[column.kind]}) "
        f"AS {_quoted(column.name)}"
        for column in promised.columns
    )
    return f"SELECT {columns} FROM {source}"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _whole_numbers(relation: duckdb.DuckDBPyRelation, rows: pl.DataFrame) -> pl.DataFrame:
    """Sums of counts as counts: DuckDB gives them in 128 bits, which arrive as decimals."""
    sums = [
        name
        for name, kind in zip(relation.columns, relation.types, strict=True)
        if str(kind) in ("HUGEINT", "UHUGEINT")
    ]
    return rows.with_columns(pl.col(sums).cast(pl.Int64)) if sums else rows


def _told(error: str, columns: set[str]) -> str:
    """Say what DuckDB says in one line, with the names that were perhaps meant."""
    if (missing := _NO_TABLE.search(error)) and missing[1].lower() in _every_name():
        return f"The shop's runs wrote no table {missing[1]}: it is not delivered. See `lab.tables()`."
    if missing:
        near = difflib.get_close_matches(missing[1].lower(), _every_name(), n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "`lab.tables()` lists them."
        return f"There is no table {missing[1]!r}. {hint}"
    unknown = _NO_COLUMN.search(error)
    near = difflib.get_close_matches(unknown[1].lower(), sorted(columns), n=3) if unknown else []
    return f"{_first_line(error)}." + (f" Did you mean {', '.join(near)}?" if near else "")


def _first_line(error: str) -> str:
    return next((line for line in error.splitlines() if line.strip()), error).rstrip(".! ")
