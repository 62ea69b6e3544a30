"""What the benchmarks share: a table of the figures to reach beside those seen, printed at the end."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest


@dataclass
class Figures:
    """Figures seen, each with the bound it is held against."""

    rows: list[tuple[str, str, str]] = field(default_factory=list)

    def add(self, what: str, seen: str, bound: str = "") -> None:
        """Note one figure."""
        self.rows.append((what, seen, bound))


_FIGURES = Figures()


@pytest.fixture
def figures() -> Iterator[Figures]:
    """Where a benchmark notes what it saw."""
    yield _FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table that the README's figures come from."""
    if not _FIGURES.rows:
        return
    terminalreporter.section("figures")
    terminalreporter.write_line(f"{'what':<58} {'seen':>14} {'to reach':>14}")
    for what, seen, bound in _FIGURES.rows:
        terminalreporter.write_line(f"{what:<58} {seen:>14} {bound:>14}")
