"""Order lines of composed customers as a CSV file, and one ingest of it in a process of its own.

`python -m tests.benchmarks.composed_deliveries FILE FOLDER` takes FILE in and prints seconds a step and peak memory.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

LINES_AN_ORDER = 2.8
COUNTRIES = ["GB", "DE", "NL", "FR"]


def write_lines(path: Path, lines: int, seed: int = 1) -> int:
    """Write about ``lines`` order lines of two years; how many there are."""
    generator = np.random.default_rng(seed)
    orders = int(lines / LINES_AN_ORDER)
    order = np.repeat(np.arange(orders), generator.poisson(LINES_AN_ORDER - 1, orders) + 1)[:lines]
    when = np.sort(generator.integers(1_672_531_200, 1_735_689_600, orders))
    who = generator.integers(0, max(1, orders // 3), orders)
    count = len(order)
    frame = pl.LazyFrame({"order": order, "when": when[order], "who": who[order]}).select(
        pl.format("W{}", pl.col("order") + 1_000_000).alias("order_id"),
        pl.from_epoch("when").dt.strftime("%Y-%m-%d %H:%M:%S").alias("ordered_at"),
        pl.col("who").cast(pl.String).alias("customer_id"),
        pl.format("person{}@example.com", "who").alias("email"),
        (pl.col("who") % len(COUNTRIES)).replace_strict(dict(enumerate(COUNTRIES))).alias("country"),
        pl.lit("paid").alias("status"),
        pl.format("P{}", pl.Series(generator.integers(10_000, 60_000, count))).alias("product_id"),
        pl.format("Thing number {}", pl.Series(generator.integers(0, 5_000, count))).alias("product_name"),
        pl.Series(generator.integers(1, 6, count)).cast(pl.String).alias("quantity"),
        (pl.Series(generator.integers(99, 9_999, count)) / 100).round(2).cast(pl.String).alias("unit_price"),
        pl.lit("0").alias("discount"),
    )
    frame.sink_csv(path)
    return count


def scan_and_parse(path: Path) -> float:
    """Seconds of Polars reading and typing the same file, and nothing else: the floor."""
    started = time.perf_counter()
    money = pl.Decimal(18, 4)
    typed = {"unit_price": money, "discount": money, "quantity": pl.Int64(), "customer_id": pl.String()}
    pl.scan_csv(path, schema_overrides=typed, try_parse_dates=True).select(
        pl.len(), pl.all().max().name.suffix("_greatest")
    ).collect(engine="streaming")
    return time.perf_counter() - started


def take_in(path: Path, folder: Path) -> dict[str, Any]:
    """Ingest the file into a new lake: seconds by step, those of Great Expectations apart, peak memory in GB."""
    from pipelines.assets.given import Given
    from pipelines.assets.run import carry_out
    from pipelines.assets.step import Moment
    from pipelines.ingest import contract
    from pipelines.lake import Lake
    from tests.pipelines.small_shops import NOW, ingest_steps, source, write_shop

    names = pl.scan_csv(path).collect_schema().names()
    settings = '\nname = "composed"\ntitle = "Composed"\ncurrency = "GBP"\nhistory_start = 2023-01-01\n'
    shop = write_shop(
        folder / "shop",
        [],
        settings=settings,
        more=source("orders", "web", path=str(path), columns={name: name for name in names}),
    )
    lake = Lake.make(folder / "lake", shop.name)
    asked = 0.0
    check = contract._faults_of  # pyright: ignore[reportPrivateUsage]

    def timed_check(*given: Any) -> Any:
        nonlocal asked
        started = time.perf_counter()
        found = check(*given)
        asked += time.perf_counter() - started
        return found

    contract._faults_of = timed_check  # pyright: ignore[reportPrivateUsage]
    steps = ingest_steps(shop)
    given = Given(shop, lake, Moment("bench", NOW.replace(year=2026), None), steps)
    seconds: dict[str, float] = {}
    for name, step in steps.items():
        started = time.perf_counter()
        carry_out(step, given)
        seconds[name] = time.perf_counter() - started
    return {
        "seconds": seconds,
        "great_expectations": asked,
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6,
        "faults": lake.scan("orders_faults").select(pl.len()).collect().item(),
    }


if __name__ == "__main__":
    import warnings

    warnings.simplefilter("ignore")
    delivered = Path(sys.argv[1])
    floor = scan_and_parse(delivered)
    sys.stdout.write(json.dumps({"floor": floor, **take_in(delivered, Path(sys.argv[2]))}))
