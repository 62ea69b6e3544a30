"""The practice shop: made-up people of whom more is known than of most shops', simulated once, to try things out on.

It is made in a process of its own, so that a notebook neither grows by it nor hears what libraries warn of. One process
makes it at a time; others wait. A note is written last: without it the making was broken off and is begun anew.
How people are drawn is `pipelines.simulate`'s business.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from graphlib import TopologicalSorter
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final
from uuid import uuid4

from filelock import FileLock

from pipelines.errors import LabError, LakeError
from pipelines.lake import Lake, find_lake_folder
from pipelines.lock import write_whole
from pipelines.shop import Shop

NOTE: Final = "practice.json"
MAKING: Final = 1
"""Counts up when the practice shop is made otherwise than before, so that an older one is made anew."""
SECONDS_TOLD: Final = "about two minutes, once"


@dataclass(frozen=True, slots=True)
class Practice:
    """How many made-up people over how many days, drawn with which seed."""

    customers: int = 4_000
    days: int = 730
    seed: int = 1

    def __str__(self) -> str:
        return f"{self.customers:,} made-up people over {self.days:,} days, seed {self.seed}"


def practice_folder() -> Path:
    """Where the practice shop lies: $RETENTION_PRACTICE, else beside the lakes."""
    if chosen := os.environ.get("RETENTION_PRACTICE"):
        return Path(chosen).expanduser().resolve()
    return find_lake_folder("practice").with_name("practice")


def ready_practice(
    folder: Path, *, customers: int | None = None, days: int | None = None, seed: int | None = None
) -> tuple[Path, Path]:
    """Give the practice shop's folder and its lake's, making both where they are not there yet.

    Parameters
    ----------
    customers, days, seed
        What it must be made of; by default whatever lies there, else as in `Practice`.

    Raises
    ------
    LakeError
        One of other numbers lies there.
    LabError
        It cannot be made.
    """
    asked = {
        name: n for name, n in (("customers", customers), ("days", days), ("seed", seed)) if n is not None
    }
    if (found := _made(folder)) is None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LabError(
                f"{folder} cannot be made: {error.strerror}. Name another folder in $RETENTION_PRACTICE."
            ) from error
        with FileLock(folder / ".lock"):
            if (found := _made(folder)) is None:
                found = Practice(**asked)
                _make(folder, found)
    if (wanted := replace(found, **asked)) != found:
        raise LakeError(
            f"{folder} holds {found}, not {wanted}. Delete that folder, or name another in $RETENTION_PRACTICE."
        )
    return folder / "shop", folder / "lake"


def _made(folder: Path) -> Practice | None:
    """What lies in the folder whole, made by this program."""
    try:
        told = json.loads((folder / NOTE).read_text(encoding="utf-8"))
        return Practice(**told["practice"]) if told["made_by"] == _made_by() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _made_by() -> list[str | int]:
    return [version("retention-lab"), MAKING]


def _make(folder: Path, wanted: Practice) -> None:
    started = time.perf_counter()
    _clear(folder)
    with _Told(f"Making the practice shop: {wanted} ({SECONDS_TOLD})") as told:
        for stage in _worked(folder, wanted):
            told.now(f"{stage}, {time.perf_counter() - started:.0f} s")
        write_whole(folder / NOTE, json.dumps({"practice": asdict(wanted), "made_by": _made_by()}))
        told.now(f"ready after {time.perf_counter() - started:.0f} s")


def _clear(folder: Path) -> None:
    """Take away what an earlier making left, and nothing else."""
    for name in ("shop", "lake"):
        shutil.rmtree(folder / name, ignore_errors=True)
    (folder / NOTE).unlink(missing_ok=True)


def _worked(folder: Path, wanted: Practice) -> Iterator[str]:
    """Make it in a process of its own, telling the stages as they begin."""
    numbers = [str(number) for number in (wanted.customers, wanted.days, wanted.seed)]
    command = [sys.executable, "-W", "ignore", "-m", "pipelines.explore.practice", str(folder), *numbers]
    with TemporaryFile("w+") as faults:
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=faults, text=True) as worker:
            assert worker.stdout is not None
            yield from (line.strip() for line in worker.stdout)
        faults.seek(0)
        said = faults.read().strip()
    if worker.returncode:
        last = said.splitlines()[-1] if said else f"exit code {worker.returncode}"
        raise LabError(f"The practice shop could not be made in {folder}: {last}")


class _Told:
    """One line that tells how far it is, on a terminal or in a notebook; silent in a pipe."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_heard = sys.stdout.isatty() or "ipykernel" in sys.modules
        self._length = 0

    def __enter__(self) -> "_Told":
        self.now("")
        return self

    def __exit__(self, *_: object) -> None:
        if self._is_heard:
            sys.stdout.write("\n")

    def now(self, stage: str) -> None:
        if self._is_heard:
            line = f"{self._what}: {stage}" if stage else f"{self._what} ..."
            sys.stdout.write(f"\r{line.ljust(self._length)}")
            sys.stdout.flush()
            self._length = len(line)


def make_practice(folder: Path, wanted: Practice) -> None:
    """Simulate the shop and carry out every step up to the snapshot, but for the pages that people open."""
    from pipelines.assets.catalogue import steps_of
    from pipelines.assets.given import Given
    from pipelines.assets.run import carry_out
    from pipelines.assets.step import Moment, Stage
    from pipelines.publishable import choose_as_of
    from pipelines.simulate.simulation import simulate

    _tell("drawing people")
    simulate(wanted.customers, wanted.days, wanted.seed, folder / "shop")
    shop = Shop.open(folder / "shop")
    lake = Lake.make(folder / "lake", shop.name)
    steps = steps_of(shop)
    until = list(Stage)[: list(Stage).index(Stage.SNAPSHOT) + 1]
    order = TopologicalSorter({name: [n for n in step.reads if n in steps] for name, step in steps.items()})
    chosen = [steps[name] for name in order.static_order()]
    chosen = [step for step in chosen if step.stage in until and step.stage is not Stage.PRESENTATION]
    run_id, now, as_of, stage = str(uuid4()), datetime.now(UTC), None, None
    with lake.lock("making the practice shop"):
        for step in sorted(chosen, key=lambda step: not step.stage.is_ingest):
            if step.stage is not stage:
                stage = step.stage
                _tell(stage.value)
            if as_of is None and not step.stage.is_ingest:
                as_of = choose_as_of(shop, lake, None)
            carry_out(step, Given(shop, lake, Moment(run_id, now, as_of), steps))


def _tell(stage: str) -> None:
    sys.stdout.write(f"{stage}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    make_practice(Path(sys.argv[1]), Practice(*(int(number) for number in sys.argv[2:5])))
