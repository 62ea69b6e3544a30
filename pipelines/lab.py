"""Lab: the one door to a shop's tables for notebooks and scripts. It reads finished snapshots and changes nothing.

How each answer is worked out stands in `pipelines.explore`, `models` and `pipelines.delivery`, which are imported when
they are first asked: a lab opens at once.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.explore.opened import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping

    from models.backtest import BacktestResult
    from models.candidates import Candidate
    from models.claims import Facts
    from models.cohort_members import Measure
    from models.periods import PeriodUnit
    from pipelines.delivery.preview import Preview
    from pipelines.explore.described import Described
    from pipelines.explore.plots import Plots
    from pipelines.explore.whole_frames import WholeFrame
    from pipelines.settings import SegmentList


@dataclass(frozen=True, slots=True, repr=False)
class Lab(Opened):
    """A shop's tables as of its newest finished run.

    Attributes
    ----------
    shop, lake, as_of, snapshot
        Settings, tables on disk, last day included, and the finished run that is read.

    Examples
    --------
    >>> from pipelines.lab import Lab
    >>> lab = Lab.open(shop="uk_gift_shop")  # doctest: +SKIP
    >>> lab.plot.cohort_heat_map()  # doctest: +SKIP
    >>> lab.read("cohort_retention").collect()  # doctest: +SKIP
    """

    @classmethod
    def practice(
        cls, *, customers: int | None = None, days: int | None = None, seed: int | None = None
    ) -> "Lab":
        """Open the practice shop: 4,000 made-up people over two years, who tell more than most shops know.

        They leave orders, returns, surveys, parcels, tickets, messages, points, referrals, campaigns and costs. The
        shop is simulated and computed when it is first asked for, which takes minutes, into $RETENTION_PRACTICE or else
        beside the lakes; from then on it is opened as it is. What is true of its people lies in
        ``Lab.practice().shop.folder / "truth"``.

        Parameters
        ----------
        customers, days, seed
            Make it of other numbers; a folder holds one practice shop.

        Raises
        ------
        LakeError
            The folder holds one of other numbers than those asked for.
        """
        from pipelines.explore.practice import practice_folder, ready_practice

        shop, lake = ready_practice(practice_folder(), customers=customers, days=days, seed=seed)
        return cls.open(shop, lake)

    @property
    def plot(self) -> "Plots":
        """Charts in the house theme: those of `pipelines.report.charts` by name, and forms for any frame.

        Examples
        --------
        >>> chart = lab.plot.retention_rates()  # doctest: +SKIP
        >>> lab.plot.save(chart, "retention.svg")  # doctest: +SKIP
        """
        from pipelines.explore.plots import Plots

        return Plots(self)

    def tables(self) -> pl.DataFrame:
        """Every table of the snapshot: what one row is, how many rows, which version."""
        from pipelines.explore.overview import tables

        return tables(self)

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
        from pipelines.explore.what_if import features_on

        return features_on(self, as_of, horizon_days)

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
        from pipelines.explore.what_if import previewed

        return previewed(self, settings)

    def describe(self, name: str) -> "Described":
        """The dictionary of a table: every column with type, meaning, unit and privacy class, as ``.frame`` too."""
        from pipelines.explore.described import described

        return described(name)

    def sql(self, query: str) -> pl.DataFrame:
        """Ask one SELECT in DuckDB's SQL over the snapshot's tables by name.

        Tables that keep several days hold the newest under their name, all of them as ``<table>_all_days``. Nothing
        else on the machine can be read, and nothing written.

        Raises
        ------
        pipelines.explore.sql.QueryError
            The query cannot be asked; the message suggests tables and columns.

        Examples
        --------
        >>> lab.sql("SELECT country, count(*) AS n FROM customers GROUP BY ALL ORDER BY n DESC")  # doctest: +SKIP
        """
        from pipelines.explore.sql import asked

        return asked(self, query)

    def members(
        self,
        *,
        cohort: date | str | None = None,
        k: int | None = None,
        measure: "Measure" = "active_rate",
        period_unit: "PeriodUnit" = "month",
        segment: str | None = None,
        list: str | None = None,
    ) -> pl.LazyFrame:
        """The people behind a number: a cohort or one of its cells, a segment, or a list; name one of these.

        Parameters
        ----------
        cohort
            First day of its period, or a month such as "2011-01".
        k, measure, period_unit
            The cell, as its row in ``cohort_retention`` names it; without ``k`` everybody of the cohort.
        segment
            As in ``segment_members``, such as "rfm:Champions" or "stage:lapsed".
        list
            A list's name (its newest) or list_id; gives ``assignment``, ``position`` and ``reason``, too.

        Returns
        -------
        pl.LazyFrame
            One row per customer, sorted (a list in its own order): customer_key and the columns of
            ``customer_profile``.

        Raises
        ------
        AsOfError
            The cell is not complete yet, so nobody can say who is in it.
        LabError
            There is no such cohort, segment or list, or not one of them is named.
        """
        from pipelines.explore.members import members

        return members(
            self,
            cohort=cohort,
            k=k,
            measure=measure,
            period_unit=period_unit,
            segment=segment,
            list_name=list,
        )

    def snapshots(self) -> pl.DataFrame:
        """Every finished run of the lake, oldest day first; `compare` takes two of them."""
        from pipelines.explore.overview import snapshots

        return snapshots(self)

    def compare(self, a: date | str, b: date | str | None = None) -> pl.DataFrame:
        """Two finished runs side by side: headline numbers, champions, lists, and the tables whose rows changed.

        Parameters
        ----------
        a, b
            A snapshot_id or a day (then its newest run); ``b`` is by default the run that is open.

        Returns
        -------
        pl.DataFrame
            One row per number: what, a, b, difference, in_words. Null where a version is not kept any more.

        Raises
        ------
        LakeError
            There is no such run.
        """
        from pipelines.explore.compare import compared

        return compared(self, a, b)

    def claims(self) -> "WholeFrame":
        """What became of each claim that everybody repeats, to be read; all that is known of it is ``read("claims")``.

        Returns
        -------
        pl.DataFrame
            One row per tested part: claim, part, claimed, found (95 % interval in brackets), status, says.

        Raises
        ------
        LakeError
            The run tested none.
        """
        from pipelines.explore.overview import claims

        return claims(self)

    def claim_facts(self, **options: Any) -> "Facts":
        """What `models.claims` tests: the tables that a run tests claims on, and inputs that no table gives."""
        from pipelines.explore.overview import claim_facts

        return claim_facts(self, options)

    def backtest(
        self,
        *candidates: "str | Candidate",
        horizon_days: int | None = None,
        as_of: date | str | None = None,
        most_origins: int | None = None,
    ) -> "BacktestResult":
        """Let models foretell days that have passed by now, and compare with what happened. Changes no table.

        Parameters
        ----------
        candidates
            Names of the program's models or of shop.toml's, files such as ``own_models/mine.py:Mine`` (seen from here,
            from shop.toml or from notebooks/), or objects as `models.candidates.Candidate` says; by default all of the
            program's and the shop's own.
        horizon_days
            Days to foretell; by default a quarter of the history, at most 365.
        as_of
            Last day included; by default the snapshot's.
        most_origins
            How often the shop is put back at most; by default 3.

        Returns
        -------
        models.backtest.BacktestResult
            ``metrics``, ``comparisons``, ``champions``, and ``candidates``, which says who took no part and why; that
            is printed, too.

        Raises
        ------
        ShopError
            There is no such model.
        AsOfError
            The day or the horizon cannot be tested.

        Examples
        --------
        >>> lab.backtest("global_mean", "own_models/mine.py:Mine").metrics  # doctest: +SKIP
        """
        from pipelines.explore.own_models import back_test, tell_of

        result = back_test(
            self, candidates, horizon_days=horizon_days, as_of=as_of, most_origins=most_origins
        )
        tell_of(result.candidates)
        return result
