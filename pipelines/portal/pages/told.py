"""Small sentences and choices that pages share: a list's cap, a platform's name, days typed."""

from collections.abc import Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from pipelines.delivery.platforms import PLATFORMS
from pipelines.delivery.population import cap_of
from pipelines.portal.facts import Campaign
from pipelines.portal.pages.rule_words import rule_words
from pipelines.records.sending_day import SendingDayError
from pipelines.shop import Shop


@lru_cache(maxsize=256)
def rule(sql: str) -> tuple[str, ...]:
    """A list's rule in people's words."""
    return rule_words(sql)


def platform_title(name: str) -> str:
    """A platform's name for people; its own where it is not known any more."""
    return PLATFORMS[name].title if name in PLATFORMS else name.replace("_", " ").capitalize()


def cap(shop: Shop, name: str) -> str:
    """How often people of a list may be written to, in words."""
    entry = next((entry for entry in shop.lists if entry.name == name), None)
    if entry is None:
        return "the list is no longer in the shop’s settings"
    own = cap_of(entry, shop)
    if own is None:
        return "no limit"
    return f"at most {own.times} messages or lists in {own.days} days"


def day_typed(typed: str) -> date:
    """Read a day that was typed or chosen.

    Raises
    ------
    SendingDayError
        It is none.
    """
    try:
        return date.fromisoformat(typed.strip())
    except ValueError:
        raise SendingDayError("Choose the day on which the list was sent.") from None


def by_state(campaigns: Sequence[Campaign]) -> dict[str, list[Any]]:
    """Campaigns as people look for them: with titles what is known and what is on, then what was never sent."""
    states = (("Known", "closed"), ("On the way", "too_early"))
    used = [(title, [one for one in campaigns if one.state == state]) for title, state in states]
    return {
        "used": [(title, group) for title, group in used if group],
        "unused": [one for one in campaigns if one.state == "not_used"],
    }
