"""Every notebook of the project: what stands in git was run and is clean, and it runs on another shop of small data."""

import asyncio
import json
import re
from pathlib import Path

import nbformat
import pytest

from pipelines.notebooks.execute import environment_of, execute
from pipelines.notebooks.files import notebook_files
from tests.pipelines.published_shops import Published

pytestmark = [
    pytest.mark.xdist_group("practice_shop"),
    pytest.mark.filterwarnings("ignore"),  # kernels warn of their own futures
]

LARGEST = 300_000
PATH = re.compile(r"(?<![\w.:/])/(?:home|root|tmp|Users|private|var|opt)/\w")
ADDRESS = re.compile(r"[\w.+-]+@[\w-]+\.\w")
WARNS = re.compile(r"\b\w*(?:Warning|Deprecat)\w*\b")
EACH = pytest.mark.parametrize("path", notebook_files(), ids=lambda path: path.stem)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]


def assert_ran_quietly(notebook: nbformat.NotebookNode) -> None:
    """Every cell ran, in order, and none failed or warned."""
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output.ename for output in outputs if output.output_type == "error"] == []
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert [found for output in outputs if (found := WARNS.findall(json.dumps(output)))] == []


@EACH
def test_what_stands_in_git_was_run_and_holds_no_noise(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert_ran_quietly(notebook)
    text = path.read_text(encoding="utf-8")
    assert path.stat().st_size <= LARGEST
    assert PATH.findall(text) == []
    assert ADDRESS.findall(text) == []
    assert str(Path.cwd()) not in text
    assert set(notebook.metadata) == {"kernelspec", "language_info"}


@EACH
def test_a_notebook_is_told_as_the_others_are(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert told.startswith("# ")
    for part in ("What we will find out", "What to do with it", "Exercises"):
        assert part in told, part
    assert "Lab.open()" in code_cells(notebook)[0].source


@EACH
def test_a_notebook_runs_on_another_shop_without_an_error_or_a_warning(
    path: Path, published_practice_shop: Published, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, lake, snapshot = (getattr(published_practice_shop, name) for name in ("shop", "lake", "snapshot"))
    monkeypatch.setenv("RETENTION_PRACTICE", str(lake.root.parent))
    executed = asyncio.run(execute(path, environment_of(shop, lake.root, snapshot)))
    assert executed.error is None
    assert_ran_quietly(executed.notebook)
