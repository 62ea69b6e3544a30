"""Shelf: what the pages and the JSON show, read from the newest finished run and from the ledger.

Counts only: the few people whose first letters may be shown are read by `pipelines.portal.sample`. Who may see what
is decided by `pipelines.portal.access`; how it is written for people by `pipelines.portal.pages`.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import polars as pl

from pipelines.delivery.contact_cap import used_lists
from pipelines.delivery.departures import stamp
from pipelines.delivery.used_since import with_uses_since
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.portal import gate_facts
from pipelines.portal.campaign_facts import campaigns, pressure
from pipelines.portal.cards import card
from pipelines.portal.condition import freshness, quality
from pipelines.portal.facts import (
    Campaign,
    Freshness,
    ListPage,
    Overview,
    Pressure,
    Quality,
    Someone,
    Taken,
)
from pipelines.portal.newest import Newest
from pipelines.portal.noted import Notes
from pipelines.portal.sample import masked_sample
from pipelines.shop import Shop
from pipelines.snapshots import Snapshot, newest_snapshot

if TYPE_CHECKING:
    from pipelines.records.ledger import Ledger

Row = Mapping[str, Any]


DOWNLOADS_SHOWN = 50
"""Downloads on a list's page; the page of all has more."""


class NoSuchListError(LabError):
    """The newest finished run knows no list of that name."""


class Shelf:
    """Everything that is shown of one shop.

    Parameters
    ----------
    shop, lake, ledger
        The shop, its tables, and who took and sent what.
    """

    def __init__(self, shop: Shop, lake: Lake, ledger: "Ledger") -> None:
        self.shop = shop
        self.lake = lake
        self.ledger = ledger
        self.newest = Newest(lake)
        self._notes = Notes(ledger)

    def freshness(self, now: datetime) -> Freshness:
        """How old what is shown is."""
        return freshness(self.newest, self.shop, now)

    def overview(self, now: datetime) -> Overview:
        """The newest lists as cards: those that can be taken first, then by title."""
        fresh = self.freshness(now)
        lists = self._campaigns().filter(pl.col("as_of") == self.newest.snapshot.as_of)
        noted = self._notes.now()
        rows = lists.sort("name").to_dicts()
        cards = (card(row, self.newest, fresh, noted, now) for row in rows)
        return Overview(
            cards=tuple(sorted(cards, key=lambda one: (not one.can_be_taken, one.title))),
            freshness=fresh,
            customers=max((int(row["everyone"]) for row in rows), default=0),
        )

    def page(self, name: str, now: datetime) -> ListPage:
        """Everything about one list, by its id, or by its name for the newest.

        Raises
        ------
        NoSuchListError
            There is none.
        """
        row = self._campaign(name)
        list_id, day = row["list_id"], row["as_of"]
        fresh = self.freshness(now)
        noted = self._notes.now()
        found = self._of_day("list_stops", day).filter(pl.col("list_id") == list_id).to_dicts()
        newest_id = self._campaigns().filter(pl.col("name") == row["name"])["list_id"].max()
        return ListPage(
            card=card(row, self.newest, fresh, noted, now),
            freshness=fresh,
            everyone=int(row["everyone"]),
            stops=gate_facts.stops(row, found),
            groups=self.newest.remembered(
                ("groups", list_id), lambda: gate_facts.groups(self.newest, list_id, day)
            ),
            overlaps=gate_facts.overlaps(self._of_day("list_overlaps", day), self._campaigns(), list_id),
            files=gate_facts.files(self._of_day("list_files", day).filter(pl.col("list_id") == list_id)),
            downloads=noted.downloads(row["name"], most=DOWNLOADS_SHOWN),
            made=gate_facts.made(row, self._snapshot_of(day), self._model(day)),
            newest_list_id=str(newest_id),
        )

    def sample(self, list_id: str) -> tuple[Someone, ...]:
        """A few people of a list whom nobody can recognise."""
        row = self._campaign(list_id)
        # Whoever was erased since the run must not be remembered here.
        key = ("sample", row["list_id"], stamp(self.lake, "list_members", "contacts"))
        return self.newest.remembered(key, lambda: masked_sample(self.newest, row["list_id"], row["as_of"]))

    def downloads(self, most: int | None = None) -> tuple[Taken, ...]:
        """Everything that was ever downloaded, newest first; of it so many."""
        return self._notes.now().downloads(most=most)

    def quality(self, now: datetime) -> Quality:
        """What came in, and in what condition it is."""
        return quality(self.newest, self.shop, now)

    def results(self) -> tuple[Campaign, ...]:
        """Each campaign with its result, the newest first."""
        day = self.newest.snapshot.as_of
        used = used_lists(self.ledger.entries(), self.ledger.sendings(), self.shop.zone)
        return campaigns(with_uses_since(self._of_day("campaign_results", day), self._campaigns(), used))

    def result(self, campaign: str) -> Campaign:
        """One campaign's result.

        Raises
        ------
        NoSuchListError
            There is no such campaign.
        """
        found = next((result for result in self.results() if result.campaign == campaign), None)
        if found is None:
            raise NoSuchListError(f"There is no campaign {campaign!r} in the newest finished run.")
        return found

    def pressure(self) -> tuple[Pressure, ...]:
        """How often customers were written to in the last 90 days, and how many of such unsubscribed."""
        day = self.newest.snapshot.as_of
        return self.newest.remembered("pressure", lambda: pressure(self._of_day("contact_pressure", day)))

    def _campaigns(self) -> pl.DataFrame:
        return self.newest.remembered("lists", lambda: self.newest.scan("campaign_lists").collect())

    def _campaign(self, name: str) -> Row:
        lists = self._campaigns()
        found = lists.filter((pl.col("list_id") == name) | (pl.col("name") == name)).sort("as_of").tail(1)
        if found.is_empty():
            raise NoSuchListError(f"There is no list {name!r} in the newest finished run.")
        return found.row(0, named=True)

    def _of_day(self, name: str, day: date) -> pl.DataFrame:
        def read() -> pl.DataFrame:
            return self.newest.scan(name).filter(pl.col("as_of") == day).collect()

        return self.newest.remembered((name, day), read)

    def _snapshot_of(self, day: date) -> Snapshot:
        newest = self.newest.snapshot
        if day == newest.as_of:
            return newest
        return self.newest.remembered(("snapshot", day), lambda: newest_snapshot(self.lake, day))

    def _model(self, day: date) -> str | None:
        champions = self._of_day("champions", day).filter(pl.col("quantity") == "value")
        return str(champions["model"][0]) if champions.height else None
