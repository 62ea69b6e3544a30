"""A shop's own model is told the past and nothing else; who reaches further is found out, whoever breaks is told of."""

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from models.known import Known, known_at
from pipelines.own_models.hidden_model import HiddenModel, SeesTooMuchError, ask
from pipelines.own_models.made_up_names import OwnModelError
from pipelines.own_models.model_files import ModelFile
from tests.models.composed_purchases import day, returns, simulated_orders
from tests.pipelines.own_models.composed_models import written

PURCHASES = {
    "customer_key": pl.String,
    "order_day": pl.Date,
    "order_day_number": pl.Int32,
    "net": pl.Decimal(18, 4),
    "orders": pl.Int32,
}


@pytest.fixture(scope="module")
def known() -> Known:
    return known_at(day(400), orders=simulated_orders(3, customers=60), returns=returns())


def by_hand(known: Known) -> pl.DataFrame:
    """What the honest model says of a horizon of 100 days."""
    by = known.purchases.group_by("customer_key").agg(pl.col("net").sum().cast(pl.Float64), days=pl.len())
    return (
        by.sort("customer_key")
        .select(
            "customer_key",
            predicted_value=pl.col("net") / 10,
            purchase_probability=1 - 1 / (pl.col("days") + 1),
            model=pl.lit("mine"),
        )
        .collect()
    )


def test_an_honest_model_knows_nobody_by_name_and_says_what_it_would_say_here(
    known: Known, tmp_path: Path
) -> None:
    keys = known.purchases.select("customer_key").unique().collect().to_series().to_list()
    looks = f"""
        import os
        assert not set(self.purchases["customer_key"]) & set({keys!r}), "own names"
        orders = self.known.tables["orders"].collect()
        assert set(orders["customer_key"]) == set(self.purchases["customer_key"]), "one name in all tables"
        assert orders["order_day"].max() <= self.as_of, "later days"
        assert not [name for name in os.environ if name.startswith("RETENTION")], "environment"
"""
    told = HiddenModel(written(tmp_path, fit=looks.strip())).fit(known).predict(100)
    assert_frame_equal(told, by_hand(known))


def test_reaching_for_what_is_hidden_is_found_out_even_if_the_refusal_is_swallowed(
    known: Known, tmp_path: Path
) -> None:
    beside = tmp_path / "beside.parquet"
    known.purchases.collect().write_parquet(beside)
    reached = {
        "from pipelines.lab import Lab; Lab.open()": "imports pipelines.lab",
        f"pl.read_parquet({str(beside)!r})": "reads with polars.read_parquet",
        f"pl.io.parquet.scan_parquet({str(beside)!r})": "reads with polars.scan_parquet",
        "import deltalake": "imports deltalake",
        f"open({str(beside)!r}, 'rb')": f"opens {beside}",
        f"open({str(tmp_path / 'kept.txt')!r}, 'w')": f"opens {tmp_path / 'kept.txt'}",
        "import socket; socket.create_connection(('127.0.0.1', 9))": "calls socket.getaddrinfo",
        "import subprocess; subprocess.run(['cat', '/etc/hostname'])": "starts cat",
        "import sqlite3; sqlite3.connect('facts.db')": "calls sqlite3.connect",
        "import os; os.system('true')": "calls os.system",
        "import datetime; datetime.date.today()": "reads the clock",
        "import datetime; datetime.datetime.now(datetime.UTC).date() ": "reads the clock",
        "import time; time.time()": "reads the clock",
    }
    swallowed = "".join(
        f"try:\n            {code}\n        except Exception:\n            pass\n        " for code in reached
    )
    first = r"mine is out: it imports pipelines\.lab \(mine\.py, line \d+\)"
    with pytest.raises(SeesTooMuchError, match=first) as caught:
        ask(written(tmp_path, predict=swallowed), known, 100)
    assert [deed.split(" (mine.py")[0] for deed in caught.value.deeds] == list(reached.values())
    assert not (tmp_path / "kept.txt").exists()


def test_what_a_model_remembers_of_a_later_day_is_gone(known: Known, tmp_path: Path) -> None:
    remembers = """
        Mine.seen = max(getattr(Mine, "seen", self.as_of), self.as_of)
        if Mine.seen > self.as_of:
            self.purchases = self.purchases.with_columns(net=pl.lit(1))
"""
    assert known.tables is not None
    earlier = known_at(day(300), **known.tables)
    model = HiddenModel(written(tmp_path, fit=remembers.strip()))
    model.fit(known).predict(100)
    assert_frame_equal(model.fit(earlier).predict(100), by_hand(earlier))


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise KeyError('net_after')", r"failed: KeyError: 'net_after' \(mine\.py, line 8\)"),
        ("import sys; sys.exit('enough')", r"failed: SystemExit: enough \(mine\.py, line 8\)"),
        ("import os; os.kill(os.getpid(), 9)", r"ended by signal 9 \(.*\); if that is 9, memory ran out"),
        ("from models.errors import NotEnoughDataError as E; raise E('too young')", "^too young$"),
    ],
)
def test_a_fault_of_any_kind_is_told_with_its_line(
    known: Known, tmp_path: Path, code: str, told: str
) -> None:
    with pytest.raises(OwnModelError, match=told):
        ask(written(tmp_path, fit=code), known, 100)


def test_a_model_without_an_end_is_stopped(known: Known, tmp_path: Path) -> None:
    endless = written(tmp_path, fit="while True: pass")
    with pytest.raises(OwnModelError, match=r"stopped after .* raise `max_minutes`"):
        ask(ModelFile("mine", endless.path, "Mine", max_seconds=2), known, 100)


def test_what_it_warns_of_is_passed_on_and_what_it_must_predict_is_seen_to(
    known: Known, tmp_path: Path
) -> None:
    model = written(tmp_path, fit="import warnings; warnings.warn('young shop')")
    text = model.path.read_text(encoding="utf-8").replace(
        "return told", "return told.drop('predicted_value')"
    )
    model.path.write_text(text, encoding="utf-8")
    needing = HiddenModel(model, needs=("predicted_value",)).fit(known)
    with (
        pytest.raises(OwnModelError, match="predicts no predicted_value"),
        pytest.warns(UserWarning, match="young shop"),
    ):
        needing.predict(50)


def test_a_shop_without_customers_is_no_fault(tmp_path: Path) -> None:
    nobody = Known.of_purchases(pl.LazyFrame(schema=PURCHASES), day(0))
    assert HiddenModel(written(tmp_path)).fit(nobody).predict(30).is_empty()
