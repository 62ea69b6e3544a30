"""Two hundred composed shops of each purchase model's story: are their parameters found, do predictions hold?

Shops are drawn purchase by purchase with known parameters (`tests.models.recovered_shops`), fitted, predicted for 180
days and compared with the 180 days drawn. Intervals are asked for a thousand customers of each shop. The total of a
single shop is drawn too: it misses its own expectation by some three per cent, so not every shop can be within five.
"""

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.benchmarks.conftest import Figures
from tests.models.recovered_shops import STORIES

SHOPS, CUSTOMERS, SCORED = 200, 5_000, 1_000


@pytest.mark.parametrize("story", STORIES)
def test_known_shops_are_recovered(benchmark: Any, figures: Figures, story: str) -> None:
    module = "tests.benchmarks.composed_recovery"
    command = [sys.executable, "-m", module, story, str(SHOPS), str(CUSTOMERS), str(SCORED)]

    def run() -> dict[str, float]:
        return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    seen = benchmark.pedantic(run, rounds=1)
    figures.add(
        f"{STORIES[story][0].__name__}: {SHOPS} shops of {CUSTOMERS:,}, true parameters in their 95 %", ""
    )
    figures.add(f"  of {seen['parameters']:,}", f"{seen['inside']:.1%}", "90-98 %")
    figures.add("  predicted / true orders of all shops, less 1", f"{seen['orders']:+.1%}", "within 5 %")
    figures.add("  predicted / true value of all shops, less 1", f"{seen['value']:+.1%}", "within 5 %")
    figures.add("  shops whose total of orders is within 5 %", f"{seen['near']:.0%}")
    figures.add("  90 % intervals cover customers' CLV", f"{seen['value_covered']:.1%}", "85-95 %")
    figures.add("  90 % intervals cover customers' orders", f"{seen['orders_covered']:.1%}", "85-95 %")
    benchmark.extra_info.update(seen)
    assert seen["parameters"] == SHOPS * 7
