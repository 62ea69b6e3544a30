"""From guesses about files to sources: files of the same shape in one folder are one source with a pattern.

A source's name, its path as shop.toml says it, and whose numbers it brings. What its columns are is `guess`' business.
"""

import glob
import os
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from pipelines.connect.guess import Guess
from pipelines.connect.words import plain_name
from pipelines.settings import Layout, Source

UTC_IN_NAME = re.compile(r"\b(UTC|GMT)\b")


@dataclass(frozen=True)
class Draft:
    """One source to be.

    Attributes
    ----------
    guesses
        One a file, all of the same shape.
    reasons
        Why settings of the source are as they are, in words for people.
    """

    source: Source
    guesses: tuple[Guess, ...]
    reasons: dict[str, str]

    @property
    def guess(self) -> Guess:
        """What the first of its files is like; so are the others."""
        return self.guesses[0]

    @property
    def table(self) -> str:
        """The table it delivers."""
        return self.source.table

    @property
    def paths(self) -> tuple[Path, ...]:
        """Its files."""
        return tuple(guess.seen.path for guess in self.guesses)

    @property
    def rows(self) -> int:
        """How many rows its files have, about."""
        return sum(guess.seen.rows for guess in self.guesses)


def into_drafts(guesses: Sequence[Guess], folder: Path, others: Collection[Path] = ()) -> list[Draft]:
    """Make sources of guesses, those of orders first and the largest of them before the others.

    Parameters
    ----------
    folder
        Where shop.toml will stand: paths are relative to it.
    others
        Files that hold something else: no pattern may take them in.
    """
    groups: dict[tuple[object, ...], list[Guess]] = {}
    for guess in guesses:
        groups.setdefault(_shape(guess), []).append(guess)
    every = {*others, *(guess.seen.path for guess in guesses)}
    sets = [part for group in groups.values() for part in _patterned(group, every)]
    sets.sort(
        key=lambda one: (one[1][0].table != "orders", one[1][0].table, -sum(g.seen.rows for g in one[1]))
    )
    names = _names([(group[0], pattern) for pattern, group in sets])
    return [_draft(name, pattern, group, folder) for name, (pattern, group) in zip(names, sets, strict=True)]


def _shape(guess: Guess) -> tuple[object, ...]:
    seen = guess.seen
    mapped = (tuple(sorted(guess.columns.items())), tuple(sorted(guess.values.items())))
    return seen.path.parent, seen.format.name, guess.table, seen.layout.sheet, mapped, guess.split_by


def _patterned(group: list[Guess], every: set[Path]) -> list[tuple[Path, list[Guess]]]:
    """Give a group its file or pattern; file by file where no pattern means just these."""
    if len(group) == 1:
        return [(_with_those_to_come(group[0].seen.path), group)]
    folder = group[0].seen.path.parent
    names = [guess.seen.path.name for guess in group]
    start, end = _common_start(names), _common_start([name[::-1] for name in names])[::-1]
    starts = (re.sub(r"[0-9][0-9_. -]*$", "", start), start)
    ends = (end if end.startswith(".") else "".join(re.findall(r"\.[A-Za-z.]+$", end)), end)
    wanted = {guess.seen.path for guess in group}
    for pattern in (f"{glob.escape(a)}*{glob.escape(b)}" for a, b in zip(starts, ends, strict=True)):
        if set(folder.glob(pattern)) & every == wanted:
            return [(folder / pattern, group)]
    return [(guess.seen.path, [guess]) for guess in group]


def _with_those_to_come(path: Path) -> Path:
    """Give a pattern that takes in this file and the next of its kind: another number or date in its name."""
    stem, dot, ending = path.name.partition(".")
    parts = re.split(r"[0-9]+(?:[-_. ][0-9]+)*", stem)
    pattern = "*".join(glob.escape(part) for part in (parts if len(parts) > 1 else [stem, ""]))
    pattern = f"{pattern}{dot}{glob.escape(ending)}"
    has_name = any(letter.isalpha() for letter in pattern.partition(".")[0])
    return path.parent / pattern if has_name and set(path.parent.glob(pattern)) == {path} else path


def _common_start(names: list[str]) -> str:
    same = (len(set(letters)) == 1 for letters in zip(*names, strict=False))
    return names[0][: sum(takewhile(bool, same))]


def _names(parts: list[tuple[Guess, Path]]) -> list[str]:
    """Name sources by their table, and where a table has several by what tells them apart."""
    several = Counter(guess.table for guess, _ in parts)
    names: list[str] = []
    for guess, pattern in parts:
        name = guess.table
        if several[guess.table] > 1:
            sheet = guess.seen.layout.sheet or ""
            words = plain_name(f"{pattern.stem.replace('*', ' ')} {sheet}").replace(" ", "_")
            own = guess.seen.format.name if guess.seen.is_platform else words.removeprefix(f"{guess.table}_")
            name = (own if guess.table in own else f"{guess.table}_{own}")[:60].rstrip("_")
        number = 2
        while name in names:
            name = f"{re.sub(r'_[0-9]+$', '', name)}_{number}"
            number += 1
        names.append(name)
    return names


def _draft(name: str, pattern: Path, group: list[Guess], folder: Path) -> Draft:
    guess = group[0]
    reasons = dict(guess.reasons)
    told_utc = [header for header in guess.columns.values() if UTC_IN_NAME.search(header)]
    timezone = "UTC" if told_utc and guess.seen.format.timezone is None else None
    if timezone:
        reasons["timezone"] = f"column {told_utc[0]!r} says so"
    source = Source(
        name=name,
        table=guess.table,
        format=guess.seen.format.name,
        path=relative_path(pattern, folder),
        columns=dict(guess.columns),
        values=dict(guess.values),
        split_by=guess.split_by,
        timezone=timezone,
        layout=Layout(sheet=guess.seen.layout.sheet),
    )
    return Draft(source, tuple(group), reasons)


def relative_path(path: Path, folder: Path) -> str:
    """Write a path as shop.toml says it: relative to its folder, with slashes."""
    return Path(os.path.relpath(path, folder)).as_posix()
