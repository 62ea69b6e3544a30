"""`retention lab` in a real browser: the first notebook runs from its first cell to its last, draws, asks nobody."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from pipelines.notebooks.files import notebook_files
from tests.services.conftest import RETENTION

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FIRST, SECOND, *_ = notebook_files()
SECONDS = 120

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"
    ),
]


@dataclass
class JupyterLab:
    """A lab that was started by the command.

    Attributes
    ----------
    link
        Where it opens, token included, as it was printed.
    faults
        What the browser complained of.
    asked
        Every host that the browser, or anything in the page, asked something of.
    """

    link: str
    browser: Browser
    folder: Path
    faults: list[str] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)

    def open(self, notebook: str) -> Page:
        """Open one notebook, and wait until its kernel is there."""
        page = self.browser.new_page(viewport={"width": 1400, "height": 1000})
        page.on("console", lambda said: self.faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("request", lambda request: self.asked.add(urlsplit(request.url).hostname or ""))
        page.on("websocket", lambda socket: self.asked.add(urlsplit(socket.url).hostname or ""))
        page.goto(self.link.replace("/lab?", f"/lab/tree/{notebook}?"))
        expect(idle(page)).to_be_visible(timeout=SECONDS * 1000)
        return page


def idle(page: Page) -> Locator:
    """What the bottom line says of a kernel that is connected and has nothing to do."""
    return page.get_by_role("button", name=re.compile(r"\| Idle$"))


def copy_without_outputs(folder: Path) -> None:
    """A folder of notebooks to open, so that what is seen was drawn just now and no file of the project changes."""
    folder.mkdir()
    notebook = nbformat.read(FIRST, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, folder / FIRST.name)


@pytest.fixture
def jupyter(published: Path, port: int, tmp_path: Path) -> Iterator[JupyterLab]:
    """`retention lab` on the published shop with settings of its own."""
    copy_without_outputs(tmp_path / "notebooks")
    log = tmp_path / "log"
    own = {f"JUPYTER_{name}_DIR": str(tmp_path / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")} | {
        "IPYTHONDIR": str(tmp_path / "ipython")
    }
    shutil.copy(SECOND, tmp_path / "notebooks")
    words = ["lab", "--lake", published, "--port", port, "--no-browser", "--folder", tmp_path / "notebooks"]
    with log.open("w") as out:
        server = subprocess.Popen(
            [RETENTION, *map(str, words)], stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **own}
        )
        try:
            link = _link(server, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
                yield JupyterLab(link, browser, tmp_path)
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(60)


def _link(server: subprocess.Popen[bytes], log: Path) -> str:
    """The address with its token, once it is printed."""
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab\?token=\w+", log.read_text()):
            return found[0]
        time.sleep(0.3)
    raise AssertionError(log.read_text())


def test_the_first_notebook_runs_and_draws_and_asks_no_other_machine(jupyter: JupyterLab) -> None:
    page = jupyter.open(FIRST.name)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    last = sum(cell.cell_type == "code" for cell in nbformat.read(FIRST, as_version=4).cells)
    expect(page.get_by_text(f"[{last}]:", exact=True).first).to_be_attached(timeout=SECONDS * 1000)
    expect(idle(page)).to_be_visible(timeout=SECONDS * 1000)
    assert page.locator('[data-mime-type="application/vnd.jupyter.error"]').count() == 0
    assert page.locator('[data-mime-type="application/vnd.jupyter.stderr"]').count() == 0
    pictures = page.locator('[data-mime-type="image/svg+xml"]')
    assert pictures.count() > 0
    pictures.first.scroll_into_view_if_needed()
    width = pictures.first.locator("img, svg").first.evaluate("it => it.getBoundingClientRect().width")
    assert width > 200, "a picture is there and is not shown"
    page.screenshot(path=jupyter.folder / "notebook.png")
    # Nothing is asked: neither whether news are wanted nor which kernel.
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".Toastify__toast").count() == 0
    assert jupyter.asked == {"127.0.0.1"}
    assert jupyter.faults == []


def test_a_notebook_of_the_project_shows_its_pictures_before_it_is_run(jupyter: JupyterLab) -> None:
    page = jupyter.open(SECOND.name)
    picture = page.locator('[data-mime-type="image/svg+xml"]').first
    picture.scroll_into_view_if_needed(timeout=SECONDS * 1000)
    assert picture.locator("img, svg").first.evaluate("it => it.getBoundingClientRect().width") > 200
    table = page.locator("table.retention-lab td:not(.number)").first
    table.scroll_into_view_if_needed(timeout=SECONDS * 1000)
    assert table.evaluate("it => getComputedStyle(it).textAlign") in ("left", "start")
    page.screenshot(path=jupyter.folder / "saved.png")
