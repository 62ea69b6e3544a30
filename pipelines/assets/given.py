"""What a step's function is given: the shop, the day, and the tables it may read."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from pipelines.assets.program import code_version
from pipelines.assets.step import Keeps, Moment, Step
from pipelines.keys import Keys, keys_of
from pipelines.lake import Lake
from pipelines.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Given:
    """A step's view of the lake for one run.

    Attributes
    ----------
    steps
        Every step of the shop by table, to make an earlier day's rows of tables that keep the newest day
        only.
    """

    shop: Shop
    lake: Lake
    moment: Moment
    steps: "Mapping[str, Step]"

    @property
    def as_of(self) -> date:
        """The last day included; only steps of the job ``publish`` have one."""
        assert self.moment.as_of is not None, "steps of the job ingest know no as_of"
        return self.moment.as_of

    @property
    def keys(self) -> Keys:
        """The shop's secret keys."""
        return keys_of(self.shop, self.lake.root)

    def table(self, name: str) -> pl.LazyFrame:
        """Give the rows of a table that belong to this run's as_of."""
        step = self.steps.get(name)
        keeps = step.keeps if step else Keeps.EVERYTHING
        if keeps is Keeps.OTHER_DAYS:
            return self.lake.scan(name, as_of=self.as_of)
        if step and keeps is Keeps.NEWEST_DAY and self.lake.as_of(name) != self.as_of:
            made = step.make(self)
            assert isinstance(made, pl.LazyFrame)
            return made
        return self.lake.scan(name)

    def fingerprint(self, name: str) -> str:
        """Say what the rows that `table` gives were made from; empty for a table that was never written."""
        step = self.steps.get(name)
        if step is None or step.keeps not in (Keeps.OTHER_DAYS, Keeps.NEWEST_DAY):
            return self.lake.fingerprint(name) or ""
        if step.keeps is Keeps.NEWEST_DAY and self.lake.as_of(name) != self.as_of:
            return self.fingerprint_of(step)
        return self.lake.fingerprint(name, self.as_of) or ""

    def fingerprint_of(self, step: Step) -> str:
        """Checksum everything that the rows of a step depend on: tables read, settings, program, day."""
        parts = {
            "table": step.table,
            "code": code_version(),
            "settings": self.shop.settings_hash(*step.settings) if step.settings else "",
            "as_of": "" if step.stage.is_ingest else self.as_of.isoformat(),
            "reads": [self.fingerprint(name) for name in step.reads],
            "identity": step.identity(self) if step.identity else "",
        }
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:24]
