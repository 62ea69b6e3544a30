"""What a person can be asked, and what a person said beforehand.

How questions are shown is `pipelines.cli.init`'s business.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol


class Asker(Protocol):
    """Asks a person at a terminal."""

    def pick(self, question: str, options: Sequence[str]) -> str | None:
        """Let one of the options be chosen; None for none of them."""
        ...

    def text(self, question: str, check: Callable[[str], object]) -> str:
        """Ask for a word until ``check`` raises no ValueError."""
        ...


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a person said beforehand; None is for guessing."""

    name: str | None = None
    title: str | None = None
    timezone: str | None = None
    currency: str | None = None
