"""Write the outputs of a run into the .ipynb files themselves, without anything that differs from one run to the next.

What stays: cells with their ids and tags, outputs on stdout, tables, pictures, the numbers in brackets. What goes:
times, the kernel's version, warnings, the plain text beside a table or picture, addresses in memory, and what pictures
say of places beyond a tenth of a pixel. Done twice, the bytes are the same.
"""

import json
import re
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.errors import LabError
from pipelines.notebooks.execute import Executed

KERNEL = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
RICH = ("text/html", "image/svg+xml", "image/png")
"""Kinds of output beside which its plain text says nothing more."""
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
PLACES = re.compile(r' (d|transform|points|x|y|x1|x2|y1|y2|cx|cy|width|height)="([^"]*)"')
"""Where a picture says where things are."""
LONG_NUMBER = re.compile(r"-?\d+\.\d{2,}")


def renew(files: Mapping[str, Path], executed: Mapping[str, Executed], places: Iterable[Path]) -> list[str]:
    """Renew the outputs in notebooks' files; the names of those that changed.

    Parameters
    ----------
    files, executed
        By name.
    places
        Folders of this machine that no output may show, beside home, checkout and temporary files.

    Raises
    ------
    LabError
        A notebook failed, or shows a path of this machine; no file was changed.
    """
    failed = [f"{name} failed: {one.error}" for name, one in executed.items() if one.error]
    if failed:
        raise LabError(f"No notebook was renewed: {'; '.join(failed)}.")
    texts = {name: _written(files[name], one.notebook) for name, one in executed.items()}
    own = [Path.home(), Path(sys.prefix).parent, Path(tempfile.gettempdir())]
    told = {str(place) for place in (*own, *places) if len(place.parts) > 1}
    for name, text in texts.items():
        if shown := next((place for place in told if place in text), None):
            raise LabError(
                f"No notebook was renewed: {name} shows {shown}, which is a path of this machine. Take it out."
            )
    changed = [name for name, text in texts.items() if files[name].read_text(encoding="utf-8") != text]
    for name in changed:
        files[name].write_text(texts[name], encoding="utf-8")
    return changed


def _written(path: Path, notebook: Any) -> str:
    """An executed notebook as its file shall hold it."""
    import nbformat

    ids = _ids(path)
    cells = [_cell(cell, cell_id) for cell, cell_id in zip(notebook.cells, ids, strict=True)]
    made = nbformat.from_dict({"cells": cells, "metadata": KERNEL, "nbformat": 4, "nbformat_minor": 5})
    return nbformat.writes(made) + "\n"


def _ids(path: Path) -> list[str]:
    """The cells' ids as the file has them; nbformat would draw new ones for cells without."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [cell.get("id") or f"cell-{position:02}" for position, cell in enumerate(cells)]


def _cell(cell: Any, cell_id: str) -> dict[str, Any]:
    tags = {"tags": cell.metadata.tags} if cell.metadata.get("tags") else {}
    kept = {"cell_type": cell.cell_type, "id": cell_id, "metadata": tags, "source": cell.source}
    if cell.cell_type != "code":
        return kept
    outputs = [_output(output) for output in cell.outputs if output.get("name") != "stderr"]
    return kept | {"execution_count": cell.execution_count, "outputs": outputs}


def _output(output: Any) -> dict[str, Any]:
    if output.output_type == "stream":
        return {"output_type": "stream", "name": output.name, "text": ADDRESS.sub("", output.text)}
    data = {
        kind: _short(kind, content) if isinstance(content, str) else content
        for kind, content in sorted(output.data.items())
        if kind != "text/plain" or not any(rich in output.data for rich in RICH)
    }
    count = {"execution_count": output.execution_count} if output.output_type == "execute_result" else {}
    return {"output_type": output.output_type, "data": data, "metadata": {}, **count}


def _short(kind: str, content: str) -> str:
    if kind != "image/svg+xml":
        return ADDRESS.sub("", content)

    def rounded(number: re.Match[str]) -> str:
        return f"{float(number[0]):.1f}".removesuffix(".0")

    return PLACES.sub(lambda place: f' {place[1]}="{LONG_NUMBER.sub(rounded, place[2])}"', content)
