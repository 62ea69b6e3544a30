"""Lab: the one door to a shop's tables for notebooks and scripts. It reads finished snapshots and changes nothing."""

import os
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from data_contracts import table, table_names
from pipelines.errors import AsOfError, LakeError
from pipelines.lake import Lake, find_lake_folder
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.delivery.preview import Preview
    from pipelines.settings import SegmentList


@dataclass(frozen=True, slots=True)
class Lab:
    """A shop's tables as of its newest finished run.

    Attributes
    ----------
    shop
        The shop's settings.
    lake
        The tables on disk; use `read` rather than the lake.
    as_of
        The last day included in what `read` gives by default.
    snapshot
        The finished run that is read; None inside a run's own notebooks, which read what the run has written so far.

    Examples
    --------
    >>> from pipelines.lab import Lab
    >>> lab = Lab.open(shop="uk_gift_shop")  # doctest: +SKIP
    >>> lab.read("cohort_retention").collect()  # doctest: +SKIP
    """

    shop: Shop
    lake: Lake
    as_of: date
    snapshot: Snapshot | None

    @classmethod
    def open(cls, shop: str | Path | None = None, lake: str | Path | None = None) -> "Lab":
        """Open a shop's lake at its newest finished snapshot.

        Parameters
        ----------
        shop
            Name, folder or shop.toml; by default $RETENTION_SHOP, else the bundled real shop.
        lake
            The lake's folder; by default $RETENTION_LAKE, else lake/<shop> beside workspace.yaml.

        Raises
        ------
        ShopError, LakeError
            There is no such shop, or no finished run.
        """
        opened = Shop.open(shop or os.environ.get("RETENTION_SHOP") or "uk_gift_shop")
        found = Lake.open(find_lake_folder(opened.name, lake), opened.name)
        if os.environ.get("RETENTION_UNFINISHED"):
            return cls(opened, found, date.fromisoformat(os.environ["RETENTION_AS_OF"]), None)
        snapshot = newest_snapshot(found)
        return cls(opened, found, snapshot.as_of, snapshot)

    def tables(self) -> pl.DataFrame:
        """Every table of the snapshot: what one row is, how many rows, which version."""
        names = [name for name in self._versions() if name in table_names()]
        return pl.DataFrame(
            {
                "table": names,
                "one_row_per": [table(name).grain for name in names],
                "layer": [table(name).layer.value for name in names],
                "rows": [self.read(name).select(pl.len()).collect().item() for name in names],
                "version": [self._versions()[name] for name in names],
            }
        )

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
        day = self.as_of if as_of is None else _day(as_of)
        chosen = frame.filter(pl.col("as_of") == day)
        if as_of is not None and chosen.head(1).collect().is_empty():
            days = frame.select(pl.col("as_of").unique().sort()).collect().to_series().to_list()
            raise AsOfError(f"Table {name} has no rows for {day}; it has {', '.join(map(str, days[-5:]))}.")
        return chosen

    def features(self, as_of: date | str | None = None, horizon_days: int | None = None) -> pl.LazyFrame:
        """What was known of each customer at the end of a day: the matrix that the trees learn from.

        Parameters
        ----------
        as_of
            Last day known; by default the snapshot's.
        horizon_days
            With it, also what the purchase models, fitted on that day, expect of the days ahead.

        Returns
        -------
        pl.LazyFrame
            One row per customer; the columns are told at `models.features.features`. Tables that the shop does not have
            leave theirs out.

        Raises
        ------
        AsOfError
            The day lies after the newest finished run's.

        Examples
        --------
        >>> lab.features("2011-06-30").collect()  # doctest: +SKIP
        """
        from models.features import features
        from pipelines.assets.known import feature_tables, with_rows

        day = self.as_of if as_of is None else _day(as_of)
        if day > self.as_of:
            raise AsOfError(
                f"{day} lies after the newest finished run's day, {self.as_of}. Give an earlier day."
            )
        tables = with_rows(feature_tables(self.shop), self.read)
        return features(day, horizon_days=horizon_days, **tables)

    def preview(self, settings: "Mapping[str, Any] | SegmentList") -> "Preview":
        """Try a list out on the newest finished run, without touching the lake.

        Parameters
        ----------
        settings
            A list's settings as in shop.toml; of name, title, purpose and reason what is not given is made up.

        Returns
        -------
        pipelines.delivery.preview.Preview
            Counts by step and cause, who would be on it and why, what its campaign could show.

        Raises
        ------
        ShopError
            The settings make no list, or the rule cannot be asked; the message suggests columns.

        Examples
        --------
        >>> lab.preview({"where": "stage = 'lapsed' AND m = 3", "hold_out": 0.2})  # doctest: +SKIP
        """
        from pipelines.delivery.night import tables_of
        from pipelines.delivery.preview import preview
        from pipelines.keys import keys_of

        if self.snapshot is None:
            raise LakeError("A list can be tried out once a run has finished; this one has not yet.")
        made_at = datetime.combine(self.as_of, time(), UTC)
        salt = keys_of(self.shop, self.lake.root).hold_out
        return preview(self.shop, tables_of(self.lake, self.snapshot), settings, salt=salt, made_at=made_at)

    def describe(self, name: str) -> pl.DataFrame:
        """The dictionary of a table: every column with type, meaning, unit and privacy class."""
        columns = table(name).columns
        return pl.DataFrame(
            {
                "column": [column.name for column in columns],
                "type": [column.kind for column in columns],
                "meaning": [column.meaning for column in columns],
                "unit": [column.unit for column in columns],
                "privacy": [column.privacy.value for column in columns],
            }
        )

    def _rows(self, name: str, version: int | None) -> pl.LazyFrame:
        if version is None and self.snapshot is None:
            return self._unfinished(name)
        known = self._versions().get(name)
        if known is None:
            raise LakeError(
                f"Table {name} was not written by a finished run for {self.as_of} in {self.lake.root}. "
                "Run `retention run` first."
            )
        if version is not None and not 0 <= version <= known:
            raise LakeError(f"Table {name} has no version {version}; it has 0 to {known}.")
        return self.lake.scan(name, version=known if version is None else version)

    def _unfinished(self, name: str) -> pl.LazyFrame:
        """What the run that is going on gives its own steps, also of tables that keep the newest day only."""
        if table(name).is_kept_by_as_of:
            return self.lake.scan(name)
        from pipelines.assets.catalogue import steps_of
        from pipelines.assets.given import Given
        from pipelines.assets.step import Moment

        moment = Moment("notebook", datetime.combine(self.as_of, time(), UTC), self.as_of)
        return Given(self.shop, self.lake, moment, steps_of(self.shop)).table(name)

    def _versions(self) -> dict[str, int]:
        return self.lake.versions() if self.snapshot is None else self.snapshot.versions


def _day(as_of: date | str) -> date:
    try:
        return date.fromisoformat(str(as_of))
    except ValueError as error:
        raise AsOfError(f"as_of must be a day such as 2011-12-09, or 'all', not {as_of!r}.") from error
