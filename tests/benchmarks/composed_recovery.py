"""Composed shops recovered one after the other, in a process of its own.

`python -m tests.benchmarks.composed_recovery STORY SHOPS CUSTOMERS SCORED` prints what they showed together.
"""

import json
import sys
import warnings

from tests.models.recovered_shops import Recovered, recover


def _recovered(story: str, shops: int, customers: int, scored: int) -> dict[str, float]:
    total, near = Recovered(), 0
    for seed in range(shops):
        one = recover(story, customers, seed, scored=scored)
        near += abs(one.predicted_orders / one.orders - 1) <= 0.05
        total += one
    return {
        "inside": total.inside / total.parameters,
        "parameters": total.parameters,
        "orders": total.predicted_orders / total.orders - 1,
        "value": total.predicted_value / total.value - 1,
        "near": near / shops,
        "orders_covered": total.orders_covered / total.scored,
        "value_covered": total.value_covered / total.scored,
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.stdout.write(json.dumps(_recovered(sys.argv[1], *(int(number) for number in sys.argv[2:5]))))
