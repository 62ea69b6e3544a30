"""Make a simulated shop: draw it block by block, write what it exports and what is true of it.

Everything is written beside its place first and moved there at the end, so that a folder never holds half a shop.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from pipelines.errors import ShopError
from pipelines.simulate import truth
from pipelines.simulate.block import Block
from pipelines.simulate.catalogue import stock
from pipelines.simulate.clock import Clock
from pipelines.simulate.costs import Costs
from pipelines.simulate.deliveries import Deliveries, Files
from pipelines.simulate.drawing import draw_block, tables
from pipelines.simulate.effects import Effects
from pipelines.simulate.histories import World
from pipelines.simulate.model_text import model_text
from pipelines.simulate.parameters import Parameters
from pipelines.simulate.settings_text import shop_toml
from pipelines.simulate.target import Target

BLOCK_PEOPLE = 50_000
"""People drawn at once: part of what a seed stands for, so that it is no setting."""
DRAWN_AT_ONCE = 2
"""More only take memory: writing keeps up with two."""


@dataclass(frozen=True, slots=True)
class Drawn:
    """A block with its tables, delivered and true."""

    block: Block
    tables: Mapping[str, pl.DataFrame]
    truth: Mapping[str, pl.DataFrame]


@dataclass(frozen=True, slots=True)
class Simulated:
    """A simulated shop that lies ready.

    Attributes
    ----------
    rows
        Delivered rows by table, broken ones included.
    """

    folder: Path
    customers: int
    first_day: str
    last_day: str
    seed: int
    rows: Mapping[str, int]
    dirty_rows: int
    future_purchases: int


def simulate(
    customers: int,
    days: int,
    seed: int,
    out: Path,
    *,
    force: bool = False,
    numbers: Parameters | None = None,
    hears: Callable[[int], None] | None = None,
) -> Simulated:
    """Write a simulated shop into a folder.

    Parameters
    ----------
    customers, days, seed
        How many people, over how many days; the same seed gives the same tables.
    force
        Write over a simulated shop that lies there, unless somebody changed it.
    numbers
        Others than the model's own.
    hears
        Told after each block how many people are done.

    Raises
    ------
    ShopError
        The folder holds something else, or cannot be written.
    """
    numbers = numbers or Parameters()
    root = np.random.SeedSequence(seed)
    world_seed, costs_seed, *seeds = root.spawn(2 + -(-customers // BLOCK_PEOPLE))
    clock = Clock.of(days)
    world = World(clock, stock(np.random.default_rng(world_seed)), numbers)
    effects, costs = Effects(numbers), Costs(clock)
    with Target.of(out, force=force) as target:
        with Files(target.draft) as files:
            made = Deliveries(files, clock, numbers.accidents.dirty_share)
            for drawn in _blocks(customers, world, made.corrections, seeds):
                for table, rows in drawn.tables.items():
                    made.add(table, rows, drawn.block.generator)
                for name, rows in drawn.truth.items():
                    files.append(f"truth/{name}.parquet", rows)
                effects.add(drawn.block)
                costs.add(drawn.block)
                if hears:
                    hears(drawn.block.people.first_number + drawn.block.people.size - 1)
            made.add("costs", costs.rows(), np.random.default_rng(costs_seed))
            dirty = made.dirty_rows()
            files.append("truth/dirty_rows.parquet", dirty)
            future = files.rows().get("truth/future.parquet", 0)
        told = {
            "customers": customers,
            "days": days,
            "seed": seed,
            **effects.told(),
            "parameters": asdict(numbers),
        }
        _write(target.draft / "truth" / "effects.json", json.dumps(told, indent=1))
        _write(target.draft / "MODEL.md", model_text(customers, clock, seed, numbers))
        settings = shop_toml(customers, clock, seed, _columns(target.draft), numbers.campaigns)
        _write(target.draft / "shop.toml", settings)
        target.finish()
    return Simulated(
        out,
        customers,
        clock.first_day.isoformat(),
        clock.day(clock.end - 0.5).isoformat(),
        seed,
        dict(sorted(made.counts.items())),
        dirty.height,
        future,
    )


def _drawn(before: int, size: int, world: World, corrections: int, seed: np.random.SeedSequence) -> Drawn:
    block = draw_block(before, size, world, np.random.default_rng(seed))
    return Drawn(block, tables(block, corrections), truth.tables(block))


def _blocks(
    customers: int, world: World, corrections: int, seeds: Sequence[np.random.SeedSequence]
) -> Iterator[Drawn]:
    """Draw the blocks, the next ones while one is written, and give them in their order."""
    with ThreadPoolExecutor(DRAWN_AT_ONCE) as pool:
        ahead: deque[Future[Drawn]] = deque()
        for position, seed in enumerate(seeds):
            before = position * BLOCK_PEOPLE
            size = min(BLOCK_PEOPLE, customers - before)
            ahead.append(pool.submit(_drawn, before, size, world, corrections, seed))
            if len(ahead) > DRAWN_AT_ONCE:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _columns(draft: Path) -> list[tuple[str, list[str]]]:
    """Say which columns each delivered table has; orders come first, as they do in every shop.toml."""
    found: list[tuple[str, list[str]]] = []
    for folder in sorted(
        (draft / "deliveries").iterdir(), key=lambda path: (path.name != "orders", path.name)
    ):
        schema = pl.read_parquet_schema(next(iter(sorted(folder.glob("*.parquet")))))
        found.append((folder.name, list(schema)))
    return found


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n" * (not text.endswith("\n")), encoding="utf-8")
    except OSError as error:
        raise ShopError(f"{path} cannot be written: {error.strerror or error}.") from error


def facts(made: Simulated) -> dict[str, Any]:
    """Give what a script would want to know of a simulated shop."""
    return {**asdict(made), "folder": str(made.folder)}
