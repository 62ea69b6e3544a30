"""Carry one step out: skip it if nothing it is made from changed, else make, write, check.

What its rows depend on is said by `Given.fingerprint_of`: equal fingerprint, equal rows.
"""

import time

import polars as pl

from data_contracts import ContractError
from data_contracts import table as promise
from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Outcome, Step, Verdict
from pipelines.errors import DeliveryError, LakeError
from pipelines.ingest.landing import Landed

UNIQUE_KEY = "key_is_unique"
READ_WHILE_WRITING = "C Data interface"
"""What the writer says when it is the rows' own source that fails."""


def carry_out(step: Step, given: Given) -> Outcome:
    """Bring a step's table up to date.

    Raises
    ------
    ContractError
        The rows do not keep the table's promise; the table is as it was.
    """
    started = time.perf_counter()
    fingerprint = given.fingerprint_of(step)
    as_of = None if step.stage.is_ingest else given.as_of
    says_itself = step.keeps in (Keeps.EVERYTHING, Keeps.LANDINGS)
    is_unchanged = not says_itself and not step.always and _has(step, given, fingerprint)
    # A past day's rows of a table that keeps the newest day are made by whoever reads them.
    is_past = step.keeps is Keeps.NEWEST_DAY and (given.lake.as_of(step.table) or given.as_of) > given.as_of
    if is_unchanged or is_past:
        return _outcome(step, given, started, was_unchanged=True)
    made = step.make(given)
    if made is None:
        return _outcome(step, given, started, was_unchanged=True)
    if isinstance(made, Landed):
        _commit(step, given, made)
    elif step.keeps is Keeps.EVERYTHING:
        given.lake.append(step.table, made, fingerprint=fingerprint)
    elif step.keeps is Keeps.NEWEST_DAY:
        given.lake.replace(step.table, made, fingerprint=fingerprint, day=given.as_of)
    else:
        given.lake.replace(step.table, made, fingerprint=fingerprint, as_of=as_of)
    _check_key(step, given)
    return _outcome(step, given, started, was_unchanged=False)


def _commit(step: Step, given: Given, landed: Landed) -> None:
    """Commit landed rows. The commit names the landing: its receipts stand if and only if its rows do."""
    write = given.lake.replace if landed.is_anew else given.lake.append
    try:
        write(step.table, landed.rows, fingerprint=landed.landing_id)
    except LakeError as error:
        if landed.origin is None or READ_WHILE_WRITING not in str(error):
            raise
        raise DeliveryError(
            f"{landed.origin} cannot be read to its end ({error.__cause__}). Fetch it again."
        ) from error


def _has(step: Step, given: Given, fingerprint: str) -> bool:
    as_of = given.as_of if step.keeps in (Keeps.OTHER_DAYS, Keeps.NEWEST_DAY) else None
    return given.lake.fingerprint(step.table, as_of) == fingerprint


def _rows(step: Step, given: Given) -> pl.LazyFrame:
    return given.lake.scan(step.table, as_of=given.as_of if step.keeps is Keeps.OTHER_DAYS else None)


def _check_key(step: Step, given: Given) -> None:
    key = promise(step.table).key
    rows = _rows(step, given).select(key)
    # Different keys of equal hash are told apart only where hashes repeat, which takes three times as long.
    hashes = rows.select(pl.struct(key).hash().alias("hash")).collect(engine="streaming")["hash"]
    if hashes.n_unique() == hashes.len():
        return
    total, distinct = hashes.len(), rows.unique().select(pl.len()).collect(engine="streaming").item()
    if total != distinct:
        given.lake.undo(step.table)
        raise ContractError(
            f"Table {step.table}: {total - distinct} of {total} rows share a key ({', '.join(key)}). "
            "Nothing was published; the table is as it was. This is a fault of the program: please report it."
        )


def _outcome(step: Step, given: Given, started: float, *, was_unchanged: bool) -> Outcome:
    rows = _rows(step, given).select(pl.len()).collect().item()
    verdicts = [Verdict(UNIQUE_KEY, True, f"one row per {promise(step.table).grain}")]
    if step.checks:
        verdicts += step.checks(given)
    version = given.lake.version(step.table)
    return Outcome(
        table=step.table,
        rows=rows,
        version=-1 if version is None else version,
        seconds=time.perf_counter() - started,
        was_unchanged=was_unchanged,
        verdicts=verdicts,
    )
