"""How long the main job takes on the bundled shop, from nothing and with nothing new, and how much memory."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.benchmarks.conftest import Figures


def _run(lake: Path) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("retention")), "run", "--lake", str(lake), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(finished.stdout)


def test_run_from_nothing_and_again(benchmark: Any, figures: Figures, tmp_path: Path) -> None:
    first = benchmark.pedantic(_run, args=(tmp_path / "lake",), rounds=1)
    again = _run(tmp_path / "lake")
    figures.add("retention run, bundled shop, empty lake", f"{first['seconds']:.1f} s", "<= 60 s")
    figures.add("  peak memory", f"{first['peak_memory_gb']:.2f} GB", "<= 3 GB")
    figures.add("retention run again, nothing new", f"{again['seconds']:.1f} s", "<= 20 s")
    assert first["snapshot"] != again["snapshot"]
