"""The page under load: how soon a large file begins, how much memory it takes, and what others notice of many."""

import asyncio
import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from pipelines.lake import Lake
from pipelines.portal.downloads import download_path
from pipelines.records.database import open_database
from pipelines.records.ledger import Ledger
from pipelines.records.sessions import Sessions
from pipelines.records.users import Users
from tests.benchmarks.composed_portal import AS_OF, composed_portal, opt_out
from tests.benchmarks.conftest import Figures

MANY = 200
HEADROOM = 300
LOOKING = 8


@dataclass(frozen=True)
class Served:
    """A portal that runs in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    lake: Lake
    cookie: str

    def memory(self, what: str) -> float:
        """Resident memory in MB: VmRSS now, VmHWM at its highest."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition(f"{what}:")[2].split()[0]) / 1024


@dataclass(frozen=True)
class Got:
    """An answer."""

    status: int
    sha256: str
    bytes: int
    first_byte: float
    whole: float


async def get(served: Served, path: str) -> Got:
    """Ask for a path, reading what comes as it comes."""
    started = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=2**20)
    try:
        asked = (
            f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncookie: {served.cookie}\r\nconnection: close\r\n\r\n"
        )
        writer.write(asked.encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        summed, size, first = hashlib.sha256(), 0, 0.0
        async for piece in _pieces(reader, "transfer-encoding: chunked" in head):
            first = first or time.perf_counter() - started
            summed.update(piece)
            size += len(piece)
        return Got(int(head.split()[1]), summed.hexdigest(), size, first, time.perf_counter() - started)
    finally:
        writer.close()


async def _pieces(reader: asyncio.StreamReader, is_chunked: bool):
    while not is_chunked and (piece := await reader.read(2**18)):
        yield piece
    while is_chunked:
        length = int(await reader.readline(), 16)
        piece = await reader.readexactly(length + 2)
        if not length:
            return
        yield piece[:-2]


async def many(served: Served, path: str) -> tuple[list[Got], list[float]]:
    """Ask for a file many times at once; meanwhile look at the overview again and again."""
    seen: list[float] = []

    async def look() -> None:
        while True:
            page = await get(served, "/")
            assert page.status == 200
            seen.append(page.whole)
            await asyncio.sleep(0.02)

    looking = asyncio.create_task(look())
    got = await asyncio.gather(*(get(served, path) for _ in range(MANY)))
    looking.cancel()
    return got, seen


@contextmanager
def serving(folder: Path, lake: Lake, port: int) -> Iterator[Served]:
    """Run the real command."""
    engine = open_database(lake.root)
    now = datetime.now(UTC)
    users = Users(engine).all()
    ann = users[0] if users else Users(engine).add("Ann", "marketer", "correct horse battery", now)
    cookie = f"retention_session={Sessions(engine).start(ann, now)}"
    command = [Path(sys.executable).with_name("retention"), "portal", "--port", str(port)]
    process = subprocess.Popen(
        [*map(str, command), "--shop", str(folder / "shop"), "--lake", str(lake.root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        served = Served(process, port, lake, cookie)
        _wait(served)
        yield served
    finally:
        process.terminate()
        process.wait()


def _wait(served: Served) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if asyncio.run(get(served, "/")).status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the portal does not answer")


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Lake]:
    folder = tmp_path_factory.mktemp("large")
    return folder, composed_portal(folder)[1]


@pytest.mark.parametrize("have_gone", [False, True])
def test_a_million_rows_and_two_hundred_downloads(
    large: tuple[Path, Lake], have_gone: bool, figures: Figures, free_port: int
) -> None:
    folder, lake = large
    if have_gone:
        opt_out(lake, 1000)
    with serving(folder, lake, free_port) as served:
        # As long as somebody looks at the overview and at a list before pressing a button.
        time.sleep(LOOKING)
        before = served.memory("VmRSS")
        million = asyncio.run(get(served, download_path(f"million-{AS_OF}", "klaviyo")))
        grown = served.memory("VmHWM") - before
        got, seen = asyncio.run(many(served, download_path(f"fifty_thousand-{AS_OF}", "klaviyo")))
        grown_by_many = served.memory("VmHWM") - before
    slowest = float(np.quantile(seen, 0.95))
    said = "1,000 have gone since" if have_gone else "nobody has gone"
    figures.add(f"1 M-row upload file, {said}: first byte", f"{million.first_byte:.2f} s", "<= 1 s")
    figures.add("  all of it", f"{million.whole:.1f} s, {million.bytes / 1e6:.0f} MB")
    figures.add("  memory grows by", f"{grown:.0f} MB", f"<= {HEADROOM} MB")
    figures.add(f"{MANY} downloads of 50,000 rows at once", f"{max(one.whole for one in got):.1f} s")
    figures.add(f"  overview meanwhile, p95 of {len(seen)}", f"{slowest:.2f} s", "<= 1 s")
    figures.add("  memory grows by", f"{grown_by_many:.0f} MB")
    entries = Ledger.of(lake.root).entries()
    assert {(one.status, one.sha256, one.bytes) for one in got} == {(200, got[0].sha256, got[0].bytes)}
    assert entries["finished_at"].null_count() == 0
    assert set(entries["sha256"].tail(MANY)) == {got[0].sha256}
    assert entries["dropped"].tail(MANY).unique().to_list() == [1000 if have_gone else 0]
    assert million.first_byte <= 1
    assert grown <= HEADROOM
    assert slowest <= 1


@pytest.fixture
def free_port() -> int:
    """A port of this machine that is free now."""
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
