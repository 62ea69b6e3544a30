"""`retention init` at the command line: what it prints and writes, what it refuses, and what it asks."""

import json
import os
import pty
import subprocess
from pathlib import Path

from pipelines.shop import Shop
from pipelines.sources.arrivals import arrivals
from tests.pipelines.command import CHANGING, COMMAND, assert_plain, retention
from tests.pipelines.connect.composed_files import (
    english_orders,
    german_orders,
    shopify_orders,
    typeform_answers,
)


def test_help_has_an_example(tmp_path: Path) -> None:
    told = retention("init", "--help", folder=tmp_path)
    assert told.returncode == 0
    assert "Example: retention init exports/*.csv" in " ".join(told.stdout.split())


def test_a_folder_becomes_a_shop_that_opens_and_delivers(tmp_path: Path) -> None:
    shopify_orders(tmp_path / "exports")
    typeform_answers(tmp_path / "exports")
    (tmp_path / "exports" / "broken.parquet").write_bytes(b"PAR1")
    done = retention("init", "exports", "--out", "my_shop/shop.toml", "--title", "My shop", folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    for words in (
        "My shop: 80 order lines from 2026-01-1",
        "timezone Europe/Berlin (times of orders carry its offsets",
        "orders: ../exports/orders_export_*.csv",
        "score            = How likely are you to recommend us?",
        "Left out:",
        "broken.parquet is not a whole Parquet file",
        "retention run --shop my_shop/shop.toml",
    ):
        assert words in done.stdout
    shop = Shop.open(tmp_path / "my_shop")
    assert (shop.name, shop.title) == ("my_shop", "My shop")
    assert {arrival.source.table for arrival in arrivals(shop)} == {
        "orders",
        "returns",
        "consents",
        "survey_answers",
    }
    assert not any(name.startswith(".") for name in os.listdir(tmp_path / "my_shop"))  # noqa: PTH208
    again = retention("init", "exports", "--out", "my_shop", folder=tmp_path)
    assert_plain(again, "shop.toml is there already", "--force")


def test_json_says_the_same_to_scripts_and_force_writes_over(tmp_path: Path) -> None:
    german_orders(tmp_path)
    (tmp_path / "shop.toml").write_text("old")
    done = retention("init", "*.csv", "--yes", "--json", "--force", "--currency", "EUR", folder=tmp_path)
    facts = json.loads(done.stdout)
    assert facts["history_start"] == "2025-01-01"
    assert facts["sources"][0]["layout"] == {"dates": "day first", "decimal": ","}
    assert facts["sources"][0]["columns"]["order_id"] == "Bestellnummer"
    assert facts["order_lines"] == facts["sources"][0]["rows"] == 60
    assert Shop.open(tmp_path).currency == "EUR"


def test_faults_are_plain_and_nothing_is_written(tmp_path: Path) -> None:
    english_orders(tmp_path)
    assert_plain(retention("init", "nothing/", folder=tmp_path), "There is no file nothing")
    unsaid = retention("init", "orders.csv", "--yes", folder=tmp_path)
    assert (unsaid.returncode, unsaid.stdout) == (1, "")
    assert "give --currency" in unsaid.stderr
    assert "give --timezone" in unsaid.stderr
    for option, value in (("--timezone", "Berlin"), ("--currency", "EURO")):
        wrong = retention("init", "orders.csv", option, value, folder=tmp_path)
        assert wrong.returncode == 2, "wrong usage"
        assert value in wrong.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["orders.csv"]


def test_on_a_terminal_it_asks_what_nothing_tells(tmp_path: Path) -> None:
    english_orders(tmp_path)
    person, terminal = pty.openpty()
    settings = {name: value for name, value in os.environ.items() if name not in CHANGING}
    with subprocess.Popen(
        [str(COMMAND), "init", "orders.csv"],
        cwd=tmp_path,
        env=settings,
        stdin=terminal,
        stderr=terminal,
        stdout=subprocess.PIPE,
        text=True,
    ) as command:
        os.close(terminal)
        os.write(person, b"money\nGBP\nEurope/London\n")
        told, _ = command.communicate(timeout=60)
        asked = os.read(person, 100_000).decode()
    os.close(person)
    assert command.returncode == 0, asked
    assert "In which currency" in asked
    assert "'money' is not a currency code" in asked
    assert "In which timezone" in asked
    assert "currency GBP (as told)" in told
    assert Shop.open(tmp_path).timezone == "Europe/London"
