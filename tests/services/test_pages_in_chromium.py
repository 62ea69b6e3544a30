"""The report and the notebook's page in a real browser: they show themselves and ask nobody for anything."""

import json
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND",
]

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(
        CHROMIUM is None, reason="chromium is not installed (Debian: apt-get install chromium)"
    ),
]


def _open(address: str, folder: Path, *what: str, width: int = 1200) -> tuple[str, set[str]]:
    """Open a page; give what the browser prints, and every host asked for beyond files and data."""
    assert CHROMIUM is not None
    log = folder / "net.json"
    command = [CHROMIUM, *QUIET, f"--user-data-dir={folder / 'profile'}", f"--log-net-log={log}"]
    command += [f"--window-size={width},1600", *what, address]
    shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    events = json.loads(log.read_text(encoding="utf-8"))["events"]
    asked = (urlsplit(str(event.get("params", {}).get("url", ""))) for event in events)
    return shown, {url.hostname or "" for url in asked if url.scheme in ("http", "https", "ws", "wss")}


def _page(lake: Path, kind: str) -> Path:
    folder, _, name = kind.partition("/")
    return next((lake / folder).glob(f"*/{name or '*'}.html"))


@pytest.mark.parametrize(
    ("kind", "picture"),
    [("reports/report", "<svg"), ("reports/contracts", "<svg"), ("notebooks", "image/svg+xml")],
)
def test_a_page_opens_without_any_request(published: Path, tmp_path: Path, kind: str, picture: str) -> None:
    _, of_the_browser_itself = _open("about:blank", tmp_path, "--dump-dom")
    dom, asked = _open(_page(published, kind).as_uri(), tmp_path, "--dump-dom")
    assert picture in dom and "UK gift shop" in dom
    assert asked <= of_the_browser_itself


@pytest.mark.parametrize("page", ["report", "contracts"])
def test_a_page_fits_a_phone(published: Path, tmp_path: Path, page: str) -> None:
    """The page has no script and forbids any; the test's copy lets one in that tells the page's width."""
    report = _page(published, f"reports/{page}").read_text(encoding="utf-8")
    assert "<script" not in report and "default-src 'none'" in report
    tell = (
        "<script>document.title = document.documentElement.scrollWidth + ' of ' + innerWidth</script></body>"
    )
    measured = tmp_path / "measured.html"
    measured.write_text(report.replace("default-src 'none'", "").replace("</body>", tell), encoding="utf-8")
    dom, _ = _open(measured.as_uri(), tmp_path, "--dump-dom", width=500)
    title = dom.split("<title>")[1].split("</title>")[0]
    wide, screen = (int(part) for part in title.split(" of "))
    assert wide <= screen


def test_the_report_prints_to_paper(published: Path, tmp_path: Path) -> None:
    paper = tmp_path / "report.pdf"
    _open(_page(published, "reports/report").as_uri(), tmp_path, f"--print-to-pdf={paper}")
    assert paper.read_bytes()[:5] == b"%PDF-"
