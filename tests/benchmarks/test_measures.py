"""The passes over all orders against their floor, a bare scan and group_by of the same files in the same run.

The floor is four plain aggregations by customer. Time and memory are those of processes of their own; in brackets
stands the ratio of processor time, which other work on the machine disturbs less.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.conftest import Figures

SMALL, LARGE = 1_000_000, 10_000_000
PASSES = {
    "summary": ("orders -> purchases -> customer summary / floor", "<= 2.2 x"),
    "cohorts": ("purchases -> four cohort rates by month / floor", "<= 3 x"),
    "all_units": ("  by month, week, quarter and age / floor", ""),
    "broken_down": ("  by month and five attributes / floor", ""),
}


def _run(what: str, folder: Path, count: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.composed_measures", what, str(folder), str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def _seen(measure: str, folder: Path, times: int) -> dict[str, Any]:
    return json.loads(_run(measure, folder, times))


@pytest.fixture(scope="module")
def small_shop(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """Every pass over the orders of a million customers."""
    return _passes(tmp_path_factory.mktemp("composed") / "small", SMALL, 3)


def _passes(folder: Path, customers: int, times: int) -> dict[str, dict[str, Any]]:
    # In a process of its own too: a process hands its peak memory on to those it starts.
    _run("write", folder, customers)
    first = _seen("floor", folder, times)
    store = _seen("store", folder, 1)
    seen = {name: _seen(name, folder, times) for name in (*PASSES, "triples")}
    # The floor before and after: what else the machine does in between should not lower a ratio.
    floor = min(first, _seen("floor", folder, times), key=lambda one: one["seconds"])
    return seen | {"store": store, "floor": floor}


def _note(figures: Figures, customers: int, seen: dict[str, dict[str, Any]]) -> None:
    floor = seen["floor"]
    figures.add(f"floor: scan + group_by of {customers:,} customers' orders", f"{floor['seconds']:.2f} s")
    for name, (what, bound) in PASSES.items():
        wall, work = (seen[name][kind] / floor[kind] for kind in ("seconds", "processor"))
        figures.add(what, f"{wall:.1f} x ({work:.1f} x)", bound)
    peak = max(seen[name]["peak_gb"] for name in PASSES)
    figures.add("  peak memory of any of these", f"{peak:.2f} GB", "<= 8 GB")
    figures.add(f"distinct (x, t_x, T) of {customers:,} customers", f"{seen['triples']['rows']:,}")


def test_summary_and_cohorts_against_the_floor(
    benchmark: Any, figures: Figures, small_shop: dict[str, dict[str, Any]]
) -> None:
    benchmark.pedantic(lambda: small_shop, rounds=1)
    _note(figures, SMALL, small_shop)
    benchmark.extra_info.update(small_shop)
    assert small_shop["floor"]["rows"] == small_shop["summary"]["rows"]


def test_ten_times_the_customers_take_about_ten_times_as_long(
    benchmark: Any, figures: Figures, small_shop: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    seen = benchmark.pedantic(lambda: _passes(tmp_path / "large", LARGE, 1), rounds=1)
    _note(figures, LARGE, seen)
    for name in ("summary", "cohorts"):
        wall, work = (seen[name][kind] / small_shop[name][kind] for kind in ("seconds", "processor"))
        figures.add(f"  {name}: growth from 1 M to 10 M customers", f"{wall:.1f} x ({work:.1f} x)", "<= 12 x")
    benchmark.extra_info.update(seen)
    assert seen["floor"]["rows"] == seen["summary"]["rows"]
