"""Trust: the project's own notebooks are shown as saved; one whose output could do something is not."""

from pathlib import Path

import nbformat
import pytest
from nbformat.sign import NotebookNotary

from pipelines.notebooks.files import notebook_files, read
from pipelines.notebooks.trust import only_shows, trust


@pytest.fixture(autouse=True)
def jupyters_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))


def with_output(folder: Path, kind: str, text: str) -> Path:
    """A composed notebook with one output."""
    output = nbformat.v4.new_output("display_data", data={kind: text})
    cell = nbformat.v4.new_code_cell("1", outputs=[output], execution_count=1)
    path = folder / "01_composed.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    return path


def is_trusted(path: Path) -> bool:
    notary = NotebookNotary()
    found = notary.check_signature(read(path))
    notary.store.close()
    return found


def test_every_notebook_of_the_project_only_shows_something_and_is_trusted() -> None:
    assert trust(notebook_files()) == notebook_files()
    assert all(is_trusted(path) for path in notebook_files())


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("text/html", "<b>bold</b><SCRIPT>alert(1)</SCRIPT>"),
        ("image/svg+xml", '<svg onload="alert(1)"></svg>'),
        ("text/html", '<a href="javascript:alert(1)">here</a>'),
        ("application/javascript", "alert(1)"),
        ("text/html", '<iframe src="https://example.org"></iframe>'),
    ],
)
def test_an_output_that_could_do_something_is_not_trusted(tmp_path: Path, kind: str, text: str) -> None:
    path = with_output(tmp_path, kind, text)
    assert not only_shows(read(path))
    assert trust([path]) == []
    assert not is_trusted(path)


def test_a_file_that_is_no_notebook_and_a_home_that_cannot_be_written_stop_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "02_none.ipynb").write_text("{", encoding="utf-8")
    plain = with_output(tmp_path, "text/plain", "1")
    assert trust([tmp_path / "02_none.ipynb", plain]) == [plain]
    (tmp_path / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "file"))
    trust([plain])
