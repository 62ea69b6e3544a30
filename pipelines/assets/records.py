"""Records: mirrors of what people did with lists, which a database keeps (`pipelines.records`)."""

import hashlib
from collections.abc import Callable
from functools import partial

import polars as pl

from pipelines.assets.given import Given
from pipelines.assets.step import Keeps, Stage, Step
from pipelines.records.ledger import Ledger
from pipelines.shop import Shop


def steps(_: Shop) -> list[Step]:
    """Downloads, and what marketing noted of lists."""
    step = partial(Step, stage=Stage.FACTS, keeps=Keeps.NOTHING, reads=())
    return [
        step(table="download_ledger", make=lambda given: _entries(given).lazy(), identity=_of(_entries)),
        step(table="campaign_sendings", make=lambda given: _sendings(given).lazy(), identity=_of(_sendings)),
    ]


def _entries(given: Given) -> pl.DataFrame:
    return Ledger.read(given.lake.root)[0]


def _sendings(given: Given) -> pl.DataFrame:
    return Ledger.read(given.lake.root)[1]


def _of(rows: Callable[[Given], pl.DataFrame]) -> Callable[[Given], str]:
    return lambda given: hashlib.sha256(rows(given).write_json().encode()).hexdigest()
