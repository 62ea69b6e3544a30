"""`lab.plot` has every chart of the report, filled with the lab's own tables, and saves it without a network."""

import inspect
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from pipelines.errors import LabError
from pipelines.lab import Lab
from pipelines.report import charts
from pipelines.report.theme import Look
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")

ASKED = {"campaign_result": ["spring-2024-Q1"], "list_gate": ["thank_you"]}
"""What charts ask for that no lab can know."""
OF_A_FRAME = {"purchase_path", "line", "bars", "dots", "heat_map", "save"}


@pytest.fixture
def lab(published_small_shop: Published) -> Lab:
    return Lab.open(published_small_shop.shop.folder, published_small_shop.lake.root)


def test_every_chart_of_the_report_is_there_and_drawn_or_says_why_not(lab: Lab) -> None:
    names = set(dir(lab.plot)) - OF_A_FRAME
    known = {name for name in charts.__all__ if name not in ("Look", "for_phones", "to_png", "to_svg")}
    assert names == known - OF_A_FRAME
    for name in sorted(names):
        chart = getattr(lab.plot, name)(*ASKED.get(name, []))
        spec = chart.to_dict()
        assert spec["description"].endswith((".", ")")), name
        if "title" in spec:
            assert "Source: Small shop, table" in " ".join(spec["title"]["text"]), name


def test_a_chart_shows_the_labs_own_rows_and_day(lab: Lab) -> None:
    look = Look(shop="Small shop", as_of=lab.as_of, currency=lab.shop.currency)
    by_hand = charts.net_revenue(lab.read("orders"), look, lab.read("returns"))
    assert charts.to_svg(lab.plot.net_revenue()) == charts.to_svg(by_hand)


def test_tables_and_look_can_be_given(lab: Lab) -> None:
    orders = lab.read("orders").filter(pl.col("order_day") < date(2024, 4, 1)).collect()
    part = lab.plot.net_revenue(orders=orders, look=Look(shop="Elsewhere", as_of=date(2024, 3, 31)))
    assert "Source: Elsewhere" in " ".join(part.to_dict()["title"]["text"])
    assert charts.to_svg(part) != charts.to_svg(lab.plot.net_revenue())


def test_charts_tell_what_they_show_and_what_they_ask_for(lab: Lab) -> None:
    assert lab.plot.cohort_heat_map.__doc__ == charts.cohort_heat_map.__doc__
    assert next(iter(inspect.signature(lab.plot.campaign_result).parameters)) == "campaign"
    for name in dir(lab.plot):
        assert getattr(lab.plot, name).__doc__, name


def test_what_is_no_chart_or_no_list_is_told_with_what_is(lab: Lab) -> None:
    with pytest.raises(AttributeError, match=r"no chart 'cohort_heatmap'. Did you mean cohort_heat_map"):
        _ = lab.plot.cohort_heatmap
    with pytest.raises(LabError, match=r"no list 'thanks' on 2024-05-29. Lists: thank_you, worth_most"):
        lab.plot.list_gate("thanks")
    assert not hasattr(lab.plot, "_repr_html_")


@pytest.mark.parametrize(("name", "starts"), [("a/b/chart.svg", b"<svg"), ("chart.PNG", b"\x89PNG")])
def test_a_chart_is_saved_as_its_name_ends(lab: Lab, tmp_path: Path, name: str, starts: bytes) -> None:
    saved = lab.plot.save(lab.plot.contract_rules(), tmp_path / name)
    assert saved == tmp_path / name
    assert saved.read_bytes().startswith(starts)


def test_a_chart_is_not_saved_as_anything_else(lab: Lab, tmp_path: Path) -> None:
    with pytest.raises(LabError, match=r"chart.pdf: a chart is saved as .svg or .png"):
        lab.plot.save(lab.plot.contract_rules(), tmp_path / "chart.pdf")
    (tmp_path / "file").touch()
    with pytest.raises(LabError, match="cannot be written"):
        lab.plot.save(lab.plot.contract_rules(), tmp_path / "file" / "chart.svg")


def test_ones_own_frame_is_drawn_with_the_labs_shop_and_day(lab: Lab) -> None:
    frame = lab.read("orders").group_by("order_day").len("orders").sort("order_day")
    chart = lab.plot.line(frame, "order_day", "orders", finding="Every day is alike.", source="orders")
    assert " ".join(chart.to_dict()["title"]["text"]).replace("\u00a0", " ").strip() == (
        "Source: Small shop, table orders · as of 29 May 2024"
    )
