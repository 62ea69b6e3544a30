"""Ten million order lines from CSV to facts, against Polars merely reading and typing the same file."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from data_contracts.suites import rules
from tests.benchmarks.composed_deliveries import write_lines
from tests.benchmarks.conftest import Figures

LINES = 10_000_000


def _take_in(path: Path, folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.benchmarks.composed_deliveries", str(path), str(folder)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(finished.stdout)


def test_ten_million_lines_to_facts(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    path = tmp_path / "lines.csv"
    count = write_lines(path, LINES)
    seen = benchmark.pedantic(_take_in, args=(path, tmp_path), rounds=1)
    checked = seen["great_expectations"]
    taken = sum(seen["seconds"].values()) - checked
    a_rule = checked / len(rules("orders")) / (count / 1e6)
    figures.add(f"floor: Polars scans and types {count:,} CSV lines", f"{seen['floor']:.1f} s")
    figures.add(
        "the same lines to valid, quarantine and facts / floor", f"{taken / seen['floor']:.1f} x", "<= 4 x"
    )
    figures.add("  peak memory", f"{seen['peak_gb']:.2f} GB", "<= 6 GB")
    figures.add("  Great Expectations a rule and million rows", f"{a_rule:.3f} s", "<= 0.12 s")
    benchmark.extra_info.update(seen)
    assert seen["seconds"].keys() >= {"valid_orders", "orders_quarantine", "orders"}
