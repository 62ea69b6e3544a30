"""One block of people from its seed: who they are, what they do, and the tables that the shop exports of it.

Blocks know nothing of each other, so that several can be drawn at once.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl

from pipelines.simulate import (
    after_sales,
    campaigns,
    histories,
    order_export,
    people,
    relations,
    surveys,
)
from pipelines.simulate.block import Block
from pipelines.simulate.histories import World

IDS_A_PERSON = 50
"""Numbers kept free for each person: of orders, parcels, messages ... of a block."""


def draw_block(before: int, size: int, world: World, generator: np.random.Generator) -> Block:
    """Draw people and let them live.

    Parameters
    ----------
    before
        How many people the blocks before this one have.
    """
    drawn = people.draw(before + 1, size, world.clock, world.numbers, generator)
    permissions = campaigns.permit(drawn, world.clock, world.numbers, generator)
    assigned = campaigns.assign(drawn, permissions, world.clock, world.numbers, generator)
    lived = histories.live(drawn, assigned, world, generator)
    first_id = before * IDS_A_PERSON + 1
    ids = order_export.order_ids(lived.orders.channel, first_id)
    names = people.name(drawn, generator)
    return Block(drawn, names, permissions, assigned, lived, ids, first_id, world, generator)


def tables(block: Block, corrections: int) -> Mapping[str, pl.DataFrame]:
    """Give every table of a block but the costs, which are figures of all blocks.

    Parameters
    ----------
    corrections
        Number of the delivery that brings corrections.
    """
    return {
        "orders": order_export.order_lines(block, corrections),
        "shipments": after_sales.shipments(block),
        "returns": after_sales.returns(block),
        "tickets": after_sales.tickets(block),
        "customers": relations.customers(block),
        "consents": relations.consents(block),
        "suppressions": relations.suppressions(block),
        "loyalty_ledger": relations.loyalty_ledger(block),
        "referrals": relations.referrals(block),
        **surveys.invitations_and_answers(block),
        **relations.campaigns(block),
    }
