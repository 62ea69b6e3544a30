"""Run one notebook from its first cell to its last in a kernel of its own, as a person would who runs all cells.

Nothing is kept here, and nothing is written outside a temporary folder: neither connection files nor a history.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pipelines.errors import LabError
from pipelines.notebooks.files import read
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot

CELL_SECONDS = 600
"""A cell that takes longer is taken to hang."""
TOLD_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook with the outputs of one run.

    Attributes
    ----------
    notebook
        The notebook as nbformat holds it; where it failed, as far as it got.
    error
        Which cell failed, and how, without anything that could say something of a person; None where none did.
    seconds
        From the kernel's start to its end.
    """

    notebook: Any
    error: str | None
    seconds: float


def environment_of(shop: Shop, lake_root: Path, snapshot: Snapshot) -> dict[str, str]:
    """What a notebook's kernel reads through `pipelines.lab.Lab.open`: the shop, its lake and the day."""
    return {
        "RETENTION_SHOP": str(shop.folder),
        "RETENTION_LAKE": str(lake_root),
        "RETENTION_AS_OF": snapshot.as_of.isoformat(),
    }


async def execute(path: Path, environment: Mapping[str, str]) -> Executed:
    """Run a notebook; a cell that fails ends it and is told, not raised.

    A file that is no notebook has failed before its first cell.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from traitlets.config import Config

    started = time.perf_counter()
    try:
        notebook = _without_outputs(read(path))
    except LabError as error:
        return Executed(nbformat.v4.new_notebook(), str(error), time.perf_counter() - started)
    with TemporaryDirectory() as folder:
        # Files that only we can read instead of ports: no other user of the machine can listen.
        private = {
            "transport": "ipc",
            "ip": f"{folder}/kernel",
            "connection_file": f"{folder}/kernel.json",
        }
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": private}),
        )
        told: str | None = None
        try:
            await client.async_execute(env={**os.environ, **environment, "IPYTHONDIR": f"{folder}/ipython"})
        except CellExecutionError as error:
            told = _told(error.ename, error.evalue)
        except CellTimeoutError:
            told = f"took longer than {CELL_SECONDS} s"
        except DeadKernelError:
            told = "its process died, perhaps for want of memory"
    where = None if told is None else f"in cell {_cells_begun(notebook)}, {told}"
    return Executed(notebook, where, time.perf_counter() - started)


def _without_outputs(notebook: Any) -> Any:
    """Forget what an earlier run left in a notebook."""
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def _cells_begun(notebook: Any) -> int:
    """The number in brackets before the cell that was begun last."""
    counts = [cell.execution_count or 0 for cell in notebook.cells if cell.cell_type == "code"]
    return max(1, *counts)


def _told(name: str, message: str) -> str:
    """Say an error: our own in its words, of any other the kind alone, for its message may quote a row."""
    lines = message.strip().splitlines()
    return f"{name}: {lines[0][:TOLD_LETTERS]}" if name in _our_own() and lines else name


def _our_own() -> set[str]:
    """Names of the errors whose messages hold no row of anybody."""
    import models.errors
    from data_contracts import ContractError

    def kinds(kind: type[BaseException]) -> set[str]:
        return {kind.__name__}.union(*(kinds(one) for one in kind.__subclasses__()))

    return kinds(LabError) | kinds(models.errors.ModelError) | kinds(ContractError)
