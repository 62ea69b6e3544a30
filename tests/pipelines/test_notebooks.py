"""Notebooks: run on a finished snapshot, one that fails fails alone, kept as pages, renewed without noise."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import dagster as dg
import nbformat
import pytest

from pipelines.assets.notebooks import keys_of_notebooks
from pipelines.assets.step import Stage
from pipelines.errors import LabError, ShopError
from pipelines.notebooks.files import Which, asset_name, chosen, notebook_files, notebooks_of, some_of
from pipelines.notebooks.kept import Outcome, outcomes
from pipelines.notebooks.night import run_notebooks
from pipelines.notebooks.renew import renew
from pipelines.run import plan_run, run_shop
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot
from pipelines.summary import summarise
from tests.pipelines.command import assert_plain, retention
from tests.pipelines.published_shops import NIGHT, Published, copy_of

pytestmark = [
    pytest.mark.xdist_group("published_small_shop"),
    pytest.mark.filterwarnings("ignore"),  # kernels warn of their own futures
]

OPENS = "from pipelines.lab import Lab\nlab = Lab.open()\nprint(lab.shop.title, lab.as_of, lab.snapshot.snapshot_id)"
SECRET = "anna@example.org"
WRONG = f"raise KeyError('{SECRET}')"


def write(folder: Path, name: str, *cells: str) -> Path:
    """A composed notebook: a heading, then cells of code."""
    folder.mkdir(exist_ok=True, parents=True)
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell(f"# About <{name}>", id="top"),
            *(
                nbformat.v4.new_code_cell(cell, id=f"code-{position}")
                for position, cell in enumerate(cells, start=1)
            ),
        ]
    )
    path = folder / f"{name}.ipynb"
    nbformat.write(made, path)
    return path


@pytest.fixture
def copy(published_small_shop: Published, tmp_path: Path) -> Published:
    """The small shop with two notebooks of its own, of which the first fails in its third cell."""
    copy = copy_of(published_small_shop, tmp_path)
    own = copy.shop.folder / "notebooks"
    write(own, "90_wrong", OPENS, "print('as far as this')", WRONG, "print('never')")
    write(own, "91_right", OPENS, "lab.read('orders').filter('is_valid').collect().height")
    return copy


def own_of(shop: Shop) -> dict[str, Path]:
    return {name: path for name, path in notebooks_of(shop).items() if name.startswith("9")}


class Heard:
    """Hears of notebooks and notes what."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def notebook_started(self, name: str) -> None:
        self.told.append(f"{name} begins")

    def notebook_finished(self, outcome: Outcome) -> None:
        self.told.append(f"{outcome.name} {'unchanged' if outcome.was_unchanged else outcome.status}")


def run_own(copy: Published) -> tuple[list[Outcome], Heard]:
    heard = Heard()
    made, _ = run_notebooks(copy.shop, copy.lake, copy.snapshot, own_of(copy.shop), heard)
    return made, heard


def test_a_notebook_reads_the_finished_run_and_one_that_fails_keeps_its_page_and_stops_no_other(
    copy: Published,
) -> None:
    before = dict(os.environ)
    (wrong, right), heard = run_own(copy)
    assert dict(os.environ) == before
    assert (right.status, right.error) == ("ok", None)
    told = f"Small shop {copy.snapshot.as_of} {copy.snapshot.snapshot_id}"
    page = right.page.read_text(encoding="utf-8")
    assert told in page and "65" in page
    # In plain words, and without what the error quotes.
    assert (wrong.status, wrong.error) == ("failed", "in cell 3, KeyError")
    page = wrong.page.read_text(encoding="utf-8")
    assert told in page and "as far as this" in page and "KeyError" in page
    assert "<b>This notebook failed:</b> in cell 3, KeyError." in page
    assert sorted(heard.told) == ["90_wrong begins", "90_wrong failed", "91_right begins", "91_right ok"]
    rows = copy.lake.scan("notebooks").sort("page").collect()
    assert rows.select("as_of", "page", "status", "error", "snapshot_id").rows() == [
        (copy.snapshot.as_of, "90_wrong", "failed", "in cell 3, KeyError", copy.snapshot.snapshot_id),
        (copy.snapshot.as_of, "91_right", "ok", None, copy.snapshot.snapshot_id),
    ]
    assert SECRET not in str(rows.rows())
    assert copy.lake.version("snapshots") == 0


def test_what_did_not_change_is_not_run_again_and_what_failed_is(copy: Published) -> None:
    run_own(copy)
    _, heard = run_own(copy)
    assert heard.told == ["91_right unchanged", "90_wrong begins", "90_wrong failed"]
    own = copy.shop.folder / "notebooks"
    notebook = nbformat.read(own / "91_right.ipynb", as_version=4)
    notebook.cells[1].outputs = [nbformat.v4.new_output("stream", text="an output is no change")]
    nbformat.write(notebook, own / "91_right.ipynb")
    write(own, "90_wrong", OPENS)
    (mended, right), _ = run_own(copy)
    assert (mended.status, mended.was_unchanged, right.was_unchanged) == ("ok", False, True)
    assert set(outcomes(copy.lake, copy.shop, copy.snapshot, own_of(copy.shop))) == {"90_wrong", "91_right"}
    (own / "beside.py").write_text("ORDERS = 3\n")
    assert outcomes(copy.lake, copy.shop, copy.snapshot, own_of(copy.shop)) == {}


def test_a_page_says_whose_numbers_it_shows_and_of_which_day(copy: Published) -> None:
    _, right = run_own(copy)[0]
    page = right.page.read_text(encoding="utf-8")
    assert f"<title>About &lt;91_right&gt; · Small shop, as of {copy.snapshot.as_of}</title>" in page
    assert f"<b>Small shop</b>, as of {copy.snapshot.as_of} · notebook 91_right" in page
    assert right.page == copy.lake.root / "notebooks" / copy.snapshot.as_of.isoformat() / "91_right.html"


def test_a_run_stands_though_a_notebook_fails_and_says_which(copy: Published) -> None:
    planned = plan_run(copy.shop, copy.lake.root, None, Stage.SNAPSHOT, NIGHT)
    plan = replace(planned, notebooks=own_of(copy.shop))
    snapshot = run_shop(copy.shop, copy.lake.root, plan, now=NIGHT)
    assert newest_snapshot(copy.lake) == snapshot
    assert "notebooks" not in snapshot.versions
    with dg.DagsterInstance.from_config(str(copy.lake.root / ".dagster")) as records:
        keys = keys_of_notebooks(copy.shop, own_of(copy.shop))
        made = [records.get_latest_materialization_event(key) for key in keys]
    assert [event is not None for event in made] == [False, True]
    summary = summarise(copy.shop, copy.lake, snapshot, 1.0)
    assert [Path(path).stem for path in summary.facts["notebooks"]] == ["91_right"]
    (failed,) = summary.facts["failed_notebooks"]
    assert (failed["notebook"], failed["error"]) == ("90_wrong", "in cell 3, KeyError")
    assert "90_wrong failed: in cell 3, KeyError. As far as it got: " in summary.text


def test_the_command_runs_what_is_named_and_fails_where_one_does(copy: Published, tmp_path: Path) -> None:
    where = ("--shop", copy.shop.folder, "--lake", copy.lake.root)
    both = retention("notebooks", "90_wrong", "91", *where, folder=tmp_path)
    assert both.returncode == 1
    wrong, right = both.stdout.splitlines()[1:3]
    assert "90_wrong" in wrong and "failed: in cell 3, KeyError" in wrong
    assert "91_right" in right and "  ok  " in right
    assert "The finished run stands" in both.stderr and "Traceback" not in both.stderr
    before = (copy.shop.folder / "notebooks" / "90_wrong.ipynb").read_bytes()
    kept = retention("notebooks", "90", *where, "--renew", folder=tmp_path)
    assert_plain(kept, "No notebook was renewed: 90_wrong failed: in cell 3, KeyError")
    assert (copy.shop.folder / "notebooks" / "90_wrong.ipynb").read_bytes() == before


def test_a_shops_own_notebook_may_not_be_called_as_one_of_the_projects(copy: Published) -> None:
    assert list(some_of(copy.shop, Which.FIRST)) == [notebook_files()[0].stem]
    assert some_of(copy.shop, Which.NONE) == {}
    assert list(chosen(copy.shop, ["91", "90_wrong.ipynb"])) == ["91_right", "90_wrong"]
    with pytest.raises(LabError, match=r"There is no notebook 'nothing'\. There are 01_"):
        chosen(copy.shop, ["nothing"])
    assert asset_name("91 our-own") == "notebook_91_our_own"
    own = copy.shop.folder / "notebooks"
    shutil.copy(own / "91_right.ipynb", own / notebook_files()[0].name)
    with pytest.raises(ShopError, match=r"has the name of .* Rename it"):
        plan_run(copy.shop, copy.lake.root, None, notebooks=Which.FIRST)


def test_a_file_that_is_no_notebook_fails_as_one(copy: Published) -> None:
    (copy.shop.folder / "notebooks" / "90_wrong.ipynb").write_text("{")
    (wrong, right), _ = run_own(copy)
    assert wrong.error and "cannot be read as a notebook" in wrong.error
    assert right.status == "ok"


NOISE = (
    "import sys, warnings\nprint('first')\nprint('a warning', file=sys.stderr)\nprint('second')",
    "object()",
    "import polars as pl\npl.DataFrame({'a': [1]})",
    "from IPython.display import SVG\n"
    'SVG(\'<svg xmlns="http://www.w3.org/2000/svg"><text x="1.2345" y="2.01">0.8765</text></svg>\')',
)


def test_outputs_that_are_renewed_twice_are_the_same_bytes_and_hold_no_noise(copy: Published) -> None:
    path = write(copy.shop.folder / "notebooks", "91_right", *NOISE)
    files = {"91_right": path}
    seen: list[bytes] = []
    for _ in range(2):
        _, executed = run_notebooks(copy.shop, copy.lake, copy.snapshot, files, even_unchanged=True)
        renew(files, executed, [copy.lake.root])
        seen.append(path.read_bytes())
    assert seen[0] == seen[1]
    notebook = nbformat.read(path, as_version=4)
    assert [cell.id for cell in notebook.cells] == ["top", "code-1", "code-2", "code-3", "code-4"]
    assert [cell.execution_count for cell in notebook.cells[1:]] == [1, 2, 3, 4]
    assert set(notebook.metadata) == {"kernelspec", "language_info"}
    assert all(cell.metadata == {} for cell in notebook.cells)
    said, named, shown, drawn = (cell.outputs for cell in notebook.cells[1:])
    assert [(output.name, output.text) for output in said] == [("stdout", "first\nsecond\n")]
    assert named[0].data == {"text/plain": "<object>"}
    assert list(shown[0].data) == ["text/html"]
    assert '<text x="1.2" y="2">0.8765</text>' in drawn[0].data["image/svg+xml"]


def test_a_notebook_that_shows_a_path_of_this_machine_is_not_renewed(copy: Published) -> None:
    path = write(copy.shop.folder / "notebooks", "91_right", OPENS, "print(lab.lake.root)")
    before = path.read_bytes()
    files = {"91_right": path}
    _, executed = run_notebooks(copy.shop, copy.lake, copy.snapshot, files)
    with pytest.raises(LabError, match=r"91_right shows .*, which is a path of this machine"):
        renew(files, executed, [copy.lake.root])
    assert path.read_bytes() == before


def test_a_lab_that_cannot_open_a_folder_says_which(tmp_path: Path) -> None:
    wrong = retention("lab", "--no-browser", "--folder", tmp_path / "nowhere", folder=tmp_path)
    assert_plain(wrong, f"There is no folder {tmp_path / 'nowhere'}")
