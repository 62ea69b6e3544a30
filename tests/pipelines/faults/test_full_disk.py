"""A disk without space: told plainly, and what readers see stays as it was."""

import os
import resource
import subprocess
from pathlib import Path

import pytest

from pipelines.lake import Lake
from tests.pipelines.command import COMMAND
from tests.pipelines.faults.test_killed_runs import SECRET, assert_equal, composed_shop, finish, tables_of
from tests.pipelines.small_shops import deliver, order_line


def without_space() -> None:
    """Let no file grow over some kilobytes: what a full disk says, without filling one."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))


LIMIT = 6_000


def test_a_full_disk_is_told_and_harms_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_KEY", SECRET)
    shop = composed_shop(tmp_path / "shop")
    lake = tmp_path / "lake"
    finish(shop, lake)
    before = tables_of(Lake.open(lake))
    deliver(shop.folder, "orders", "late", [order_line("900", ordered_at="2024-05-28 10:00:00")])
    # Dagster's own database has grown over the limit already: it is what notices first, or the tables do.
    full = subprocess.run(
        [str(COMMAND), "run", "--shop", str(shop.folder), "--lake", str(lake)],
        preexec_fn=without_space,
        env=os.environ | {"RETENTION_KEY": SECRET},
        capture_output=True,
        text=True,
        check=False,
    )
    assert full.returncode == 1, full.stderr
    assert "no space left" in full.stderr, full.stderr
    assert "Traceback" not in full.stderr
    assert_equal(tables_of(Lake.open(lake)), before, "after a run without space")
    finish(shop, lake)
    assert tables_of(Lake.open(lake))["orders"].height == before["orders"].height + 1
