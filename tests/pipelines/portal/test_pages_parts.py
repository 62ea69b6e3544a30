"""What pages are made of: rules in words, days and money as people write them, and pictures whose bars add up."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data_contracts import table
from pipelines.delivery.causes import STEPS
from pipelines.portal import gate_facts
from pipelines.portal.cards import SOURCES
from pipelines.portal.facts import Campaign, Card, Freshness, ListPage, Outcome
from pipelines.portal.pages.effects import effects
from pipelines.portal.pages.rule_words import COLUMNS, rule_words
from pipelines.portal.pages.waterfall import picture_in_words, waterfall
from pipelines.portal.pages.written import Written
from pipelines.settings import SegmentList
from pipelines.settings.ready_lists import ready_lists
from pipelines.snapshots import Snapshot
from tests.pipelines.portal.composed_shelf import AS_OF, MADE, campaign

NO_SNAPSHOT = Snapshot("none", "none", AS_OF, MADE, {}, "", "")
GB = Written("en_GB", "GBP", UTC)


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        (
            "stage IN ('lapsed', 'at_risk') AND valid_orders >= 3",
            ("lifecycle stage is lapsed or at risk", "number of orders is at least 3"),
        ),
        ("stage NOT IN ('dormant')", ("lifecycle stage is not dormant",)),
        ("valid_orders BETWEEN 2 AND 5", ("number of orders is 2 to 5",)),
        ("first_order_day < DATE '2024-03-01'", ("first order day is below 1 March 2024",)),
        ("country IS NULL OR country = 'France'", ("either country is not known, or country is France",)),
        ("NOT (valid_orders = 1)", ("not: number of orders is 1",)),
        (
            "historic_clv > 2 * average_order_value",
            ("amount spent so far is above 2 times amount spent per order",),
        ),
        ("true", ("everybody",)),
        ("nonsense (", ()),
        ("1; SELECT 2", ()),
        ("CASE WHEN m = 3 THEN true END", ("a condition that has no words here (see the rule)",)),
    ],
)
def test_a_rule_is_told_in_words(sql: str, words: tuple[str, ...]) -> None:
    assert rule_words(sql) == words


@pytest.mark.parametrize("entry", ready_lists(), ids=lambda entry: entry.name)
def test_every_ready_list_has_a_rule_in_words(entry: SegmentList) -> None:
    words = rule_words(entry.where)
    assert words and not any("_" in part or "see the rule" in part for part in words)


def test_columns_with_words_are_columns_of_the_profile() -> None:
    profile = table("customer_profile").schema
    assert set(COLUMNS) <= set(profile)
    assert all(any(name.startswith(start) for name in profile) for start in SOURCES)


def test_the_gate_has_a_column_for_every_step() -> None:
    assert set(STEPS) < set(campaign("any", "Any"))


@pytest.mark.parametrize(
    ("locale", "money", "number", "day"),
    [
        ("en_GB", "£1,234,568", "12,345", "9 December 2011"),
        ("de_DE", "1.234.568 £", "12.345", "9. Dezember 2011"),
        ("en_US", "£1,234,568", "12,345", "December 9, 2011"),
        ("fr_FR", "1 234 568 £GB", "12 345", "9 décembre 2011"),
        ("de_CH", "£ 1’234’568", "12’345", "9. Dezember 2011"),
    ],
)
def test_numbers_are_written_as_in_the_shops_country(locale: str, money: str, number: str, day: str) -> None:
    def plain(text: str) -> str:
        return text.replace("\u00a0", " ").replace("\u202f", " ")

    written = Written(locale, "GBP", UTC)
    assert plain(written.money(1234567.8)) == money
    assert plain(written.number(12345.4)) == number
    shown = written.day(date(2011, 12, 9))
    assert plain(shown).split(">")[1].removesuffix("</time") == day
    assert ("lang=" in shown) == (not locale.startswith("en"))
    assert 'datetime="2011-12-09"' in shown


def test_what_is_unknown_is_said_to_be() -> None:
    told = (GB.number(None), GB.percent(None), GB.money(None), GB.day(None), GB.moment(None), GB.size(None))
    assert set(map(str, told)) == {"not known"}


@pytest.mark.parametrize(
    ("share", "told"),
    [(0.0, "0.0 %"), (0.0001, "under 0.1 %"), (0.5, "50.0 %"), (0.99999, "over 99.9 %"), (1.0, "100.0 %")],
)
def test_a_share_is_never_rounded_to_nothing_or_everything(share: float, told: str) -> None:
    assert GB.percent(share).replace("\u00a0", " ") == told


@pytest.mark.parametrize(
    ("size", "told"), [(0, "0 bytes"), (999, "999 bytes"), (2052, "2.1 kB"), (48e6, "48 MB")]
)
def test_sizes_have_a_unit_that_fits(size: int, told: str) -> None:
    assert GB.size(size).replace("\u00a0", " ") == told


def test_hours_are_the_shops() -> None:
    written = Written("en_GB", "GBP", ZoneInfo("Europe/London"))
    assert ">1 June 2024, 00:30<" in written.moment(datetime(2024, 5, 31, 23, 30, tzinfo=UTC)).replace(
        "\u00a0", " "
    )


@st.composite
def gates(draw: st.DrawFn) -> ListPage:
    stopped = {step: draw(st.integers(0, 10**7)) for step in STEPS}
    people = draw(st.integers(0, 10**7))
    everyone = sum(stopped.values()) + people
    return _page(campaign("any", "Any", everyone=everyone, **stopped))


def _page(row: dict[str, object]) -> ListPage:
    stops = gate_facts.stops(row, [])
    card = Card(
        list_id="any", name="any", title="Any", purpose="test", channel="email", as_of=AS_OF, state="ready",
        people=stops[-1].left, held_out=0, value=None, expires_at=None, needs=(), new_people=None, last_download=None,
        sent=None,
    )  # fmt: skip
    fresh = Freshness(
        as_of=AS_OF, finished_at=MADE, newest_order=AS_OF, age_days=0, is_stale=False, is_sample=False,
        max_age_days=2, late_sources=(), blocked=0, set_aside=0,
    )  # fmt: skip
    everyone = row["everyone"]
    assert isinstance(everyone, int)
    return ListPage(
        card=card, freshness=fresh, everyone=everyone, stops=stops, groups=(), overlaps=(), files=(), downloads=(),
        made=gate_facts.made(row, NO_SNAPSHOT, None), newest_list_id="any",
    )  # fmt: skip


@given(gates())
@settings(max_examples=60, deadline=None)
def test_every_waterfall_falls_from_all_to_the_file_without_gaps(page: ListPage) -> None:
    for part in waterfall(page):
        first, *falls, last = part.bars
        assert (first.start, first.width, last.start) == (0.0, 1.0, 0.0)
        edge = 1.0
        for bar in falls:
            assert bar.is_out
            assert bar.start + bar.width == pytest.approx(edge)
            edge = bar.start
        assert last.width == pytest.approx(edge, abs=1e-9)
        assert first.customers - sum(bar.customers for bar in falls) == last.customers
    if page.eligible:
        assert waterfall(page)[-1].bars[-1].customers == page.card.people
    assert f"{page.card.people:,} are in the file" in picture_in_words(page)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6), st.floats(0, 1e6))
@settings(max_examples=60, deadline=None)
def test_a_dot_lies_within_its_interval_and_the_picture(value: float, below: float, above: float) -> None:
    blank = dict.fromkeys(Outcome.__dataclass_fields__)
    outcome = Outcome(**{
        **blank, "outcome": "ordered", "unit": "share", "difference": value, "low": value - below, "high": value + above
    })  # fmt: skip
    told = Campaign(**{**dict.fromkeys(Campaign.__dataclass_fields__), "outcomes": (outcome,)})
    (effect,) = effects(told)
    assert 0 <= effect.low <= effect.dot + 1e-9 and effect.dot <= effect.high + 1e-9 <= 1 + 1e-8
    if effect.is_clear:
        assert value - below > 0 or value + above < 0
