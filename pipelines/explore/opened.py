"""A shop's tables as one finished run left them: opening, and reading one table at a time. Nothing is written.

This is what a lab stands on; the questions it answers beyond a table are asked by `pipelines.lab.Lab`.
"""

import os
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, Self

import polars as pl

from data_contracts import table, table_names
from pipelines.errors import AsOfError, LakeError
from pipelines.explore.table_files import rows_of_day
from pipelines.lake import Lake, find_lake_folder
from pipelines.report.words import SPACE, counted
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot


@dataclass(frozen=True, slots=True, repr=False)
class Opened:
    """A shop's tables as of a finished run.

    Attributes
    ----------
    shop
        The shop's settings.
    lake
        The tables on disk; use `read` rather than the lake.
    as_of
        The last day included in what `read` gives by default.
    snapshot
        The finished run that is read.
    """

    shop: Shop
    lake: Lake
    as_of: date
    snapshot: Snapshot

    @classmethod
    def open(
        cls,
        shop: str | Path | None = None,
        lake: str | Path | None = None,
        as_of: date | str | None = None,
    ) -> Self:
        """Open a shop's lake at its newest finished snapshot, or at a day's newest.

        Parameters
        ----------
        shop
            Name, folder or shop.toml; by default $RETENTION_SHOP, else the bundled real shop.
        lake
            The lake's folder; by default $RETENTION_LAKE, else lake/<shop> beside workspace.yaml.
        as_of
            A day that was published; by default the newest. Where neither shop nor lake is named, $RETENTION_AS_OF is
            asked first: a notebook that runs at night reads its night.

        Raises
        ------
        ShopError, LakeError
            There is no such shop, or no finished run.
        """
        if as_of is None and shop is None and lake is None:
            as_of = os.environ.get("RETENTION_AS_OF") or None
        opened = Shop.open(shop or os.environ.get("RETENTION_SHOP") or "uk_gift_shop")
        found = Lake.open(find_lake_folder(opened.name, lake), opened.name)
        snapshot = newest_snapshot(found, None if as_of is None else as_day(as_of))
        _dress_notebook()
        return cls(opened, found, snapshot.as_of, snapshot)

    def __repr__(self) -> str:
        tables = counted(sum(name in table_names() for name in self.snapshot.versions), "table")
        return f"{type(self).__name__}({self.shop.name}, as of {self.as_of}, {tables})".replace(SPACE, " ")

    def read(
        self, name: str, as_of: date | str | Literal["all"] | None = None, version: int | None = None
    ) -> pl.LazyFrame:
        """Read a table lazily.

        Parameters
        ----------
        name
            Table name; see `tables`.
        as_of
            In tables that keep several days: the newest by default, a day, or "all" of them.
        version
            A version of the table; by default the snapshot's.

        Raises
        ------
        ContractError
            There is no such table.
        LakeError
            No finished run wrote it, or it has no such version.
        AsOfError
            There are no rows for that day, or the table keeps no days.
        """
        promised = table(name)
        frame = self._rows(name, version)
        if not promised.is_kept_by_as_of:
            if as_of not in (None, "all"):
                raise AsOfError(
                    f"Table {name} keeps no days, so it cannot be read as of {as_of}. What was known on a day is "
                    "worked out by `models.summary`."
                )
            return frame
        if as_of == "all":
            return frame
        day = self.as_of if as_of is None else as_day(as_of)
        kept = self.snapshot.versions.get(name) if version is None else version
        of_day = frame.filter(pl.col("as_of") == day)
        chosen = of_day if kept is None else rows_of_day(frame, self.lake, name, kept, day)
        if as_of is not None and chosen.head(1).collect().is_empty():
            days = frame.select(pl.col("as_of").unique().sort()).collect().to_series().to_list()
            raise AsOfError(f"Table {name} has no rows for {day}; it has {', '.join(map(str, days[-5:]))}.")
        return chosen

    def has(self, name: str) -> bool:
        """Whether a table has rows in the snapshot: what a shop does not deliver is not there.

        Raises
        ------
        ContractError
            There is no such table in the dictionary.
        """
        try:
            return not self.read(name).head(1).collect().is_empty()
        except LakeError:
            return False

    def _rows(self, name: str, version: int | None) -> pl.LazyFrame:
        known = self.snapshot.versions.get(name)
        if known is None and version is None and self.lake.has(name):
            from pipelines.explore.past_days import made_of_facts

            if (made := made_of_facts(self, name)) is not None:
                return made
        if known is None:
            raise LakeError(
                f"Table {name} was not written by a finished run for {self.as_of} in {self.lake.root}. "
                "Run `retention run` first."
            )
        if version is not None and not 0 <= version <= known:
            raise LakeError(f"Table {name} has no version {version}; it has 0 to {known}.")
        return self.lake.scan(name, version=known if version is None else version)


def as_day(as_of: date | str) -> date:
    """Read a day as people write it.

    Raises
    ------
    AsOfError
        It is none.
    """
    try:
        return date.fromisoformat(str(as_of))
    except ValueError as error:
        raise AsOfError(f"as_of must be a day such as 2011-12-09, or 'all', not {as_of!r}.") from error


def _dress_notebook() -> None:
    """Make the house theme that of every chart of a running notebook; elsewhere Altair is not even imported."""
    if "ipykernel" in sys.modules:
        from pipelines.report import theme

        theme.enable()
