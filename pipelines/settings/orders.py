"""Which delivered orders are orders, what their lines sell, and how far back a return may look.

The rules are carried out by `pipelines.ingest.order_rules` and `pipelines.ingest.returns`.
"""

from typing import Any, Literal

from pydantic import Field, field_validator

from pipelines.settings import statuses
from pipelines.settings.base import Settings, checked_pattern

LineKind = Literal["merchandise", "postage", "fee", "gift_card", "discount", "test", "other"]


class OrderRules(Settings):
    """Which delivered orders are orders, and what their lines sell.

    Statuses and tags are compared without regard to case, and to blanks, hyphens and underscores.

    Attributes
    ----------
    return_order_ids
        A regular expression over order_id: goods or money going back.
    adjustment_order_ids
        A regular expression over order_id: bookkeeping.
    replacement_order_ids
        A regular expression over order_id: orders sent in exchange for goods that came back, whatever value stands on
        them.
    replacement_tags
        Tags of such orders.
    cancelled_statuses
        Statuses of orders that were called off.
    pending_statuses
        Statuses of orders that are not placed yet.
    test_statuses
        Statuses of orders placed to try the shop out.
    placed_statuses
        Statuses of orders that count. One that is in none of these lists counts as well, and is told.
    test_tags
        Tags of orders placed to try the shop out.
    kinds
        Regular expressions over product_id, each with the kind of line that it tells; the first match wins, and a
        delivered kind goes before all.
    kinds_by_name
        The same over product_name, for lines that none of those matched.
    kind_when_unmatched
        The kind of a line that matched nothing.
    repeated_lines
        What happens to a line that stands twice within its order.
    rate_holds_days
        For how many days an exchange rate holds after its own where no newer one came: longer than a month without
        news, and the orders wait in quarantine.
    """

    return_order_ids: str | None = None
    adjustment_order_ids: str | None = None
    replacement_order_ids: str | None = None
    replacement_tags: tuple[str, ...] = ()
    cancelled_statuses: tuple[str, ...] = statuses.CANCELLED
    pending_statuses: tuple[str, ...] = statuses.PENDING
    placed_statuses: tuple[str, ...] = statuses.PLACED
    test_statuses: tuple[str, ...] = ("test",)
    test_tags: tuple[str, ...] = ("test",)
    kinds: dict[str, LineKind] = Field(default={})
    kinds_by_name: dict[str, LineKind] = Field(default={})
    kind_when_unmatched: Literal["merchandise", "other"] = "merchandise"
    repeated_lines: Literal["keep", "drop"] = "keep"
    rate_holds_days: int = Field(default=31, ge=0)

    @field_validator("return_order_ids", "adjustment_order_ids", "replacement_order_ids")
    @classmethod
    def _is_achecked_pattern(cls, value: str | None) -> str | None:
        return value if value is None else checked_pattern(value)

    @field_validator("kinds", "kinds_by_name")
    @classmethod
    def _are_patterns(cls, value: dict[str, Any]) -> dict[str, Any]:
        for pattern in value:
            checked_pattern(pattern)
        return value


class ReturnRules(Settings):
    """How far back a return may look for its purchase.

    Attributes
    ----------
    match_window_days
        A return that names no order is matched to purchases of so many days before it.
    """

    match_window_days: int = Field(default=365, gt=0)
