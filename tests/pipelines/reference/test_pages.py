"""Reference pages: made from code, never stale, and nothing in them is without a meaning."""

from pathlib import Path

import pytest

from data_contracts import table, table_names
from pipelines.reference.commands import commands_page
from pipelines.reference.pages import pages
from pipelines.reference.settings import meanings, section_of, sections
from pipelines.settings import Settings


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_a_page_says_what_the_code_says(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == pages()[path], f"{path.name} is stale: run `make docs`."


def test_every_command_has_a_meaning_an_example_and_a_meaning_of_every_option() -> None:
    parts = commands_page().split("\n## ")[1:]
    assert len(parts) >= 16
    for part in parts:
        name = part.splitlines()[0]
        assert "Example: " in part, name
        rows = [line.split(" | ") for line in part.splitlines() if line.startswith("| `")]
        assert all(len(row[1]) > 5 for row in rows), name


@pytest.mark.parametrize(("path", "kind"), sections(), ids=lambda one: str(one))
def test_every_setting_has_a_meaning(path: str, kind: type[Settings]) -> None:
    inner = {name for _, one in sections() for name in one.model_fields}
    told = meanings(kind)
    plain = [name for name in kind.model_fields if name != "folder"]
    missing = [name for name in plain if name not in told and name not in _sections_of(kind)]
    assert not missing, f"{path or 'shop'}: say in the docstring what {', '.join(missing)} means"
    assert set(told) <= inner | set(plain)


def _sections_of(kind: type[Settings]) -> set[str]:
    """Settings that are sections of their own."""
    return {name for name, info in kind.model_fields.items() if section_of(info.annotation)[0]}


def test_every_column_has_a_meaning() -> None:
    for name in table_names():
        assert all(column.meaning for column in table(name).columns), name
