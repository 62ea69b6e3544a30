"""Trust the project's notebooks as they stand in git, so that JupyterLab shows their pictures before anybody runs them.

Jupyter hides pictures and styles of notebooks that were run elsewhere, for an output may hold a script. The project's
own hold none; one that does is left as it is, and so is every other notebook. Signatures lie where Jupyter keeps them.
"""

import sqlite3
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pipelines.errors import LabError
from pipelines.notebooks.files import read

_KINDS = {"text/plain", "text/html", "text/latex", "image/svg+xml", "image/png"}
_ACTIVE = ("<script", "javascript:", "<iframe", "<object", "<embed", " onload", " onerror", " onclick")


def trust(notebooks: Iterable[Path]) -> list[Path]:
    """Sign notebooks whose outputs only show something; those that were signed."""
    from nbformat.sign import NotebookNotary

    signed: list[Path] = []
    # A home that cannot be written to: pictures then wait for the first run, as anywhere else.
    with suppress(OSError, sqlite3.Error):
        notary = NotebookNotary()
        with closing(notary.store):
            for path in notebooks:
                with suppress(LabError):
                    notebook = read(path)
                    if only_shows(notebook):
                        notary.sign(notebook)
                        signed.append(path)
    return signed


def only_shows(notebook: Any) -> bool:
    """Whether no output of a notebook could do anything."""
    outputs = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    shown = [(kind, text) for out in outputs for kind, text in out.get("data", {}).items()]
    return all(
        kind in _KINDS and (kind == "image/png" or not any(word in str(text).lower() for word in _ACTIVE))
        for kind, text in shown
    )
