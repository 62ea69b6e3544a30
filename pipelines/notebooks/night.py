"""Run several notebooks on one finished snapshot, two at a time, and keep their pages; one that fails stops no other.

Dagster's assets (`pipelines.assets.notebooks`) and the command (`pipelines.cli.notebooks`) both come here.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Protocol

from anyio.from_thread import start_blocking_portal

from pipelines.environment import environment
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.notebooks.execute import Executed, environment_of, execute
from pipelines.notebooks.kept import Outcome, keep, made_from, outcomes
from pipelines.notebooks.page import render
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

AT_A_TIME = 2
"""A kernel imports and fits on one core for much of its time."""


class Listener(Protocol):
    """Who wants to hear how notebooks get on."""

    def notebook_started(self, name: str) -> None:
        """A notebook begins."""
        ...

    def notebook_finished(self, outcome: Outcome) -> None:
        """A notebook is done, well or not, or was not run because nothing changed."""
        ...


def run_notebooks(
    shop: Shop,
    lake: Lake,
    snapshot: Snapshot,
    notebooks: Mapping[str, Path],
    listener: Listener | None = None,
    *,
    even_unchanged: bool = False,
) -> tuple[list[Outcome], dict[str, Executed]]:
    """Run notebooks as of a snapshot; what became of each in order, and those that were run.

    What succeeded before on the same tables is not run again, unless ``even_unchanged``. The caller holds the lake's
    lock, so that nobody is erased while a notebook that has read of them is about to write its page.

    Raises
    ------
    LakeError
        A page or row cannot be written.
    """
    known = {} if even_unchanged else outcomes(lake, shop, snapshot, dict(notebooks))
    done = {name: known[name] for name in notebooks if name in known and known[name].status == "ok"}
    for outcome in done.values():
        if listener:
            listener.notebook_finished(outcome)
    due = {name: path for name, path in notebooks.items() if name not in done}
    executed: dict[str, Executed] = {}

    async def run_one(name: str, path: Path, turn: asyncio.Semaphore) -> None:
        async with turn:
            if listener:
                listener.notebook_started(name)
            basis = made_from(path, shop, snapshot)
            executed[name] = await execute(path, environment_of(shop, lake.root, snapshot))
            page = await asyncio.to_thread(render, executed[name], name, shop, snapshot)
            done[name] = keep(lake, snapshot, name, executed[name], page, basis)
            if listener:
                listener.notebook_finished(done[name])

    async def run_all() -> None:
        turn = asyncio.Semaphore(AT_A_TIME)
        await asyncio.gather(*(run_one(name, path, turn) for name, path in due.items()))

    if due:
        if any("Lab.practice()" in path.read_text(encoding="utf-8") for path in due.values()):
            _make_practice(lake)
        # Whole before a second thread imports what is built on it: two at once would each see half of it.
        import_module("nbclient")
        # Seconds of importing, done while the kernels start and this process waits.
        Thread(target=import_module, args=("nbconvert",), daemon=True).start()
        _in_a_thread_of_its_own(run_all)
    return [done[name] for name in notebooks], executed


def _make_practice(lake: Lake) -> None:
    """Make the shop to practise on before a cell waits for it, so that no page tells of its making."""
    from pipelines.explore.practice import practice_folder, ready_practice

    # Where it cannot be made the notebook says so, in its own cell.
    with environment({"RETENTION_LAKE": str(lake.root)}), suppress(LabError):
        ready_practice(practice_folder())


def _in_a_thread_of_its_own(work: Callable[[], Awaitable[None]]) -> None:
    """Run to the end, or to Ctrl-C, which ends the kernels too: in the main thread nbclient keeps it to itself."""
    with start_blocking_portal() as portal:
        running = portal.start_task_soon(work)
        try:
            running.result()
        except BaseException:
            running.cancel()
            raise
