"""A list's rule: one boolean SQL expression over customer_profile, run where it can read nothing else.

A rule is parsed before it runs: one expression, made of the profile's columns, of what was bought (``bought('22423')``,
``bought_category('Lamps')``) and of functions that give the same answer at any time. DuckDB then runs it with external
access off. Three answers are possible: yes, no, and null where a value is missing; what null means is the list's
setting and is counted. Who bought what is looked up by `pipelines.delivery.population`.
"""

import difflib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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
ROW: Final = "_row"
"""Number of a row of the people asked, so that answers find back to them."""
_BOUGHT: Final = re.compile(r"\b(bought|bought_category)\s*\(\s*'((?:[^']|'')*)'\s*\)", re.IGNORECASE)


class Bought(NamedTuple):
    """One question for what somebody bought: a product's number, or a category."""

    what: str
    value: str

    @property
    def column(self) -> str:
        """Name of the column that answers it."""
        return f"{self.what}('{self.value}')"


def bought_asked(entry: SegmentList) -> list[Bought]:
    """Give what a list's rule asks of somebody's orders, each question once."""
    found = (Bought(match[1].lower(), match[2].replace("''", "'")) for match in _BOUGHT.finditer(entry.where))
    return list(dict.fromkeys(found))


def check_rule(entry: SegmentList) -> None:
    """Refuse a rule or an order that is not SQL over customer_profile, before anybody is asked.

    Raises
    ------
    ShopError
        The message names the list and the setting, and suggests columns.
    """
    nobody = table(ASKED).empty().with_columns(pl.lit(0, pl.Int64).alias(ROW))
    for question in bought_asked(entry):
        nobody = nobody.with_columns(pl.lit(False).alias(question.column))
    answers(nobody, entry)
    positions(nobody, entry)


def answers(people: pl.DataFrame, entry: SegmentList) -> pl.Series:
    """Answer a list's rule for everybody, in row order: yes, no or null.

    Parameters
    ----------
    people
        The columns of customer_profile that the rule names, the answers to `bought_asked`, and `ROW` counting from 0.

    Raises
    ------
    ShopError
        The rule cannot be asked.
    """
    where = _with_bought(entry.where)
    with _connected(people, entry, "where", entry.where) as connection:
        asked = connection.sql(f"SELECT {ROW}, (\n{where}\n) AS answer FROM {ASKED}")
        answered = pl.DataFrame(asked.to_arrow_table())
    if answered.schema["answer"] != pl.Boolean:
        raise ShopError(
            f"{_told(entry, 'where', entry.where)}: it answers with a value, not with yes or no. "
            "Compare it with something."
        )
    # Rows come back in their order but where the rule looks at other rows too.
    return (answered if answered[ROW].is_sorted() else answered.sort(ROW))["answer"]


def positions(people: pl.DataFrame, entry: SegmentList) -> pl.DataFrame:
    """Put people into a list's order: `ROW` and position (from 1), ties by customer_key.

    Raises
    ------
    ShopError
        The order cannot be asked.
    """
    with _connected(people, entry, "order_by", entry.order_by) as connection:
        asked = connection.sql(f"SELECT {ROW} FROM {ASKED} ORDER BY\n{entry.order_by}\n, customer_key")
        rows = pl.DataFrame(asked.to_arrow_table())
    return rows.with_columns(pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("position"))


def columns_asked(entry: SegmentList, *settings: str) -> list[str]:
    """Columns of customer_profile that these settings of a list name."""
    asked = " ".join(getattr(entry, setting) for setting in settings).lower()
    words = set(re.findall(r"[a-z_][a-z0-9_]*", asked))
    return [name for name in table(ASKED).schema if name in words and name != "customer_key"]


@contextmanager
def _connected(
    people: pl.DataFrame, entry: SegmentList, setting: str, sql: str
) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Check a setting and open a database that holds the people asked and can read nothing else."""
    import duckdb

    connection = duckdb.connect(config={"enable_external_access": "false", "threads": 2})
    try:
        connection.execute("SET lock_configuration = true").fetchall()
        _check(connection, entry, setting, sql)
        connection.register(ASKED, people.to_arrow())
        yield connection
    except duckdb.Error as error:
        raise ShopError(f"{_told(entry, setting, sql)}: {_first_line(str(error))}.") from error
    finally:
        connection.close()


def _with_bought(sql: str) -> str:
    """Ask for the columns that answer what was bought."""

    def column(match: re.Match[str]) -> str:
        name = Bought(match[1].lower(), match[2].replace("''", "'")).column
        return '"' + name.replace('"', '""') + '"'

    return _BOUGHT.sub(column, sql)


def _check(connection: "duckdb.DuckDBPyConnection", entry: SegmentList, setting: str, sql: str) -> None:
    """Refuse whatever is more than expressions over the profile's columns, before anything runs."""
    told = _told(entry, setting, sql)
    alone = ShopError(f"{told}: it must be one expression over {ASKED} with nothing around it.")
    answered = {question.column.lower() for question in bought_asked(entry)}
    parsed = _parse(connection, FRAMES[setting].format(_with_bought(sql)))
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
        known = answered.union(table(ASKED).schema)
        if kind == "COLUMN_REF" and (unknown := part["column_names"][-1]).lower() not in known:
            raise ShopError(f"{told}: {ASKED} has no column {unknown!r}. {_columns(unknown)}")
        if name.lower() in ("bought", "bought_category"):
            raise ShopError(f"{told}: write {name} with one text, such as bought('22423').")
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
