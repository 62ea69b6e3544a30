"""A list's rule: one boolean SQL expression over customer_profile, run where it can read nothing else.

DuckDB runs it with external access off, so a rule cannot open a file. Three answers are possible: yes, no, and null
where a value is missing; what null means is the list's setting and is counted.
"""

import difflib

import polars as pl

from data_contracts import table
from pipelines.errors import ShopError
from pipelines.shop import SegmentList

ASKED = "customer_profile"


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
        connection.register(ASKED, profile.to_arrow())
        connection.execute("SET lock_configuration = true").complete()
        query = (
            f"SELECT customer_key, CAST(({entry.where}) AS BOOLEAN) AS answer, "
            f"row_number() OVER (ORDER BY {entry.order_by}, customer_key) AS position FROM {ASKED}"
        )
        answered = pl.DataFrame(connection.sql(query).to_arrow_table())
    except duckdb.Error as error:
        raise ShopError(_explain(entry, str(error))) from error
    finally:
        connection.close()
    if answered.height != profile.height:
        raise ShopError(f"List {entry.name}: `where` must be one yes-or-no expression over {ASKED}.")
    return answered.select(
        "customer_key",
        pl.col("answer").fill_null(entry.null_means == "in").alias("is_eligible"),
        pl.col("answer").is_null().alias("is_null_decided"),
        pl.col("position").cast(pl.Int64),
    ).sort("customer_key")


def _explain(entry: SegmentList, error: str) -> str:
    columns = list(table(ASKED).schema)
    plain = next((line for line in error.splitlines() if line.strip()), error)
    unknown = plain.split('"')[1] if '"' in plain else ""
    near = difflib.get_close_matches(unknown, columns, n=3) if unknown else []
    hint = f" Did you mean {', '.join(near)}?" if near else f" Columns: {', '.join(columns)}."
    return f"List {entry.name} in shop.toml, where = {entry.where!r}: {plain}.{hint}"
