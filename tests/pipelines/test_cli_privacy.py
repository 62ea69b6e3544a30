"""`retention export-person` and `erase-person` as a person runs them: asked first, told in counts, nothing named."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest
import typer.testing

from pipelines.cli.main import app
from pipelines.lake import Lake
from pipelines.records.ledger import Download, Ledger
from tests.pipelines.published_shops import rows_of
from tests.pipelines.small_shops import NOW, deliver, ingest, order_line, write_shop

EMAIL = "anna@example.org"
run = typer.testing.CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, great_expectations: None) -> Path:
    folder = tmp_path_factory.mktemp("asked")
    shop = write_shop(folder / "shop")
    deliver(shop.folder, "orders", "1", [order_line("A1", customer_id="10", email=EMAIL), order_line("B1")])
    ingest(shop, Lake.make(folder / "lake", shop.name), NOW)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("RETENTION_KEY", raising=False)
    shutil.copytree(made, tmp_path / "here")
    return tmp_path / "here"


def ask(folder: Path, *words: str, answer: str | None = None) -> typer.testing.Result:
    return run.invoke(
        app, [*words, "--shop", str(folder / "shop"), "--lake", str(folder / "lake")], input=answer
    )


def test_an_export_is_two_files_for_their_owner_only_and_names_nobody_on_the_screen(folder: Path) -> None:
    told = ask(folder, "export-person", EMAIL, "--to", str(folder / "out"))
    assert told.exit_code == 0
    assert EMAIL not in told.output
    files = sorted((folder / "out").iterdir())
    assert [file.suffix for file in files] == [".html", ".json"]
    assert all(file.stat().st_mode & 0o077 == 0 and EMAIL not in file.name for file in files)
    as_json = ask(folder, "export-person", EMAIL, "--json")
    assert (
        json.loads(as_json.stdout)["tables"].keys()
        == json.loads(files[1].read_text("utf-8"))["tables"].keys()
    )


def test_files_that_left_the_lab_with_a_list_of_theirs_are_named(folder: Path) -> None:
    lake = Lake.open(folder / "lake")
    key = (
        lake.scan("customers")
        .filter(pl.col("customer_key").is_not_null())
        .collect()["customer_key"]
        .to_list()
    )
    members = rows_of(
        "list_members",
        [
            {"as_of": NOW.date(), "list_id": f"{name}-list", "customer_key": one, "assignment": assignment}
            for one in key
            for name, assignment in (("sent", "deliver"), ("kept", "hold_out"))
        ],
    )
    lake.replace("list_members", members.lazy(), fingerprint="composed", as_of=NOW.date())
    ledger = Ledger.of(lake.root)
    for name in ("sent", "kept", "another"):
        ledger.open_entry(Download("Ben", f"{name}-list", "klaviyo", "Email", 0, "page"), NOW)
    ledger.engine.dispose()
    shown = ask(folder, "export-person", EMAIL, "--to", str(folder / "out"))
    assert "sent-list for klaviyo" in shown.output
    assert "by Ben" in shown.output
    assert "kept-list for klaviyo" not in shown.output
    assert "another-list" not in shown.output
    assert "sent-list for klaviyo" in ask(folder, "erase-person", EMAIL, "--dry-run").output


def test_nothing_is_erased_by_looking_or_without_a_yes(folder: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in (folder / "lake" / "tables").rglob("*")}
    looked = ask(folder, "erase-person", EMAIL, "--dry-run")
    assert (looked.exit_code, "orders: 1 rows" in looked.output) == (0, True)
    refused = ask(folder, "erase-person", EMAIL, answer="n\n")
    assert refused.exit_code == 1
    assert EMAIL not in looked.output + refused.output
    assert {path: path.stat().st_mtime_ns for path in (folder / "lake" / "tables").rglob("*")} == before


def test_an_erasure_ends_with_its_proof_and_the_person_is_nobody_then(folder: Path) -> None:
    told = ask(folder, "erase-person", EMAIL, answer="y\n")
    assert told.exit_code == 0, told.output
    assert "nothing found" in told.output
    assert EMAIL not in told.output
    again = ask(folder, "erase-person", EMAIL, "--yes")
    assert again.exit_code == 1
    assert "holds nothing of that person" in str(again.exception)


def test_json_gives_a_script_the_counts(folder: Path) -> None:
    told = ask(folder, "erase-person", EMAIL, "--yes", "--json")
    counts = json.loads(told.stdout)
    assert (counts["rows"]["orders"], counts["delivered_rows"], counts["still_named_in"]) == (1, 1, [])


def test_a_lake_that_is_being_written_is_left_alone(folder: Path) -> None:
    with Lake.open(folder / "lake").lock("a run of the test"):
        told = ask(folder, "erase-person", EMAIL, "--yes")
    assert told.exit_code == 1
    assert "is being written by" in str(told.exception)
