"""A list's rule: one boolean SQL expression over customer_profile, run where it can read nothing else.

A rule is parsed before it runs: one expression, made of the profile's columns and of functions that give the same
answer at any time. DuckDB then runs it with external access off. Three answers are possible: yes, no, and null
where a value is missing; what null means is the list's setting and is counted.
"""

import difflib
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import polars as pl

from data_contracts import table
from pipelines.errors import ShopError
from pipelines.shop import SegmentList

if TYPE_CHECKING:
    import duckdb

ASKED = "customer_profile"
FRAMES = {"where": "SELECT (\n{}\n)", "order_by": "SELECT true ORDER BY\n{}\n, customer_key"}
"""What each setting is part of; between line breaks, so that a comment in it ends where it does."""
_EXPRESSIONS = "BETWEEN CASE CAST COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION OPERATOR TYPE WINDOW"
EXPRESSIONS = frozenset(_EXPRESSIONS.split())
_FUNCTIONS = """
    + - * / // % ** ^ || ~~ !~~ ~~* !~~* ~~~ ^@
    abs ceil ceiling floor round trunc greatest least ln sqrt power if nullif
    lower upper trim length substring left right position contains starts_with ends_with
    regexp_matches regexp_full_match
    year quarter month week day dayofweek date_part date_trunc date_diff datediff
    to_days to_weeks to_months to_years
    list_value list_contains percent_rank cume_dist rank dense_rank count_star count min max
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())
"""Functions whose answer depends on the row and the shop alone, never on the clock, a lot or a file."""


def apply_rule(profile: pl.DataFrame, entry: SegmentList) -> pl.DataFrame:
    """Answer a list's rule for every customer.

    Returns
    -------
    pl.DataFrame
        customer_key, is_eligible (never null), is_null_decided, position (rank in the list's order, from 1).

    Raises
    ------
    ShopError
        The rule or the order is not SQL over customer_profile; the message suggests columns.
    """
    import duckdb

    connection = duckdb.connect(config={"enable_external_access": "false", "threads": 2})
    try:
        connection.execute("SET lock_configuration = true").fetchall()
        _check(connection, entry, "where", entry.where)
        _check(connection, entry, "order_by", entry.order_by)
        connection.register(ASKED, profile.to_arrow())
        query = (
            f"SELECT customer_key, (\n{entry.where}\n) AS answer, "
            f"row_number() OVER (ORDER BY\n{entry.order_by}\n, customer_key) AS position FROM {ASKED}"
        )
        answered = pl.DataFrame(connection.sql(query).to_arrow_table())
    except duckdb.Error as error:
        raise ShopError(f"{_told(entry, 'where', entry.where)}: {_first_line(str(error))}.") from error
    finally:
        connection.close()
    if answered.schema["answer"] != pl.Boolean:
        raise ShopError(
            f"{_told(entry, 'where', entry.where)}: it answers with a value, not with yes or no. "
            "Compare it with something."
        )
    return answered.select(
        "customer_key",
        pl.col("answer").fill_null(entry.null_means == "in").alias("is_eligible"),
        pl.col("answer").is_null().alias("is_null_decided"),
        pl.col("position").cast(pl.Int64),
    ).sort("customer_key")


def _check(connection: "duckdb.DuckDBPyConnection", entry: SegmentList, setting: str, sql: str) -> None:
    """Refuse whatever is more than expressions over the profile's columns, before anything runs."""
    told = _told(entry, setting, sql)
    alone = ShopError(f"{told}: it must be one expression over {ASKED} with nothing around it.")
    parsed = _parse(connection, FRAMES[setting].format(sql))
    if parsed["error"]:
        if not sql.strip() or parsed["error_type"] == "not implemented":  # no SELECT, or several
            raise alone
        raise ShopError(f"{told}: {_first_line(parsed['error_message'])}. {_columns()}")
    asked, around = _taken_apart(parsed)
    if not sql.strip() or around != _taken_apart(_parse(connection, FRAMES[setting].format("true")))[1]:
        raise alone
    for part in _parts(asked):
        kind, name = part["class"], part.get("function_name", "")
        if kind not in EXPRESSIONS:
            raise ShopError(f"{told}: a {kind.lower()} is not allowed; ask for columns of {ASKED} only.")
        if kind == "COLUMN_REF" and (unknown := part["column_names"][-1]).lower() not in table(ASKED).schema:
            raise ShopError(f"{told}: {ASKED} has no column {unknown!r}. {_columns(unknown)}")
        if name and name.lower() not in FUNCTIONS:
            raise ShopError(
                f"{told}: the function {name} is not allowed. A list must come out the same whenever it is made; "
                f"allowed are {', '.join(sorted(name for name in FUNCTIONS if name[0].isalpha()))}."
            )


def _parse(connection: "duckdb.DuckDBPyConnection", sql: str) -> dict[str, Any]:
    ((text,),) = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchall()
    # Where in the text a part stands says nothing of what it is.
    return json.loads(
        text, object_hook=lambda part: {k: v for k, v in part.items() if "query_location" not in k}
    )


def _taken_apart(parsed: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Split a parsed frame into the expressions that fill it and all that stands around them."""
    asked: list[Any] = []
    around: list[Any] = []
    for node in (statement["node"] for statement in parsed["statements"]):
        selected, modifiers = node.pop("select_list", []), node.pop("modifiers", [])
        asked += [*selected, *(modifier.pop("orders", []) for modifier in modifiers)]
        around += [node, len(selected), modifiers]
    return asked, around


def _parts(tree: Any) -> Iterator[dict[str, Any]]:
    """Give every expression of a parsed text, outermost first."""
    if isinstance(tree, dict):
        if "class" in tree:
            yield tree
        tree = list(tree.values())
    if isinstance(tree, list):
        for branch in tree:
            yield from _parts(branch)


def _told(entry: SegmentList, setting: str, sql: str) -> str:
    return f"List {entry.name} in shop.toml, {setting} = {sql!r}"


def _columns(unknown: str = "") -> str:
    columns = list(table(ASKED).schema)
    near = difflib.get_close_matches(unknown.lower(), columns, n=3) if unknown else []
    return f"Did you mean {', '.join(near)}?" if near else f"Columns: {', '.join(columns)}."


def _first_line(error: str) -> str:
    return next((line for line in error.splitlines() if line.strip()), error).rstrip(".")
