"""Blocks of made-up people for tests, without any file."""

import numpy as np

from pipelines.simulate.block import Block
from pipelines.simulate.catalogue import stock
from pipelines.simulate.clock import Clock
from pipelines.simulate.drawing import draw_block
from pipelines.simulate.histories import World
from pipelines.simulate.parameters import Parameters


def block(size: int, *, days: int = 730, seed: int = 1, numbers: Parameters | None = None) -> Block:
    """One block of people who have lived."""
    generator = np.random.default_rng(seed)
    world = World(Clock.of(days), stock(generator), numbers or Parameters())
    return draw_block(0, size, world, generator)
