"""Sharing: an identifier of many people merges nobody; one person's many identifiers still do."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl
import pytest

from pipelines.ingest.sharing import shared_identifiers
from pipelines.settings import Identity
from tests.pipelines.small_shops import NOW

RULES = Identity(max_names=2, max_addresses=3)
Link = tuple[int | None, int | None, int | None, str | None]


def shared(links: Sequence[Link], once: Sequence[int] = ()) -> dict[int, str]:
    """Identifiers by number; those in ``once`` were seen at one moment, the others at two."""
    columns = {"email": pl.UInt32, "phone": pl.UInt32, "source_id": pl.UInt32, "ship_to_name": pl.String}
    count = 1 + max((number or 0 for link in links for number in link[:3]), default=0)
    last: list[datetime] = [NOW + timedelta(days=number not in once) for number in range(count)]
    identifiers = pl.DataFrame(
        {
            "number": pl.Series(range(count), dtype=pl.UInt32),
            "first_seen_at": [NOW] * count,
            "last_seen_at": last,
        }
    )
    found = shared_identifiers(pl.DataFrame(list(links), schema=columns, orient="row"), identifiers, RULES)
    return dict(found.rows())


def test_an_address_with_more_names_than_allowed_is_shared() -> None:
    assert shared([(0, None, None, "anna"), (0, None, None, "ben"), (0, None, None, "anna")]) == {}
    names = [(0, None, None, name) for name in ("anna", "ben", "cleo")]
    assert shared(names) == {0: "more than 2 ship-to names"}


@pytest.mark.parametrize(
    ("one", "other", "plural"),
    [
        ("email", "phone", "phone numbers"),
        ("email", "source_id", "customer numbers"),
        ("phone", "email", "e-mail addresses"),
        ("phone", "source_id", "customer numbers"),
        ("source_id", "email", "e-mail addresses"),
        ("source_id", "phone", "phone numbers"),
    ],
)
def test_an_identifier_that_came_with_more_of_another_kind_than_allowed_is_shared(
    one: str, other: str, plural: str
) -> None:
    def links(count: int) -> list[Link]:
        cells = [{one: 0, other: number} for number in range(1, count + 1)]
        return [(c.get("email"), c.get("phone"), c.get("source_id"), None) for c in cells]

    assert shared(links(3) * 2) == {}
    assert shared(links(4)) == {0: f"more than 3 {plural}"}


def test_numbers_seen_once_do_not_count_a_guest_may_get_a_new_one_with_every_order() -> None:
    links: list[Link] = [(0, None, number, None) for number in range(1, 9)]
    assert shared(links, once=range(1, 9)) == {}
    assert shared(links, once=range(4, 9)) == {}
    assert shared(links, once=range(5, 9)) == {0: "more than 3 customer numbers"}


def test_an_address_or_phone_counts_also_where_it_was_seen_once() -> None:
    assert 0 in shared([(number, None, 0, None) for number in range(1, 5)], once=range(1, 5))
    assert 0 in shared([(0, number, None, None) for number in range(1, 5)], once=range(1, 5))


def test_nothing_stands_together_in_nothing() -> None:
    assert shared([]) == {}
