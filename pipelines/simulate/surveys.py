"""Who is asked after an order, who answers, and what: satisfied people answer more readily.

Scores are what an order's satisfaction looks like on each scale, with some noise. Neither asking nor answering changes
what a person does.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.simulate.block import Block, chosen, exported
from pipelines.simulate.parameters import PLACED, WEB

Floats = NDArray[np.float64]

KINDS = ("nps", "csat", "product")
KIND_SHARES = np.array([0.5, 0.3, 0.2])
LOWEST, HIGHEST = np.array([0, 1, 1]), np.array([10, 5, 5])
MIDDLE, BY_SATISFACTION, NOISE = (
    np.array([8.0, 4.1, 4.1]),
    np.array([1.6, 0.7, 0.7]),
    np.array([1.0, 0.5, 0.6]),
)
GOOD_COMMENTS = ("All good.", "Quick and just as shown.", "Happy to order again.", "Lovely quality.")
BAD_COMMENTS = ("Came too late.", "Not what I expected.", "Had to send it back.", "Nobody answered my mail.")


def invitations_and_answers(block: Block) -> Mapping[str, pl.DataFrame]:
    """Ask after some web orders once they have arrived: survey_invitations and survey_answers."""
    orders, clock, contact, generator = (
        block.histories.orders,
        block.clock,
        block.numbers.contact,
        block.generator,
    )
    is_asked = (orders.standing == PLACED) & (orders.channel == WEB)
    is_asked &= generator.random(orders.size) < contact.invited_share
    sent_at = np.floor(orders.delivered_at) + 2 + generator.uniform(8, 18, orders.size) / 24
    rows = np.flatnonzero(is_asked & (sent_at < clock.end))
    sent, satisfaction, who = sent_at[rows], orders.satisfaction[rows], orders.who[rows]
    kind = np.searchsorted(np.cumsum(KIND_SHARES)[:-1], generator.random(len(rows)))
    spread = generator.normal(0.0, 1.0, len(rows))
    score = np.rint(MIDDLE[kind] + BY_SATISFACTION[kind] * satisfaction + NOISE[kind] * spread)
    score = np.clip(score, LOWEST[kind], HIGHEST[kind]).astype(np.int64)
    willing = 1 / (1 + np.exp(-(contact.answer_intercept + contact.answer_by_satisfaction * satisfaction)))
    answered = sent + 0.01 + generator.exponential(1.5, len(rows))
    answers = (generator.random(len(rows)) < willing) & (answered < clock.end)
    ids, kinds = block.ids("Q", len(rows)), chosen(KINDS, kind)
    cells = block.account_cells(who, sent)
    order_ids = block.order_ids.gather(rows)
    asked = {"survey_id": ids, **cells, "order_id": order_ids, "kind": kinds, "sent_at": clock.texts(sent)}
    answer = {
        "survey_id": ids,
        **cells,
        "order_id": order_ids,
        "kind": kinds,
        "score": pl.Series(score).cast(pl.String),
        "comment": _comments(satisfaction, contact.comment_share, generator),
        "answered_at": clock.texts(answered),
    }
    return {
        "survey_invitations": exported(asked, block.delivery_of(sent)),
        "survey_answers": exported(answer, block.delivery_of(answered)).filter(pl.Series(answers)),
    }


def _comments(satisfaction: Floats, share: float, generator: np.random.Generator) -> pl.Series:
    size = len(satisfaction)
    which = generator.integers(0, len(GOOD_COMMENTS), size) + np.where(
        satisfaction < -1, len(GOOD_COMMENTS), 0
    )
    silent = generator.random(size) >= share
    return chosen((*GOOD_COMMENTS, *BAD_COMMENTS, None), np.where(silent, len(GOOD_COMMENTS) * 2, which))
