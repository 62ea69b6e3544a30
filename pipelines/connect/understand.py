"""Look at all files and settle what each of them delivers, asking a person what nothing tells.

How one file is looked at and guessed is `seen`'s and `guess`' business.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.connect.asking import Asker
from pipelines.connect.files import find_files
from pipelines.connect.guess import Guess, guess_table, guess_tables
from pipelines.connect.matching import delivered_tables
from pipelines.connect.seen import Seen, look_at
from pipelines.errors import DeliveryError


@dataclass(frozen=True)
class Understood:
    """What files deliver.

    Attributes
    ----------
    guesses
        All complete: every column that a table needs was found.
    left_out
        What no source takes, with the reason.
    others
        Files that were read and not understood.
    """

    guesses: list[Guess]
    left_out: list[str]
    others: set[Path]


def understand(wanted: list[str], ask: Asker | None, tell: Callable[[str], None]) -> Understood:
    """Look at files, folders and globs."""
    files = find_files(wanted)
    left_out = [f"{path} is of no kind that is read here." for path in files.left_out]
    guesses: list[Guess] = []
    others: set[Path] = set()
    for path in files.files:
        tell(f"looking at {path.name}")
        try:
            for seen in look_at(path):
                found, reason = _settled(seen, ask)
                guesses += found
                left_out += [reason] if reason else []
                others |= set() if found else {path}
        except DeliveryError as error:
            left_out.append(str(error))
    return Understood(guesses, left_out, others)


def _settled(seen: Seen, ask: Asker | None) -> tuple[list[Guess], str]:
    """Give what a file delivers, or why nobody can say."""
    guesses = guess_tables(seen)
    if not guesses and ask is not None:
        table = ask.pick(
            f"What does one row of {_named(seen)} stand for? Its columns: {_listed(seen.columns)}",
            delivered_tables(),
        )
        guesses = [guess_table(seen, table)] if table else []
    if not guesses:
        return (
            [],
            f"{_named(seen)}: nothing tells which table it holds; its names and values are like none of ours.",
        )
    settled = [_completed(guess, ask) for guess in guesses]
    whole = [guess for guess in settled if not guess.missing]
    if whole:
        return whole, ""
    best = settled[0]
    return [], (
        f"{_named(seen)} looks like {best.table}, and no column is {' or '.join(best.missing)}. "
        "Name the column in shop.toml, under the source's columns, or deliver it."
    )


def _completed(guess: Guess, ask: Asker | None) -> Guess:
    """Ask for the columns that are missing; a table that the file brings besides is not worth a question."""
    if ask is None:
        return guess
    for column in guess.missing:
        free = [name for name in guess.seen.columns if name not in guess.mapping.values()]
        header = ask.pick(f"Which column of {_named(guess.seen)} is {guess.table}' {column}?", free)
        if header is None:
            return guess
        guess = guess.completed(column, header)
    return guess


def _named(seen: Seen) -> str:
    return f"{seen.path}, sheet {seen.layout.sheet}" if seen.layout.sheet else str(seen.path)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
