"""Hidden model: a shop's own model as a candidate that works where the future is hidden from it.

Each time it is asked, a process is started that has the facts up to the day and nothing more: no lake, no settings, no
memory of other days. Customers, orders and surveys have made-up names there, so that nobody can be looked up in what
was found elsewhere. The back-test and the night ask in the same way, so what is published is what was tested.

Whatever goes wrong in it, an exception of any kind, a crash, no end, becomes a `ModelError`: the model takes no part,
at night the purchase model stands in for it, and the run goes on.

What does not belong here: what the process may not do (`pipelines.own_models.curtain`), which files there are.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, Self, cast

import polars as pl

from models.errors import ApproximationWarning, DisqualifiedError
from models.known import Known
from pipelines.errors import ShopError
from pipelines.own_models import behind_the_curtain
from pipelines.own_models.made_up_names import OwnModelError, of_everybody, under_made_up_names
from pipelines.own_models.model_files import ModelFile

__all__ = ["Asked", "HiddenModel", "SeesTooMuchError", "ask", "try_out"]

_KEPT: Final = ("PATH", "LANG", "LC_", "TZ", "POLARS_", "OMP_", "OPENBLAS_", "MKL_", "LD_LIBRARY_", "DYLD_")
"""Beginnings of the environment variables that the process is given."""
_TOLD_OF_CRASH: Final = 300
_DEEDS_TOLD: Final = 3


class SeesTooMuchError(OwnModelError, DisqualifiedError):
    """A model of the shop's own reaches for what it is not given, and is out.

    Attributes
    ----------
    deeds
        What it did, with the lines of its file.
    """

    def __init__(self, model: str, deeds: tuple[str, ...]) -> None:
        super().__init__(
            f"Model {model} is out: it {' and '.join(deeds[:_DEEDS_TOLD])}. A model learns from what `fit` is given "
            "and from nothing else: later days, other files and today's date are hidden from it."
        )
        self.deeds = deeds


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model said: its predictions under the customers' own names, and what it warned of."""

    predictions: pl.DataFrame
    warnings: tuple[str, ...]


class HiddenModel:
    """A model of the shop's own; see `models.candidates.Candidate`.

    Parameters
    ----------
    model
        Where it stands.
    seed
        Of the made-up names: with the same seed a model gives the same predictions.
    needs
        Of predicted_value and purchase_probability, what it must predict.
    """

    def __init__(self, model: ModelFile, *, seed: int = 0, needs: tuple[str, ...] = ()) -> None:
        self.model = model
        self.seed = seed
        self.needs = needs

    @property
    def name(self) -> str:
        """What it is called in shop.toml."""
        return self.model.name

    def fit(self, known: Known) -> Self:
        """Keep what was known; the model itself is fitted by `predict`, each time anew."""
        self._known = known
        return self

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Fit the model and ask it behind the curtain.

        Raises
        ------
        SeesTooMuchError
            It reached for what it is not given.
        OwnModelError
            It failed, or what it gave is no prediction of everybody.
        """
        asked = ask(self.model, self._known, horizon_days, seed=self.seed)
        for told in asked.warnings:
            warnings.warn(told, ApproximationWarning, stacklevel=2)
        for column in self.needs:
            if asked.predictions[column].null_count():
                raise OwnModelError(f"Model {self.name} predicts no {column}, for which it is published.")
        return asked.predictions


def ask(
    model: ModelFile, known: Known, horizon_days: int, *, seed: int = 0, is_turned: bool = False
) -> Asked:
    """Fit a model on what was known and ask it for the days after it, in a process of its own.

    Parameters
    ----------
    is_turned
        Hand the same rows over from last to first.

    Returns
    -------
    Asked
        One row per customer known, sorted by customer_key: `models.candidates.PREDICTION_COLUMNS`.

    Raises
    ------
    SeesTooMuchError, OwnModelError
        See `HiddenModel.predict`.
    """
    try:
        model.check()
    except ShopError as error:
        raise OwnModelError(str(error)) from error
    with TemporaryDirectory(prefix="own_model_", ignore_cleanup_errors=True) as made:
        folder = Path(made).resolve()
        tables = {"purchases": known.purchases} | _tables(known)
        for name, table in tables.items():
            rows = under_made_up_names(table, seed)
            # Turned only for few customers: their rows fit in memory.
            rows = rows.reverse() if is_turned else rows
            rows.sink_parquet(folder / f"{name}.parquet")
        answer = _answer(
            model,
            folder,
            {"as_of": known.as_of.isoformat(), "horizon_days": horizon_days, "tables": list(tables)},
        )
        try:
            predicted = pl.read_parquet(folder / "predictions.parquet", memory_map=False)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise OwnModelError(f"Model {model.name} spoilt its own predictions: {error}.") from error
    return Asked(
        of_everybody(predicted, model.name, known.purchases, seed), tuple(dict.fromkeys(answer["warnings"]))
    )


def try_out(model: ModelFile) -> None:
    """Load a model behind the curtain without asking it anything.

    Raises
    ------
    ShopError, SeesTooMuchError, OwnModelError
        It cannot be loaded; the message says why.
    """
    model.check()
    with TemporaryDirectory(prefix="own_model_", ignore_cleanup_errors=True) as made:
        _answer(model, Path(made).resolve(), {"tables": []})


def _tables(known: Known) -> dict[str, pl.LazyFrame]:
    named = cast("Mapping[str, pl.LazyFrame | None]", known.tables or {})
    return {name: table for name, table in named.items() if table is not None}


def _answer(model: ModelFile, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    """Start the process, wait for it, and raise what it has to complain of."""
    full = request | {
        "model": str(model.path),
        "class_name": model.class_name,
        "hidden": [str(one.resolve()) for one in model.hidden],
        "search": [one for one in sys.path if one],
    }
    (folder / "request.json").write_text(json.dumps(full), encoding="utf-8")
    crash = _run(model, folder)
    try:
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OwnModelError(
            f"Model {model.name} broke down: {crash}. Try it with `lab.backtest` in a notebook."
        ) from error
    if answer["deeds"]:
        raise SeesTooMuchError(model.name, tuple(dict.fromkeys(answer["deeds"])))
    if "refusal" in answer:
        raise OwnModelError(answer["refusal"])
    if "fault" in answer:
        raise OwnModelError(f"Model {model.name} failed: {answer['fault']}.")
    return answer


def _run(model: ModelFile, folder: Path) -> str:
    """Run the process to its end; what a crash left behind, for people."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    own = {"HOME": str(folder), "TMPDIR": str(folder)}
    script = str(Path(behind_the_curtain.__file__).resolve())
    with (folder / "said.txt").open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-I", "-B", script, str(folder)],
            cwd=folder,
            env=kept | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            # A group of its own, so that what the model started ends with it.
            start_new_session=True,
        )
        try:
            code = process.wait(timeout=model.max_seconds)
        except subprocess.TimeoutExpired:
            minutes = model.max_seconds / 60
            raise OwnModelError(
                f"Model {model.name} was stopped after {minutes:,.0f} minutes. Make it faster or raise `max_minutes`."
            ) from None
        finally:
            _end(process)
    if code < 0:
        return (
            f"its process ended by signal {-code} ({signal.strsignal(-code)}); if that is 9, memory ran out"
        )
    last = (folder / "said.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1:]
    return (last[0] if last else f"its process ended with exit code {code}")[:_TOLD_OF_CRASH]


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process, if it still runs, and whatever it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
