"""How long a simulated shop of a million customers takes to write, and how much memory."""

import json
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.conftest import Figures

CUSTOMERS = 1_000_000


def _simulate(out: Path) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("retention")), "simulate", "--customers", str(CUSTOMERS)]
    finished = subprocess.run(
        [*command, "--out", str(out), "--json"], capture_output=True, text=True, check=True
    )
    return json.loads(finished.stdout)


def test_a_million_customers(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    made = benchmark.pedantic(_simulate, args=(tmp_path / "shop",), rounds=1)
    # Of all processes started so far: an upper bound where others came before.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    size = sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) / 1e9
    figures.add(
        f"retention simulate, {CUSTOMERS:,} customers, 730 days", f"{made['seconds']:.1f} s", "<= 60 s"
    )
    figures.add("  peak memory", f"{peak:.2f} GB")
    figures.add(f"  {sum(made['rows'].values()):,} delivered rows, with truth", f"{size:.2f} GB")
    assert made["customers"] == CUSTOMERS
