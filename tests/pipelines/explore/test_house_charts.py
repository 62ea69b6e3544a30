"""The free forms: valid pictures of any frame, with finding, unit, interval and footer, or plain words."""

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from pipelines.errors import LabError
from pipelines.explore.house_charts import House
from pipelines.explore.house_data import MOST_ROWS, axis_words, drawable, said
from pipelines.report.pictures import to_svg
from pipelines.report.theme import PALETTE, Chart, Look

LOOK = Look(shop="Composed & Sons", as_of=date(2023, 6, 10), currency="EUR")
HOUSE = House(LOOK)
FORMS = {"line": HOUSE.line, "bars": HOUSE.bars, "dots": HOUSE.dots}
FRAME = pl.DataFrame(
    {
        "month": [date(2023, 1, 1), date(2023, 2, 1), date(2023, 3, 1)],
        "order number": [1, 2, 3],
        "product": ["Lamp", "Chair with a name that goes on for very much longer", "Table"],
        "rate": [0.2, 0.35, 0.31],
        "low": [0.15, 0.3, 0.25],
        "high": [0.25, 0.4, None],
        "net": [Decimal("12.5"), Decimal("1234.0"), Decimal("-3.25")],
        "group": ["new", "new", "old"],
    }
)


def _text(chart: Chart) -> str:
    return to_svg(chart).replace("\u00a0", " ")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("x", ["month", "order number", "product"])
@pytest.mark.parametrize("by", [None, "group"])
def test_days_numbers_and_names_are_drawn_with_their_intervals(form: str, x: str, by: str | None) -> None:
    chart = FORMS[form](
        FRAME, x, "rate", low="low", high="high", by=by, unit="%", finding="Lamps bring people back.",
        n="311 customers", source="orders, returns", note="Composed.", baseline=0.3,
    )  # fmt: skip
    spec = chart.to_dict()
    footer = " ".join(spec["title"]["text"]).replace("\u00a0", " ")
    assert footer == (
        "Composed. Source: Composed & Sons, tables orders, returns · n = 311 customers · as of 10 June 2023"
    )
    assert spec["vconcat"][0]["title"]["text"] == ["Lamps bring people back."]
    assert spec["description"].startswith({"line": "Lines"}.get(form, form.capitalize()))
    drawn = _text(chart)
    assert "30%" in drawn, "the axis tells shares as per cent"
    if by:
        assert ">new<" in drawn
        assert ">old<" in drawn


def test_amounts_and_missing_values_are_drawn_as_they_are() -> None:
    drawn = _text(HOUSE.bars(FRAME, "product", "net", unit="EUR", finding="Tables lose money."))
    assert "net, EUR" in drawn
    assert "1,234" in drawn
    gone = FRAME.with_columns(net=pl.lit(None, pl.Decimal(18, 4)))
    assert "There is nothing to draw: no row has a net." in _text(
        HOUSE.bars(gone, "product", "net", finding="-")
    )
    assert "nothing to draw" in _text(HOUSE.line(FRAME.clear(), "month", "rate", finding="-"))


def _months(count: int) -> pl.DataFrame:
    first = date(2021, 1, 1)
    months = pl.date_range(first, date(2022, 12, 1), "1mo", eager=True).head(count)
    return pl.DataFrame({"month": months, "net": [1_000_000.0 + 1_111 * n for n in range(count)]})


def test_numbers_stand_beside_bars_where_there_is_room_and_else_on_the_axis_alone() -> None:
    few = _text(HOUSE.bars(_months(5), "month", "net", unit="EUR", finding="Growth."))
    assert all(f">{1_000_000 + 1_111 * n:,}<" in few for n in range(5))
    many = _text(HOUSE.bars(_months(24), "month", "net", unit="EUR", finding="Growth."))
    assert not any(f">{1_000_000 + 1_111 * n:,}<" in many for n in range(1, 24))
    assert ">1,000,000<" in many, "the axis"
    small = _months(24).with_columns(net=pl.int_range(24) % 10)
    assert _text(HOUSE.bars(small, "month", "net", finding="Short.")).count(">7<") == 2
    named = _months(24).with_columns(month="No. " + pl.col("month").cast(pl.String))
    assert ">1,001,111<" in _text(HOUSE.bars(named, "month", "net", finding="On their side."))


def test_a_name_of_two_lines_keeps_clear_of_the_next() -> None:
    def height(names: list[str]) -> float:
        frame = pl.DataFrame({"product": names, "net": range(len(names))})
        return HOUSE.bars(frame, "product", "net", finding="-").to_dict()["vconcat"][0]["height"]

    assert height(["Lamp", FRAME["product"][1]]) > height(["Lamp", "Chair"]) >= 60


def test_a_lazy_frame_is_drawn_as_well() -> None:
    lazy = HOUSE.dots(FRAME.lazy(), "order number", "rate", finding="A")
    assert to_svg(lazy) == to_svg(HOUSE.dots(FRAME, "order number", "rate", finding="A"))


def test_a_heat_map_shows_each_value_and_leaves_missing_ones_empty() -> None:
    frame = pl.DataFrame(
        {"k": [1, 2, 1], "cohort": [*FRAME["month"][:2], FRAME["month"][0]], "rate": [0.5, 0.25, None]}
    )
    chart = HOUSE.heat_map(
        frame, "k", "cohort", "rate", unit="%", finding="Half came back.", source="cohort_retention"
    )
    drawn = _text(chart)
    assert ">50<" in drawn
    assert ">25<" in drawn
    assert ">Jan 2023<" in drawn
    assert drawn.count("#") == drawn.replace("#E8F2FC", "#").count("#")
    with pytest.raises(LabError, match="Column group holds no numbers"):
        HOUSE.heat_map(FRAME, "month", "product", "group", finding="-")


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("orders", "Source: Composed & Sons, table orders · as of"),
        ("orders, returns", "Source: Composed & Sons, tables orders, returns · as of"),
        ("my own survey", "Source: Composed & Sons, my own survey · as of"),
        ("", "Source: Composed & Sons · as of"),
    ],
)
def test_the_footer_names_tables_as_tables(source: str, says: str) -> None:
    chart = HOUSE.line(FRAME, "month", "rate", finding="-", source=source)
    assert says in " ".join(chart.to_dict()["title"]["text"])


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"y": "rat"}, "The frame has no column rat. Columns: month, order number"),
        ({"y": "product"}, "product must hold numbers to be drawn"),
        ({"y": "rate", "low": "group"}, "group must hold numbers to be drawn"),
    ],
)
def test_what_cannot_be_drawn_is_told_plainly(asked: dict[str, Any], says: str) -> None:
    for draw in FORMS.values():
        with pytest.raises(LabError, match=says):
            draw(FRAME, "month", **asked, finding="-")


def test_more_than_can_be_seen_is_refused() -> None:
    many = pl.DataFrame({"x": range(MOST_ROWS + 1)}).with_columns(y="x", by=pl.col("x").cast(pl.String))
    with pytest.raises(LabError, match="more than 5,000 rows: group or filter it"):
        HOUSE.line(many, "x", "y", finding="-")
    with pytest.raises(LabError, match=f"Column by has 9 values; {len(PALETTE)} colours can be told apart"):
        HOUSE.line(many.head(9), "x", "y", by="by", finding="-")


def test_numbers_carry_their_unit() -> None:
    assert [said(0.381, "%"), said(1234.0, "EUR"), said(-12.5, "days"), said(3.0, "times")] == [
        "38.1\u00a0%", "€1,234", "\u221212.5\u00a0days", "3\u00a0times",
    ]  # fmt: skip
    assert [axis_words("repeat_rate", "%"), axis_words("gap", "days"), axis_words("orders", "orders")] == [
        "repeat rate", "gap, days", "orders",
    ]  # fmt: skip
    assert drawable(FRAME, "month").labels("month")[0] == "Jan\u00a02023"
