"""Trying a model out: a back-test on an opened lab, of the program's models, the shop's own and files not yet named.

A model in a file works behind the curtain (`pipelines.own_models.hidden_model`), as it would at night. An object made
in the notebook cannot be moved there: it is shown the past alone as well, but nobody watches what else it reads.

What does not belong here: how a back-test is made and measured (`models.backtest`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import polars as pl

from pipelines.errors import AsOfError, ShopError
from pipelines.explore.opened import Opened, as_day
from pipelines.own_models.left_out import left_out

if TYPE_CHECKING:
    from models.backtest import BacktestResult
    from models.candidates import Candidate

__all__ = ["NOT_WATCHED", "back_test", "tell_of"]

NOT_WATCHED: Final = "Not watched: it was made in a notebook. Put it into a file to have it checked."


def back_test(
    lab: Opened,
    candidates: Sequence[str | Candidate] = (),
    *,
    horizon_days: int | None = None,
    as_of: date | str | None = None,
    most_origins: int | None = None,
) -> BacktestResult:
    """Back-test models on a lab's tables; see `pipelines.lab.Lab.backtest`.

    Raises
    ------
    ShopError
        There is no such model.
    AsOfError
        The day or the horizon cannot be tested.
    """
    from models.backtest import MOST_ORIGINS, backtest
    from pipelines.assets.known import feature_tables, with_rows

    day = lab.as_of if as_of is None else as_day(as_of)
    if day > lab.as_of:
        raise AsOfError(f"{day} lies after the newest finished run's day, {lab.as_of}. Give an earlier day.")
    chosen = [_candidate(one, lab) for one in candidates] or list(_named(lab).values())
    tables = cast(Mapping[str, pl.LazyFrame], with_rows(feature_tables(lab.shop), lab.read))
    try:
        result = backtest(
            tables["orders"],
            lab.read("returns"),
            as_of=day,
            seed=lab.shop.predictions.seed,
            horizon_days=horizon_days,
            candidates=chosen,
            tables={name: table for name, table in tables.items() if name not in ("orders", "returns")},
            most_origins=most_origins or MOST_ORIGINS,
        )
    except ValueError as error:
        raise AsOfError(
            f"{error} Give another --as-of or --horizon (as_of, horizon_days in Python)."
        ) from error
    own = [one.name for one in candidates if not isinstance(one, str)]
    return replace(result, candidates=_with_notes(result.candidates, own))


def tell_of(candidates: pl.DataFrame) -> None:
    """Print who took no part, and why.

    No warning: the page of a notebook shows what is printed beside the numbers that it explains, and each time.
    """
    for left in left_out(candidates):
        print(left.says())  # noqa: T201  # read in a notebook


def _named(lab: Opened) -> dict[str, Candidate]:
    """The models of the program and of shop.toml by name, the simplest first."""
    from models.backtest import default_candidates
    from pipelines.own_models.competing import own_candidates

    return {one.name: one for one in (*default_candidates(), *own_candidates(lab.shop))}


def _candidate(one: str | Candidate, lab: Opened) -> Candidate:
    from pipelines.own_models.competing import CompetingModel
    from pipelines.own_models.model_files import model_file

    if not isinstance(one, str):
        return one
    if ":" in one:
        return CompetingModel(model_file(one, lab.shop, Path.cwd()), seed=lab.shop.predictions.seed)
    named = _named(lab)
    if one not in named:
        raise ShopError(
            f"There is no model {one!r}. There are {', '.join(named)}; one that is not in shop.toml is told by its "
            "file and class, such as own_models/mine.py:Mine."
        )
    return named[one]


def _with_notes(told: pl.DataFrame, unwatched: list[str]) -> pl.DataFrame:
    noted = pl.concat_list(pl.lit(NOT_WATCHED), pl.col("notes")).list.join(" ").str.strip_chars()
    is_own = pl.col("model").is_in(unwatched)
    return told.with_columns(notes=pl.when(is_own).then(noted).otherwise("notes"))
