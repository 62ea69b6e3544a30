"""Run the notebooks on a lake and render them as pages. The notebooks themselves hold no code worth keeping.

A notebook reads $RETENTION_SHOP, $RETENTION_LAKE and $RETENTION_AS_OF through `pipelines.lab.Lab`, so the same file
serves the schedule and the person at the keyboard.
"""

import asyncio
import os
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread

from pipelines.assets.given import Given
from pipelines.errors import LabError

TIMEOUT_SECONDS = 600


def notebook_folder() -> Path | None:
    """The folder notebooks/ beside the package; None where the project was installed without its checkout."""
    folder = Path(__file__).resolve().parent.parent / "notebooks"
    return folder if folder.is_dir() else None


def notebook_files() -> list[Path]:
    """The numbered notebooks, in order."""
    folder = notebook_folder()
    return sorted(folder.glob("[0-9]*.ipynb")) if folder else []


def execute_notebook(path: Path, given: Given) -> bytes:
    """Run a notebook on a run's tables and return it as one self-contained HTML page.

    Raises
    ------
    LabError
        A cell failed; the message names the notebook, the cell and the error.
    """
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError
    from traitlets.config import Config

    # Seconds of importing, done while the kernel works and this process waits.
    Thread(target=import_module, args=("nbconvert",), daemon=True).start()

    notebook = nbformat.read(path, as_version=4)
    with TemporaryDirectory() as sockets:
        # Files that only we can read instead of ports: no other user of the machine can listen.
        private = {"transport": "ipc", "ip": f"{sockets}/kernel"}
        client = NotebookClient(
            notebook,
            timeout=TIMEOUT_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            config=Config({"KernelManager": private}),
        )
        try:
            # A loop of its own, closed at the end: this may be a thread without one.
            asyncio.run(client.async_execute(env=os.environ | _environment(given)))
        except CellExecutionError as error:
            raise LabError(
                f"Notebook {path.name} failed: {error.ename}: {error.evalue}. Open it with `retention lab`."
            ) from error
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(embed_images=True, exclude_input_prompt=True, exclude_output_prompt=True)
    # The page is for people who may be offline: no script is loaded from anywhere.
    exporter.require_js_url = exporter.jquery_url = exporter.mathjax_url = exporter.mermaid_js_url = ""
    page, _ = exporter.from_notebook_node(notebook)
    return page.encode()


def _environment(given: Given) -> dict[str, str]:
    """What a notebook's kernel reads: the unfinished run's own day and tables, before its snapshot is written."""
    return {
        "RETENTION_SHOP": str(given.shop.folder),
        "RETENTION_LAKE": str(given.lake.root),
        "RETENTION_AS_OF": given.as_of.isoformat(),
        "RETENTION_UNFINISHED": "1",
    }
