"""What shops call things: names of columns, files, countries and fees, compared without case, accents and marks.

The words themselves stand in words.toml, to which anybody may add. What a column's values look like is
`pipelines.connect.evidence`' business.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

PARTLY = 0.35
"""Score of a column whose name has more words than one of ours; a name that is one of ours has at least 0.7."""
_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]")
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def words() -> dict[str, Any]:
    """Read words.toml."""
    return tomllib.loads(files("pipelines.connect").joinpath("words.toml").read_text(encoding="utf-8"))


@cache
def plain_name(text: str) -> str:
    """Write a name as lower-case words: "Bestell-Nr. (intern)", "bestellNr" and "BESTELL_NR" are the same.

    >>> plain_name("Customer ID"), plain_name("InvoiceDate (UTC)"), plain_name("Grösse")
    ('customer id', 'invoice date', 'grosse')
    """
    bare = _CAPITALS.sub(" ", _BRACKETS.sub(" ", text)).replace("ß", "ss").casefold()
    letters = "".join(c for c in unicodedata.normalize("NFKD", bare) if not unicodedata.combining(c))
    return " ".join(re.findall(r"[a-z0-9]+", letters))


def name_score(header: str, known: Iterable[str]) -> float:
    """Say how well a column's name fits a list of names, the best first: 0 to 1."""
    name = plain_name(header)
    entries = list(known)
    if name in entries:
        return 1 - 0.3 * entries.index(name) / len(entries)
    shares = [len(entry) / len(name) for entry in entries if len(entry) > 3 and _holds(name, entry)]
    return PARTLY + 0.25 * max(shares) if shares else 0.0


def words_in(text: str, known: Iterable[str]) -> bool:
    """Whether one of the names stands in a text as words of its own."""
    name = plain_name(text)
    return any(_holds(name, entry) for entry in known)


def _holds(name: str, entry: str) -> bool:
    return f" {entry} " in f" {name} "


def country_code(text: str) -> str | None:
    """Read a country's two-letter code from a code or a name; None where it is neither."""
    if re.fullmatch(r"[A-Za-z]{2}", text.strip()) and text.strip().upper() in _iso_names().values():
        return text.strip().upper()
    name = plain_name(text)
    known = (code for code, names in words()["countries"].items() if name in names)
    return next(known, _iso_names().get(name))


def zones_of(country: str) -> list[str]:
    """Give a country's timezones, the one where most people live first."""
    lines = _of_tzdata("zone.tab")
    zones = [cells[2] for cells in lines if cells[0] == country]
    first = words()["main_zones"].get(country)
    return sorted(zones, key=lambda zone: zone != first)


def currency_of(country: str) -> str | None:
    """Give a country's currency, for the countries in words.toml."""
    return next((code for code, countries in words()["currencies"].items() if country in countries), None)


@cache
def _iso_names() -> dict[str, str]:
    return {plain_name(cells[1]): cells[0] for cells in _of_tzdata("iso3166.tab")}


@cache
def _of_tzdata(name: str) -> list[list[str]]:
    """Read one of the tables that come with the timezone database."""
    text = files("tzdata").joinpath("zoneinfo", name).read_text(encoding="utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]
