"""A run that is killed at any moment: readers see the last finished one, and the next run makes it good."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest

from data_contracts import table
from pipelines.lab import Lab
from pipelines.lake import Lake
from pipelines.shop import Shop
from pipelines.snapshots import newest_snapshot
from tests.pipelines.published_shops import LISTS, NIGHT
from tests.pipelines.small_shops import deliver, order_line, return_row, write_shop

RUN = """
import sys
from datetime import datetime
from pathlib import Path
from pipelines.run import plan_run, run_shop
from pipelines.shop import Shop
shop, lake, now = Shop.open(sys.argv[1]), Path(sys.argv[2]), datetime.fromisoformat(sys.argv[3])
print("begins", flush=True)
run_shop(shop, lake, plan_run(shop, lake, None, now=now), now=now)
"""
RUN_ONLY = frozenset(("snapshots", "reports", "download_ledger"))
"""Tables whose rows name the run or bear a page's bytes."""
OF_THE_RUN = ("snapshot_id", "run_id", "finished_at", "snapshot")
IN_A_ROW, FEW, MANY = 3, 2, 100
SECRET = "composed secret for tests"


def start(shop: Shop, lake: Path) -> subprocess.Popen[str]:
    environment = os.environ | {"RETENTION_KEY": SECRET}
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", RUN, str(shop.folder), str(lake), NIGHT.isoformat()],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(shop: Shop, lake: Path) -> float:
    """Run to the end; seconds from its beginning."""
    process = start(shop, lake)
    assert process.stdout is not None
    process.stdout.readline()
    begun = time.monotonic()
    _, told = process.communicate(timeout=300)
    assert process.returncode == 0, told
    return time.monotonic() - begun


def composed_shop(folder: Path) -> Shop:
    shop = write_shop(folder, ["orders", "returns"], more=LISTS)
    for day in range(3):
        orders = [
            order_line(f"{day}{n}", customer_id=str(n % 9), ordered_at=f"2024-0{2 + day}-{10 + n} 10:00:00")
            for n in range(15)
        ]
        deliver(folder, "orders", f"{day}", orders)
        back = [
            return_row(f"R{day}{n}", order_id=f"{day}{n}", returned_at="2024-05-20 09:00:00")
            for n in range(3)
        ]
        deliver(folder, "returns", f"{day}", back)
    return shop


def tables_of(lake: Lake) -> dict[str, pl.DataFrame]:
    """Every table's rows, sorted, without what names the run."""
    versions = newest_snapshot(lake).versions
    found: dict[str, pl.DataFrame] = {}
    for name in sorted(versions.keys() - RUN_ONLY):
        frame = lake.scan(name, version=versions[name]).collect()
        if name == "deliveries":  # a killed run has seen the files that lie there, and so has the next one
            frame = frame.filter(~pl.col("is_repeat"))
        kept = frame.drop([column for column in OF_THE_RUN if column in frame.columns])
        found[name] = kept.sort([c for c in table(name).key if c in kept.columns] or kept.columns)
    return found


def assert_equal(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame], case: str) -> None:
    assert one.keys() == other.keys(), case
    for name, frame in one.items():
        assert frame.equals(other[name]), f"{case}: table {name}"


def kill_and_recover(folder: Path, kills: int, seed: int) -> list[float]:
    """Kill runs that take a second delivery in, up to three in a row; compare with a shop that nobody disturbed."""
    generator = random.Random(seed)
    calm = composed_shop(folder / "calm")
    first, late = folder / "first", folder / "late"
    late.mkdir()
    for file in (calm.folder / "deliveries").glob("*/2.csv"):
        file.replace(late / f"{file.parent.name}.csv")
    finish(calm, folder / "lake")
    os.environ["RETENTION_KEY"] = SECRET
    seen = tables_of(Lake.open(folder / "lake"))
    for file in late.iterdir():
        file.replace(calm.folder / "deliveries" / file.stem / "2.csv")
    subprocess.run(["cp", "-a", str(folder / "lake"), str(first)], check=True)
    seconds = finish(calm, folder / "lake")
    undisturbed = tables_of(Lake.open(folder / "lake"))
    moments: list[float] = []
    while len(moments) < kills:
        place = folder / f"killed {len(moments)}"
        subprocess.run(["cp", "-a", str(first), str(place)], check=True)
        in_a_row = min(IN_A_ROW, kills - len(moments))
        for _ in range(in_a_row):
            moment = generator.uniform(0, seconds)
            process = start(calm, place)
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(moment)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            moments.append(moment)
            if process.returncode == -signal.SIGKILL:
                assert_equal(
                    tables_of(Lake.open(place)), seen, f"what readers see after {moments[-in_a_row:]}"
                )
                assert (
                    Lab.open(shop=calm.folder, lake=place).read("orders").collect().height
                    == seen["orders"].height
                )
            else:  # it had finished
                seen_after = tables_of(Lake.open(place))
                assert_equal(seen_after, undisturbed, "a run that finished before it was killed")
                break
        finish(calm, place)
        assert_equal(tables_of(Lake.open(place)), undisturbed, f"killed after {moments[-in_a_row:]} seconds")
        subprocess.run(["rm", "-rf", str(place)], check=True)
    return moments


def test_a_run_killed_at_random_moments_is_made_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KEY", SECRET)
    assert len(kill_and_recover(tmp_path, FEW, seed=7)) >= FEW


@pytest.mark.soak
def test_a_hundred_kills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KEY", SECRET)
    moments = kill_and_recover(tmp_path, MANY, seed=11)
    print(json.dumps([round(moment, 2) for moment in moments]))  # noqa: T201  # what a soak run reports
    assert len(moments) >= MANY
