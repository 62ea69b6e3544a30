"""From a number to its people: those of a cohort's cell, of a segment, or of a list, with what is known of them.

Whether somebody may be written to is decided by a list's gate (`pipelines.delivery`), never by being counted here.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from models.cohort_members import Measure, cohort_members
from models.periods import PeriodUnit, calendar_unit, check_period_unit, index_of, is_complete
from pipelines.errors import AsOfError, LabError

if TYPE_CHECKING:
    from pipelines.explore.opened import Opened


def members(
    lab: Opened,
    *,
    cohort: date | str | None,
    k: int | None,
    measure: Measure,
    period_unit: PeriodUnit,
    segment: str | None,
    list_name: str | None,
) -> pl.LazyFrame:
    """Give the people behind a number; see `pipelines.lab.Lab.members`."""
    named = [name for name in (cohort, segment, list_name) if name is not None]
    if len(named) != 1:
        raise LabError('Name one of cohort, segment and list, such as lab.members(segment="stage:lapsed").')
    if segment is not None:
        chosen = _of_segment(lab, segment)
    elif list_name is not None:
        chosen = _of_list(lab, list_name)
    else:
        chosen = _of_cohort(lab, named[0], k, measure, period_unit)
    people = chosen.join(lab.read("customer_profile"), on="customer_key", how="left")
    return people.sort("customer_key" if list_name is None else "position")


def _of_cohort(
    lab: Opened, cohort: date | str, k: int | None, measure: Measure, period_unit: PeriodUnit
) -> pl.LazyFrame:
    first = _first_day(cohort)
    try:
        unit = check_period_unit(period_unit)
        index = index_of(first, calendar_unit(unit))
        # Without k everybody of the cohort is meant, whom the first period counts in any case.
        found = cohort_members(
            lab.read("purchases"), lab.as_of, first, k or 0, measure, period_unit=unit
        ).collect()
    except ValueError as error:
        raise LabError(str(error)) from error
    if found.is_empty():
        raise LabError(
            f"There is no customer in the cohort of {first} ({unit}). `cohort_retention` names those there are."
        )
    if k is None:
        return found.lazy().select("customer_key")
    if not pl.select(is_complete(pl.lit(index), pl.lit(k), lab.as_of, unit)).item():
        raise AsOfError(
            f"Period {k} of the cohort of {first} was not over for everybody on {lab.as_of}, so nobody can say who is "
            "in it. Choose a smaller k, or leave it out for the whole cohort."
        )
    return found.lazy().filter("is_counted").select("customer_key")


def _first_day(cohort: date | str) -> date:
    text = str(cohort)
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == len("2011-01") else text)
    except ValueError as error:
        raise LabError(
            f"A cohort is named by its first day, such as 2011-01-01 or 2011-01, not {cohort!r}."
        ) from error


def _of_segment(lab: Opened, segment: str) -> pl.LazyFrame:
    rows = lab.read("segment_members")
    names = _names(rows, "segment")
    meant = [name for name in names if segment.lower() in (name.lower(), name.lower().partition(":")[2])]
    if len(meant) != 1:
        raise _unknown("segment", segment, meant or names)
    return rows.filter(segment=meant[0]).select("customer_key", "reason")


def _of_list(lab: Opened, list_name: str) -> pl.LazyFrame:
    lists = lab.read("campaign_lists").select("name", "list_id").collect()
    ids = dict(lists.iter_rows())
    if list_name not in ids and list_name not in ids.values():
        raise _unknown("list", list_name, sorted(ids))
    rows = lab.read("list_members").filter(list_id=ids.get(list_name, list_name))
    return rows.select("customer_key", "assignment", "position", "reason")


def _names(rows: pl.LazyFrame, column: str) -> list[str]:
    return rows.select(pl.col(column).unique().sort()).collect().to_series().to_list()


def _unknown(what: str, name: str, known: Sequence[str]) -> LabError:
    near = difflib.get_close_matches(name, known, n=3)
    hint = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(known) or 'none'}."
    return LabError(f"There is no {what} {name!r}. {hint}")
