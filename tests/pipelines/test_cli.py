"""The command: one plain message for every fault, exit codes that scripts can rely on, silence in a pipe."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from pipelines.lake import Lake
from tests.pipelines.published_shops import LISTS, Published, bytes_of, copy_of, small_shop
from tests.pipelines.small_shops import deliver, order_line, source, write_shop

PUBLISHED = pytest.mark.xdist_group("published_small_shop")
COMMAND = Path(sys.executable).parent / "retention"
CHANGING = ("RETENTION_SHOP", "RETENTION_LAKE", "RETENTION_SHOPS", "RETENTION_SHOPS_DIR", "RETENTION_KEY")


def retention(*words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a folder of its own, with nothing set."""
    settings = {name: value for name, value in os.environ.items() if name not in CHANGING}
    return subprocess.run(
        [str(COMMAND), *map(str, words)],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )


def assert_plain(finished: subprocess.CompletedProcess[str], *told: str) -> None:
    """Exit code 1, nothing on stdout, one message that names what is wrong and what to do."""
    assert finished.returncode == 1, finished.stderr
    assert finished.stdout == ""
    assert "Traceback" not in finished.stderr
    assert "unexpected fault" not in finished.stderr
    assert len(finished.stderr.strip().splitlines()) <= 2, finished.stderr
    for words in told:
        assert words in finished.stderr


def missing_file(folder: Path) -> tuple[list[str], list[str]]:
    (folder / "deliveries" / "orders" / "1.csv").unlink()
    return [], ["Source orders", "there is no file", "Put the delivery there"]


def truncated_file(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "1.parquet"
    rows = pl.read_csv(path.with_suffix(".csv"), infer_schema=False)
    path.with_suffix(".csv").unlink()
    rows.write_parquet(path)
    path.write_bytes(path.read_bytes()[:-200])
    write_shop(folder, [], more=source("orders", file_format="parquet"))
    return [], [str(path)]


def no_such_column(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "1.parquet"
    rows = pl.read_csv(path.with_suffix(".csv"), infer_schema=False)
    rows.drop("unit_price").write_parquet(path)
    write_shop(folder, [], more=source("orders", file_format="parquet"))
    return [], [str(path), "has no column 'unit_price'", "Correct the mapping"]


def empty_delivery(folder: Path) -> tuple[list[str], list[str]]:
    path = folder / "deliveries" / "orders" / "2.csv"
    path.write_text((folder / "deliveries" / "orders" / "1.csv").read_text().splitlines()[0] + "\n")
    return [], [str(path), "no rows", "Remove it or deliver it again"]


def bad_rule(folder: Path) -> tuple[list[str], list[str]]:
    text = (folder / "shop.toml").read_text().replace("valid_orders >= 2", "valid_order >= 2")
    (folder / "shop.toml").write_text(text)
    return [], ["List thank_you in shop.toml, where = ", "Did you mean valid_orders"]


def not_toml(folder: Path) -> tuple[list[str], list[str]]:
    (folder / "shop.toml").write_text("name = ")
    return [], ["shop.toml is not valid TOML", "Mend the line"]


def before_the_first_order(_: Path) -> tuple[list[str], list[str]]:
    return ["--as-of", "2024-01-09"], [
        "--as-of 2024-01-09 lies before the first order (2024-01-10)",
        "Give a later day",
    ]


def in_the_future(_: Path) -> tuple[list[str], list[str]]:
    day = (datetime.now(UTC) + timedelta(days=3)).date()
    return ["--as-of", str(day)], [f"--as-of {day} lies in the future", "Give a past day"]


def from_nothing(_: Path) -> tuple[list[str], list[str]]:
    return ["--from", "lists", "--lake", "new"], ["does not exist. Run `retention run`"]


Fault = Callable[[Path], tuple[list[str], list[str]]]
FAULTS = [missing_file, truncated_file, no_such_column, empty_delivery, bad_rule, not_toml]
FAULTS += [before_the_first_order, in_the_future, from_nothing]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_is_told_plainly_and_the_lake_stays_as_it_was(fault: Fault, tmp_path: Path) -> None:
    shop = write_shop(tmp_path / "shop", ["orders"], more=LISTS)
    deliver(shop.folder, "orders", "1", [order_line("1", ordered_at="2024-01-10 12:00:00"), order_line("2")])
    lake = tmp_path / "lake" / shop.name
    Lake.make(lake, shop.name)
    before = bytes_of(lake)
    words, told = fault(shop.folder)
    finished = retention("run", "--shop", shop.folder, *words, folder=tmp_path)
    assert_plain(finished, *told)
    assert bytes_of(lake) == before
    assert {path.name for path in tmp_path.iterdir()} == {"shop", "lake"}


def test_nothing_is_made_for_an_unknown_shop_or_in_a_folder_that_is_no_lake(tmp_path: Path) -> None:
    assert_plain(
        retention("run", "--shop", "nobody", folder=tmp_path), "There is no shop 'nobody'", "uk_gift_shop"
    )
    assert list(tmp_path.iterdir()) == []
    shop = small_shop(tmp_path / "shop")
    (tmp_path / "holidays").mkdir()
    (tmp_path / "holidays" / "photo.jpg").write_bytes(b"a photo")
    finished = retention("run", "--shop", shop.folder, "--lake", tmp_path / "holidays", folder=tmp_path)
    assert_plain(finished, "is not a lake (it has no lake.json)", "name another with --lake")
    assert bytes_of(tmp_path / "holidays").keys() == {"photo.jpg"}


HOLD = """
import sys
from pathlib import Path
from pipelines.lake import Lake
with Lake.open(Path(sys.argv[1])).lock("retention run"):
    print("held", flush=True)
    sys.stdin.read()
"""


@PUBLISHED
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


@pytest.mark.parametrize(
    "words",
    [
        ["bogus"],
        ["run", "--as-of", "2024-13-45"],
        ["run", "--from", "nowhere"],
        ["download"],
        ["run", "--shop"],
        [],
    ],
    ids=" ".join,
)
def test_wrong_usage_exits_with_2(words: list[str], tmp_path: Path) -> None:
    finished = retention(*words, folder=tmp_path)
    assert finished.returncode == 2
    assert "Traceback" not in finished.stderr
    assert list(tmp_path.iterdir()) == []


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


@PUBLISHED
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


@PUBLISHED
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


@PUBLISHED
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


@PUBLISHED
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
