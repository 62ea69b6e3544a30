"""All ready lists of ten million composed customers: gate, members with receipts, counts, overlaps."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.conftest import Figures

CUSTOMERS = 10_000_000


def _run(what: str, folder: Path, count: int) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.composed_lists", what, str(folder), str(count)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_all_lists_of_ten_million_customers(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    # In a process of its own too: a process hands its peak memory on to those it starts.
    _run("write", tmp_path / "shop", CUSTOMERS)
    out = benchmark.pedantic(lambda: _run("lists", tmp_path / "shop", CUSTOMERS), rounds=1)
    seen = json.loads(out)
    chosen = sum(inside + held_out for inside, held_out in seen["lists"].values())
    total = sum(seen["seconds"].values())
    figures.add(
        f"{len(seen['lists'])} lists of {CUSTOMERS:,} customers ({chosen:,} rows)",
        f"{total:.0f} s",
        "<= 90 s",
    )
    for step, seconds in seen["seconds"].items():
        figures.add(f"  {step}", f"{seconds:.1f} s")
    figures.add("  peak memory", f"{seen['peak_gb']:.2f} GB", "<= 8 GB")
    benchmark.extra_info.update(seen)
    assert chosen
