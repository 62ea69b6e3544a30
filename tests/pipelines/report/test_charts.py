import re
from collections.abc import Callable
from itertools import combinations
from math import dist

import polars as pl
import pytest

from data_contracts import table
from pipelines.report import charts, theme
from pipelines.report.theme import Chart, Look
from tests.pipelines.report.composed_tables import AS_OF, Composed, frame, list_row

LOOK = Look(shop="Composed & Sons", as_of=AS_OF, currency="EUR")
CHARTS: dict[str, Callable[[pl.LazyFrame, Look], Chart]] = {
    "cohort_retention": charts.cohort_heat_map,
    "orders": charts.net_revenue,
    "purchase_latency": charts.purchase_latency,
    "return_rates": charts.return_rates,
    "backtest": charts.backtest_chart,
    "backtest_calibration": charts.calibration_chart,
    "decile_lift": charts.decile_lift,
    "tracking": charts.tracking_curve,
    "frequency_recency": charts.frequency_recency,
    "purchase_paths": charts.purchase_paths,
    "churn_importances": charts.importances_chart,
    "rfm": charts.rfm_segments,
    "customer_stages": charts.lifecycle_stages,
    "customer_profile": charts.lifecycle_stages,
    "stage_transitions": charts.stage_movements,
    "campaign_lists": charts.list_gate,
    "deliveries": charts.delivery_conservation,
    "contract_results": charts.contract_rules,
}
# Machado, Oliveira & Fernandes (2009), IEEE TVCG 15, 1291-1298, table 1, severity 1.0; on linear RGB.
BLINDNESS = {
    "none": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": (
        (0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998),
    ),
    "deuteranopia": (
        (0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881),
    ),
    "tritanopia": (
        (1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CHARTS)
def test_chart_is_valid_vega_lite_and_says_finding_source_n_and_day(name: str, tables: Composed) -> None:
    chart = CHARTS[name](tables(name), LOOK)
    spec = chart.to_dict()
    footer = " ".join(spec["title"]["text"])
    assert f"Source: Composed & Sons, table {name}" in footer
    assert re.search(r"n\s=\s[\d,]+", footer)
    assert "as of 10 June 2023" in footer.replace("\u00a0", " ")
    assert " ".join(spec["vconcat"][0]["title"]["text"]) in spec["description"]


def test_every_picture_of_the_page_keeps_to_its_width(page: str) -> None:
    drawn = re.findall(r'<svg [^>]*?width="([\d.]+)"', page)
    room = [theme.WIDE, theme.NARROW] * (len(drawn) // 2)
    # A name at the end of a line may be a little wider than the room kept for it.
    assert all(float(width) <= most * 1.1 for width, most in zip(drawn, room, strict=True)), drawn


@pytest.mark.parametrize("name", CHARTS)
def test_table_without_rows_gives_a_picture_that_says_so(name: str) -> None:
    chart = CHARTS[name](table(name).empty().lazy(), LOOK)
    assert charts.to_svg(chart).count("<svg") == 1
    assert chart.to_dict()["description"].endswith(("yet.", "broken.", "made.", "back-tested."))


def test_same_chart_is_the_same_svg_whatever_was_drawn_before(tables: Composed) -> None:
    chart = charts.retention_rates(tables("cohort_retention"), LOOK)
    first = charts.to_svg(chart)
    charts.to_svg(charts.cohort_heat_map(tables("cohort_retention"), LOOK))
    assert charts.to_svg(chart) == first


def test_ids_of_pictures_do_not_clash(tables: Composed) -> None:
    chart = charts.retention_rates(tables("cohort_retention"))
    ids = [found for prefix in "ab" for found in re.findall(r' id="([^"]+)"', charts.to_svg(chart, prefix))]
    assert len(ids) == len(set(ids))


def test_png_is_a_png(tables: Composed) -> None:
    assert charts.to_png(charts.list_gate(frame("campaign_lists", [list_row("first")]))).startswith(
        b"\x89PNG"
    )


def test_left_truncated_cohort_is_marked_and_incomplete_cells_are_left_out(tables: Composed) -> None:
    spec = charts.cohort_heat_map(tables("cohort_retention"), LOOK).to_dict()
    cells = tables("cohort_retention").filter(measure="active_rate").filter(pl.col("k") > 0).collect()
    drawn = "".join(str(data) for data in spec["datasets"].values()) if "datasets" in spec else str(spec)
    assert "†" in drawn
    complete = cells.filter("is_complete", pl.col("k") <= 24)
    starts = complete["cohort"].unique().sort().tail(24)
    expected = complete.filter(pl.col("cohort").is_in(starts.to_list())).height
    assert drawn.count("fill") - drawn.count("fill:N") >= expected


def test_marks_and_text_stand_out_from_paper() -> None:
    assert all(theme.contrast(colour, theme.PAPER) >= 3 for colour in theme.PALETTE)
    assert all(theme.contrast(colour, theme.PAPER) >= 7 for colour in (theme.INK, theme.SOFT_INK))
    for ramp in (theme.BLUES, theme.GREYS):
        shades = [theme.shade(ramp, step / 50) for step in range(51)]
        assert all(theme.contrast(theme.ink_on(shade), shade) >= 4.5 for shade in shades)


@pytest.mark.parametrize("kind", BLINDNESS)
def test_palette_stays_apart_for_colour_blind_people(kind: str) -> None:
    seen = [_lab(_as_seen(colour, BLINDNESS[kind])) for colour in theme.PALETTE]
    assert min(dist(one, other) for one, other in combinations(seen, 2)) >= 20


def test_contrast_agrees_with_wcag() -> None:
    assert theme.contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert theme.contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)


def _as_seen(colour: str, matrix: tuple[tuple[float, ...], ...]) -> list[float]:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return [min(max(sum(w * part for w, part in zip(row, linear, strict=True)), 0.0), 1.0) for row in matrix]


def _lab(rgb: list[float]) -> tuple[float, float, float]:
    """CIE L*a*b* of linear sRGB, white D65."""
    red, green, blue = rgb
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047,
        0.2126 * red + 0.7152 * green + 0.0722 * blue,
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883,
    )
    x, y, z = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)
