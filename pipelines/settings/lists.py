"""What a list for a campaign is. Who may be on one whatever it asks for is decided by `pipelines.delivery.gate`."""

from typing import Literal

from pydantic import Field

from pipelines.settings.base import Settings


class SegmentList(Settings):
    """One list of people for a campaign.

    ``where`` is one boolean SQL expression over customer_profile; ``null_means`` says what a rule that comes
    out as null decides. ``order_by`` and ``limit`` cut the list to the best; the rest follows definitions.md,
    "Lists".
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    purpose: str
    channel: Literal["email", "sms", "ads"] = "email"
    where: str
    reason: str
    order_by: str = "customer_key"
    limit: int | None = Field(default=None, gt=0)
    hold_out: float = Field(default=0.1, ge=0, lt=1)
    expected_rate: float | None = Field(default=None, gt=0, lt=1)
    expires_after_hours: int = Field(default=72, gt=0)
    null_means: Literal["out", "in"] = "out"
