"""How long a person waits for a lab: its first chart, and the first rows of a table of any size."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.conftest import Figures

CUSTOMERS = 10_000_000
FIRST_CHART = """
import sys
from pipelines.lab import Lab
lab = Lab.open("uk_gift_shop", sys.argv[1])
lab.plot.save(lab.plot.cohort_heat_map(), sys.argv[2])
"""


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.composed_lab", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_first_rows_of_twenty_eight_million_orders(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    # In a process of its own too, so that nothing is warm.
    made = json.loads(_run("write", str(tmp_path / "shop"), str(CUSTOMERS)))
    seen = json.loads(benchmark.pedantic(lambda: _run("head", str(tmp_path / "shop")), rounds=1))
    figures.add(f"a lab on {made['orders']:,} orders of {made['customers']:,} customers", "")
    for what, seconds in seen.items():
        figures.add(f"  {what}", f"{seconds:.2f} s", "<= 1 s" if "head" in what else "")
    benchmark.extra_info.update(seen)
    assert made["orders"] > 2.5 * CUSTOMERS


def test_the_first_chart_of_a_fresh_process(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    retention = str(Path(sys.executable).with_name("retention"))
    subprocess.run([retention, "run", "--lake", str(tmp_path / "lake")], capture_output=True, check=True)
    command = [sys.executable, "-c", FIRST_CHART, str(tmp_path / "lake"), str(tmp_path / "cohorts.svg")]

    def drawn() -> float:
        started = time.perf_counter()
        subprocess.run(command, check=True)
        return time.perf_counter() - started

    seconds = min(benchmark.pedantic(drawn, rounds=1), drawn())
    figures.add("python, imports, lab, cohort heat map as SVG; bundled shop", f"{seconds:.1f} s", "<= 5 s")
    assert (tmp_path / "cohorts.svg").read_bytes().startswith(b"<svg")
