"""A composed shop of three stories: regulars, people who are overdue, people who came back."""

from __future__ import annotations

from tests.models.composed_purchases import Shop, one_order_each

TODAY = 400


def regular(number: int) -> list[int]:
    """Every 20 to 40 days, the last time on the last day less ten."""
    return list(range(TODAY - 10, 100, -(20 + number % 21)))


def overdue(number: int) -> list[int]:
    """Five times, every 20 to 40 days, and then no more."""
    return [at * (20 + number % 21) for at in range(5)]


def came_back(_: int) -> list[int]:
    """Four times every 20 days, then not for 240, then three times."""
    return [0, 20, 40, 60, 300, 320, 340]


def story_shop(people: int) -> Shop:
    """As many people in each story."""
    stories = {"regular": regular, "overdue": overdue, "back": came_back}
    return one_order_each(
        {f"{name} {number}": days(number) for name, days in stories.items() for number in range(people)}
    )
