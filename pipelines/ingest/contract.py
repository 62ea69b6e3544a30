"""Run a table's Great Expectations suite over its delivered rows and say which row broke which rule.

Batches of at most a million rows keep memory flat. An error inside a rule is an error of the rule, never of
the data. What happens to a row that broke a rule is decided in `quarantine`.
"""

import os
from typing import Any

import polars as pl

from data_contracts import table as promise
from data_contracts.dictionary import delivered_columns
from data_contracts.errors import ContractError
from data_contracts.suites import rules, suite
from pipelines.ingest.derived import with_flags, with_single_lines
from pipelines.ingest.values import typed
from pipelines.shop import Shop

BATCH_ROWS = 1_000_000


def typed_rows(raw: pl.LazyFrame, table: str, shop: Shop, rates: pl.LazyFrame | None = None) -> pl.LazyFrame:
    """Delivered rows as typed values with every flag that the contract asks for."""
    rows = raw.pipe(typed, delivered_columns(table), shop.zone).pipe(with_flags, table, shop, rates)
    return with_single_lines(rows, raw) if table == "orders" else rows


def find_faults(
    raw: pl.LazyFrame,
    table: str,
    shop: Shop,
    rates: pl.LazyFrame | None = None,
    batch_rows: int = BATCH_ROWS,
) -> pl.LazyFrame:
    """One row per delivered row and rule it broke, in the shape of ``<table>_faults``.

    Parameters
    ----------
    rates
        ``valid_rates``, where a source delivers exchange rates.

    Raises
    ------
    ContractError
        A rule could not be run; the message names it.
    """
    shape = promise(f"{table}_faults")
    asked = list(dict.fromkeys(rule.column for rule in rules(table)))
    checked = typed_rows(raw, table, shop, rates).select("delivery_id", "row_number", *asked)
    found = [shape.empty()]
    validate = None
    for batch in checked.collect_batches(chunk_size=batch_rows, maintain_order=False, engine="streaming"):
        validate = validate or _validator(table, suite(table))
        found.extend(_faults_of(batch, validate, asked))
    return pl.concat(found).lazy()


def _faults_of(batch: pl.DataFrame, validate: Any, asked: list[str]) -> list[pl.DataFrame]:
    where = batch.select("delivery_id", "row_number")
    # Decimals arrive in pandas as Python objects, twenty times slower to check than floats.
    result = validate(batch.select(asked).with_columns(pl.selectors.decimal().cast(pl.Float64)).to_pandas())
    faults: list[pl.DataFrame] = []
    for entry in result.results:
        rule = entry.expectation_config.meta["rule"]
        if error := _error_of(entry.exception_info):
            raise ContractError(f"Rule {rule} could not be run: {error}")
        if positions := entry.result.get("unexpected_index_list"):
            severity = entry.expectation_config.severity.value
            faults.append(
                where[positions].with_columns(pl.lit(rule).alias("rule"), pl.lit(severity).alias("severity"))
            )
    return faults


def _error_of(exception_info: dict[str, Any]) -> str | None:
    """Tell what went wrong inside a rule; it stands there once, or once a metric that the rule needs."""
    told = [exception_info] if "raised_exception" in exception_info else exception_info.values()
    return next((one["exception_message"] for one in told if one["raised_exception"]), None)


def _validator(table: str, rules_of_table: dict[str, Any]) -> Any:
    """Make a function from a pandas frame to the suite's results; the import takes seconds."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    batch = (
        context.data_sources.add_pandas("delivered")
        .add_dataframe_asset(table)
        .add_batch_definition_whole_dataframe("batch")
    )
    expectations = gx.ExpectationSuite(**rules_of_table)
    # Positions without index columns join straight back; with them the same answer takes sixty times as long.
    shape = {"result_format": "COMPLETE", "exclude_unexpected_values": True}
    return lambda frame: batch.get_batch(batch_parameters={"dataframe": frame}).validate(
        expectations, result_format=shape
    )
