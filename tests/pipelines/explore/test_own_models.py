"""`lab.backtest` takes names, files and objects, and says who was not watched."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from models.backtest import BacktestResult
from models.baselines import GlobalMean
from pipelines.errors import AsOfError, ShopError
from pipelines.explore.own_models import NOT_WATCHED
from pipelines.lab import Lab
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")


class InTheNotebook(GlobalMean):
    """What everybody did, under another name."""

    name = "in_the_notebook"


def _champions(tried: BacktestResult) -> str:
    won = tried.champions.select(pl.format("{} for {}", "model", "quantity")).to_series()
    return ", ".join(won) or "none"


@pytest.fixture
def lab(published_small_shop: Published) -> Lab:
    return Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)


def test_names_files_and_objects_are_measured_side_by_side(
    lab: Lab, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Files are seen from where one stands, and from notebooks/ of the checkout.
    monkeypatch.chdir(Path(__file__).parent)
    example = "own_models/fading_spend.py:FadingSpend"
    tried = lab.backtest("global_mean", InTheNotebook(), example, most_origins=1)
    told = {model: (took_part, notes) for model, took_part, notes in tried.candidates[:, -3:].rows()}
    assert told == {
        "global_mean": (True, ""),
        "in_the_notebook": (True, NOT_WATCHED),
        "fading_spend": (True, ""),
    }
    assert repr(tried).endswith("; took no part: none)")
    assert capsys.readouterr().out == ""
    assert set(tried.champions["quantity"]) <= {"value", "probability"}
    assert not {"in_the_notebook", "fading_spend"} & set(
        tried.champions["model"].filter(tried.champions["quantity"] == "probability")
    )


def test_the_cheat_of_the_notebook_is_out_though_the_lake_is_open_beside_it(
    lab: Lab, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = lab.backtest("global_mean", "own_models/knows_the_future.py:KnowsTheFuture", most_origins=1)
    out = tried.candidates.filter(model="knows_the_future").row(0, named=True)
    assert not out["took_part"]
    assert "is out: it imports pipelines.lab (knows_the_future.py, line " in out["notes"]
    assert set(tried.metrics["model"]) == {"global_mean"}
    # Whoever looks at the metrics alone hears of it, too.
    assert capsys.readouterr().out.splitlines() == [f"Model knows_the_future took no part: {out['notes']}"]
    assert repr(tried) == (
        f"BacktestResult(as of {lab.as_of}; {tried.horizon_days} days foretold at 1 origin, the newest {tried.cut}; "
        f"champions: {_champions(tried)}; took no part: knows_the_future)"
    )


def test_what_is_not_there_is_told(lab: Lab) -> None:
    with pytest.raises(ShopError, match=r"There is no model 'magic'\. There are global_mean, last_12_months"):
        lab.backtest("magic")
    with pytest.raises(AsOfError, match="lies after the newest finished run's day"):
        lab.backtest("global_mean", as_of=lab.as_of + timedelta(1))
    with pytest.raises(AsOfError, match="Give another --as-of or --horizon"):
        lab.backtest("global_mean", horizon_days=5_000)
