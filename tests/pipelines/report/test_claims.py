"""The section of claims: every status told, numbers in the claim's own unit, nothing drawn that is not known."""

from data_contracts import table
from pipelines.report.claims import claims_section
from pipelines.report.figures.claims import claimed, claims_figure, found
from pipelines.report.pictures import to_svg
from pipelines.report.report import render_report
from pipelines.report.theme import NARROW, Look
from tests.pipelines.report.composed_claims import ROWS, claim, claims, measured
from tests.pipelines.report.composed_tables import AS_OF, Composed, shop
from tests.pipelines.report.page_reader import read


def test_numbers_are_told_in_the_claims_own_unit() -> None:
    per_order, _, active, alike, _ = ROWS
    assert found(per_order) == "1.20\u00a0times (1.10 to 1.30\u00a0times)"
    assert claimed(per_order) == "at least 3.00\u00a0times"
    assert found(active) == "37.0\u00a0% (32.0 to 42.0\u00a0%)"
    assert claimed(active) == "35.0 to 41.0\u00a0%"
    assert found(alike) == "−2.0\u00a0points (−3.0 to −1.0\u00a0points)"
    untested = claims().collect().row(-1, named=True)
    assert (found(untested), claimed(untested)) == ("", "")
    assert found(measured(1, "one", "cannot tell", 2.0, 0.0, low=None, high=None)) == "2.00\u00a0times"


def test_the_picture_counts_claims_that_are_settled_and_leaves_out_what_is_not_known() -> None:
    figure = claims_figure(claims())
    assert figure is not None
    assert figure.finding == (
        "Of 4\u00a0claims that everybody repeats, this shop's data settle 2: 1 hold at least in part."
    )
    assert [row[1] for row in figure.table.rows] == ["per order", "per customer", "active", "alike people"]
    for width in (720, NARROW):
        assert to_svg(figure.chart(Look(width=width))).count("<svg") == 1
    assert claims_figure(claims([claim(11, "views", "cannot be tested")])) is None
    assert claims_figure(table("claims").empty().lazy()) is None


def test_a_claim_of_no_change_has_no_multiple_and_stands_in_the_table() -> None:
    level = measured(5, "flat", "holds", 0.01, 0.02, claimed_low=0.0, claimed_high=0.0, unit="points")
    figure = claims_figure(claims([*ROWS, level]))
    assert figure is not None
    assert "flat" in [row[1] for row in figure.table.rows]
    assert "stand in the table alone" in figure.note
    assert "flat" not in to_svg(figure.draw(Look(is_titled=False)), prefix="a")


def test_what_lies_far_outside_is_drawn_at_the_edge_and_told_in_full() -> None:
    figure = claims_figure(claims([measured(3, "per order", "holds", 90.0, 10.0)]))
    assert figure is not None
    assert figure.table.rows[0][3] == "90.0\u00a0times (80.0 to 100.0\u00a0times)"
    assert "90" not in to_svg(figure.draw(Look(is_titled=False)), prefix="a")


def test_the_report_tells_every_part_that_was_tested_and_why_the_others_were_not() -> None:
    page = render_report(Composed({"claims": claims()}), shop(), AS_OF, "now")
    text = " ".join(read(page).text.split())
    for row in ROWS:
        assert row["says"] in text
        assert (row["definition"] in text) == (row["status"] != "cannot be tested")
    assert "11. What is said 11" in text
    empty = render_report(Composed({}), shop(), AS_OF, "now")
    assert "The claims were not tested for this day." in " ".join(read(empty).text.split())


def test_a_reason_that_several_parts_share_is_told_once() -> None:
    reason = {"says": "The shop delivers no parcels."}
    rows = [claim(6, part, "cannot be tested", **reason) for part in ("late", "later")]
    section = claims_section(claims(rows))
    assert section["tested"] == []
    assert section["untested"].rows == (("6. What is said 6", "The shop delivers no parcels."),)
