"""What all tests share: tests of one xdist group run in one process, so that what they share is made once.

pytest-xdist 3.8 writes the group into a private field of the test that pytest 9 does not read, and so groups
nothing. Here a file that names a group goes as a whole where the group goes.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

GROUP = re.compile(r'xdist_group\("(\w+)"\)')


class GroupScheduling(LoadScopeScheduling):
    """Hands out tests one by one, and the tests of a group together."""

    def _split_scope(self, nodeid: str) -> str:
        return _group_of(nodeid.partition("::")[0]) or nodeid


@cache
def _group_of(file: str) -> str | None:
    found = GROUP.search(Path(file).read_text(encoding="utf-8"))
    return found and found.group(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> GroupScheduling | None:
    """Schedule by groups where `--dist loadgroup` asks for it."""
    return GroupScheduling(config, log) if config.getoption("dist") == "loadgroup" else None
