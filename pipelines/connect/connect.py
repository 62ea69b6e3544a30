"""From files to the text of a shop.toml: understand them, place the shop, read the orders once.

Printing and writing files is the command's business (`pipelines.cli.init`).
"""

import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.connect.asking import Asker, Wishes
from pipelines.connect.drafts import Draft, into_drafts
from pipelines.connect.extracts import extract_column
from pipelines.connect.history import History, read_history
from pipelines.connect.numbers import with_numbers
from pipelines.connect.samples import Sample, sample_of
from pipelines.connect.understand import understand
from pipelines.connect.whereabouts import (
    Hints,
    Whereabout,
    guess_currency,
    guess_zone,
    hints_of,
    main_country,
)
from pipelines.connect.words import plain_name
from pipelines.connect.writing import ShopText, Told, written
from pipelines.connect.written_how import with_layout
from pipelines.errors import DeliveryError, ShopError
from pipelines.settings import check_timezone
from pipelines.shop import Shop
from pipelines.sources.arrivals import Arrival, look
from pipelines.sources.currencies import CODES

LONG_AGO = date(1970, 1, 1)
"""Stands in for the first day of the history until the orders have been read; never written."""


@dataclass(frozen=True)
class Connected:
    """A shop that can be written.

    Attributes
    ----------
    text
        Of shop.toml.
    notes
        For each source by name: how its files write dates and numbers, and what is open.
    left_out
        What no source takes, with the reason.
    """

    shop: Shop
    text: str
    drafts: list[Draft]
    notes: Mapping[str, Sequence[str]]
    left_out: list[str]
    timezone: Told
    currency: Told
    history: History


def connect(
    wanted: list[str], out: Path, wishes: Wishes, ask: Asker | None, tell: Callable[[str], None]
) -> Connected:
    """Understand files as deliveries of one shop.

    Parameters
    ----------
    wanted
        Files, folders, globs.
    out
        Where shop.toml will stand.
    ask
        None where nobody can be asked.
    tell
        Hears what is being done.

    Raises
    ------
    DeliveryError
        There are no files, or none of them holds orders that can be read.
    ShopError
        The timezone or the currency cannot be told.
    """
    folder = out.resolve().parent
    found = understand(wanted, ask, tell)
    drafts = [_with_extracts(draft) for draft in into_drafts(found.guesses, folder, found.others)]
    _check_orders(drafts, found.left_out)
    samples = {draft.source.name: sample_of(draft.guess) for draft in drafts}
    hints = hints_of([samples[draft.source.name] for draft in drafts if draft.table == "orders"])
    currency, timezone = _place(hints, wishes, ask)
    name = wishes.name or _name_of(folder)
    shop = Shop(
        name=name,
        title=wishes.title or name.replace("_", " ").capitalize(),
        timezone=timezone.value,
        currency=currency.value,
        history_start=LONG_AGO,
        sources=tuple(draft.source for draft in drafts),
        folder=folder,
    )
    ready, arrivals, broken = _arrived(shop, with_numbers(drafts, samples), tell)
    _check_orders(ready, [*found.left_out, *broken])
    settled = [with_layout(draft, arrivals[draft.source.name], ask) for draft in ready]
    notes = {one.draft.source.name: one.notes for one in settled}
    drafts = [one.draft for one in settled]
    history = _history(shop, drafts, arrivals, tell)
    left_out = [reason.replace(f"{folder}/", "") for reason in (*found.left_out, *broken)]
    text = written(
        ShopText(
            name, shop.title, timezone, currency, _first_day(history), _region(samples, hints), drafts, notes,
            left_out, history,
        )
    )  # fmt: skip
    entries = tomllib.loads(text)
    return Connected(
        Shop.model_validate({**entries, "folder": folder}),
        text,
        drafts,
        notes,
        left_out,
        timezone,
        currency,
        history,
    )


def _with_extracts(draft: Draft) -> Draft:
    """Split a file of orders into the extracts that it holds."""
    if draft.table != "orders" or len(draft.guesses) > 1 or draft.guess.seen.is_platform:
        return draft
    found = extract_column(draft.guess.seen, sorted(draft.guess.columns.values()))
    if found is None:
        return draft
    column, repeated = found
    why = f"{repeated:,} different rows stand in several of its parts: extracts that overlap, each a delivery"
    return replace(
        draft,
        source=draft.source.model_copy(update={"split_by": column}),
        guesses=(replace(draft.guess, split_by=column),),
        reasons={**draft.reasons, "split_by": why},
    )


def _check_orders(drafts: Sequence[Draft], left_out: Sequence[str]) -> None:
    if not any(draft.table == "orders" for draft in drafts):
        understood = [f"{draft.paths[0]}: {draft.table}" for draft in drafts]
        raise DeliveryError(
            "\n  ".join(
                ["None of these files holds orders, and the lab needs at least that.", *understood, *left_out]
            )
        )


def _place(hints: Hints, wishes: Wishes, ask: Asker | None) -> tuple[Told, Told]:
    """Settle currency and timezone: as told, as guessed, or as answered."""
    money = Whereabout(wishes.currency, "") if wishes.currency else guess_currency(hints)
    zone = Whereabout(wishes.timezone, "") if wishes.timezone else guess_zone(hints, money.value)
    open_ones: list[str] = []
    if money.value is None and ask is not None:
        money = Whereabout(ask.text("In which currency are the amounts, such as EUR?", check_currency), "")
    if zone.value is None and ask is not None:
        zone = Whereabout(
            ask.text("In which timezone is the shop, such as Europe/Berlin?", check_timezone), ""
        )
    if money.value is None:
        open_ones.append(f"the currency ({money.reason}): give --currency, such as EUR")
    if zone.value is None:
        open_ones.append(f"the timezone ({zone.reason}): give --timezone, such as Europe/Berlin")
    if money.value is None or zone.value is None:
        raise ShopError("\n  ".join(["These files do not tell", *open_ones]))
    return Told(money.value, money.reason), Told(zone.value, zone.reason)


def check_currency(value: str) -> str:
    """Refuse what is not the code of a currency."""
    if value not in CODES:
        raise ValueError(f"{value!r} is not a currency code such as EUR")
    return value


def _arrived(
    shop: Shop, drafts: Sequence[Draft], tell: Callable[[str], None]
) -> tuple[list[Draft], dict[str, list[Arrival]], list[str]]:
    """Look at every source as a run would; what a run would refuse is left out."""
    ready: list[Draft] = []
    found: dict[str, list[Arrival]] = {}
    broken: list[str] = []
    for draft in drafts:
        tell(f"reading {draft.source.name}, about {draft.rows:,} rows")
        each: list[Arrival] = []
        for path in draft.paths:
            try:
                arrived = look(shop, draft.source, path)
                for arrival in arrived:
                    _ = arrival.conventions
                each += arrived
            except DeliveryError as error:
                broken.append(str(error))
        if each:
            ready.append(draft)
            found[draft.source.name] = each
    return ready, found, broken


def _history(
    shop: Shop, drafts: Sequence[Draft], found: Mapping[str, Sequence[Arrival]], tell: Callable[[str], None]
) -> History:
    of_orders = [draft for draft in drafts if draft.table == "orders"]
    tell(f"reading about {sum(draft.rows for draft in of_orders):,} order lines for their first day")
    # An arrival knows how its file is written; only under another layout must it look again.
    settled = (
        arrival if arrival.source.layout == draft.source.layout else replace(arrival, source=draft.source)
        for draft in of_orders
        for arrival in found[draft.source.name]
    )
    return read_history(shop, settled)


def _first_day(history: History) -> date:
    if history.first_day is None:
        raise DeliveryError(
            f"No order has a time that can be read ({history.lines:,} lines). See that the column of order times is "
            "the right one and is written in one of the usual ways."
        )
    return history.first_day


def _region(samples: Mapping[str, Sample], hints: Hints) -> Told | None:
    """Say in which country phone numbers without country code are, if there are such numbers."""
    phones = [sample.rows["phone"] for sample in samples.values() if "phone" in sample.rows.columns]
    country = main_country(hints)
    if country is None or not phones:
        return None
    local = pl.concat(phones).drop_nulls().str.strip_chars().str.contains(r"^\(?0?[1-9]").sum()
    return Told(country[0], f"{local:,} phone numbers have no country code") if local else None


def _name_of(folder: Path) -> str:
    name = re.sub(r"^[^a-z]+", "", plain_name(folder.name).replace(" ", "_"))
    return name or "shop"
