"""The command: one plain message for every fault, exit codes that scripts can rely on, silence in a pipe."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.pipelines.command import COMMAND, assert_plain, retention
from tests.pipelines.published_shops import Published, bytes_of, copy_of, small_shop

pytestmark = pytest.mark.xdist_group("published_small_shop")

HOLD = """
import sys
from pathlib import Path
from pipelines.lake import Lake
with Lake.open(Path(sys.argv[1])).lock("retention run"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_run_while_one_runs_is_told_who_holds_the_lake(
    published_small_shop: Published, tmp_path: Path
) -> None:
    copy = copy_of(published_small_shop, tmp_path)
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(copy.lake.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        before = bytes_of(copy.lake.root)
        finished = retention("run", "--shop", copy.shop.folder, "--lake", copy.lake.root, folder=tmp_path)
        assert_plain(finished, "is being written by `retention run` (process ", "Wait until it has finished")
        assert bytes_of(copy.lake.root) == before
        holder.communicate("")
    assert holder.returncode == 0


def test_every_command_has_help_with_an_example() -> None:
    from typer.main import get_group
    from typer.testing import CliRunner

    from pipelines.cli import lists, read, run, serve  # noqa: F401  # each adds its commands
    from pipelines.cli.app import app

    names = list(get_group(app).commands)
    assert {"run", "lists", "download", "rebuild", "status", "lab", "dev"} <= set(names)
    for name in names:
        shown = CliRunner().invoke(app, [name, "--help"])
        assert shown.exit_code == 0
        assert "Example: " in shown.output, name
        assert f"retention {name}" in shown.output, name


def test_the_commands_that_read_print_what_they_say_and_json(
    published_small_shop: Published, tmp_path: Path
) -> None:
    published = published_small_shop
    where = ["--shop", published.shop.folder, "--lake", published.lake.root]
    before = bytes_of(published.lake.root)
    status = retention("status", *where, "--json", folder=tmp_path)
    assert (status.returncode, status.stderr) == (0, "")
    assert json.loads(status.stdout)["as_of"] == str(published.snapshot.as_of)
    lists = retention("lists", *where, "--json", folder=tmp_path)
    assert {row["name"] for row in json.loads(lists.stdout)} == {"thank_you", "worth_most"}
    told = retention("lists", *where, folder=tmp_path)
    assert "thank_you-" in told.stdout
    assert "no lift can be shown" in told.stdout
    assert told.stderr == ""
    assert bytes_of(published.lake.root) == before


def test_a_rebuild_that_differs_is_told_and_exits_with_1(
    published_small_shop: Published, tmp_path: Path
) -> None:
    copy = copy_of(published_small_shop, tmp_path)
    where = ["--shop", copy.shop.folder, "--lake", copy.lake.root, "--to", tmp_path / "out"]
    same = retention("rebuild", "thank_you", *where, folder=tmp_path)
    assert (same.returncode, same.stderr) == (0, "")
    assert same.stdout.count("the same bytes as when it was made") == 2
    settings = copy.shop.folder / "shop.toml"
    settings.write_text(settings.read_text().replace('"GBP"', '"EUR"'))
    other = retention("rebuild", "thank_you", *where, folder=tmp_path)
    assert other.returncode == 1
    assert "NOT the bytes it was made with" in other.stdout


def test_an_expired_list_is_refused_and_unknown_ones_are_told(
    published_small_shop: Published, tmp_path: Path
) -> None:
    published = published_small_shop
    where = ["--shop", published.shop.folder, "--lake", published.lake.root, "--to", tmp_path / "out"]
    assert_plain(retention("download", "thank_you", *where, folder=tmp_path), "expired on", "retention run")
    assert_plain(
        retention("rebuild", "thanks", *where, folder=tmp_path), "no list 'thanks'. Known: thank_you-"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_says_what_would_be_done_and_changes_nothing(tmp_path: Path) -> None:
    shop = small_shop(tmp_path / "shop")
    finished = retention("run", "--shop", shop.folder, "--dry-run", folder=tmp_path)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert "orders: 1.csv (orders): new" in finished.stdout
    assert {path.name for path in tmp_path.iterdir()} == {"shop"}


def test_a_run_in_a_pipe_prints_its_summary_and_nothing_else(
    published_small_shop: Published, tmp_path: Path
) -> None:
    copy = copy_of(published_small_shop, tmp_path)
    # Only the end of a run: what comes before was published and did not change.
    finished = retention(
        "run",
        "--shop",
        copy.shop.folder,
        "--lake",
        copy.lake.root,
        "--from",
        "lists",
        "--json",
        folder=tmp_path,
    )
    assert (finished.returncode, finished.stderr) == (0, "")
    facts = json.loads(finished.stdout)
    assert (facts["shop"], facts["as_of"]) == ("small_shop", str(published_small_shop.snapshot.as_of))
    assert not (tmp_path / "lake" / ".dagster" / ".telemetry").exists()
    assert {path.name for path in tmp_path.iterdir()} == {"shop", "lake", "lake.keys.json"}


def test_the_command_is_installed_under_its_name() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"] == {"retention": "pipelines.cli.main:main"}
    assert shutil.which(COMMAND)
