"""The section [tiers] of a shop's settings: what makes a customer loyal. What it does is said in `models.tiers`."""

from decimal import Decimal

from pydantic import Field, field_validator, model_validator

from models.tiers import LEVELS, WINDOW_DAYS, TierBasis
from pipelines.settings.base import Settings


class Tiers(Settings):
    """Loyalty tiers.

    Attributes
    ----------
    basis
        What is added up over the window: valid "orders", or "net" spend in shop currency.
    window_days
        For how many days, its own included, an order counts.
    levels
        Name of each tier and what it takes to be in it, such as ``{ silver = 3, gold = 8 }``.
    """

    basis: TierBasis = "orders"
    window_days: int = Field(default=WINDOW_DAYS, gt=0, le=3660)
    levels: dict[str, Decimal] = Field(
        default_factory=lambda: {name: Decimal(level) for name, level in LEVELS.items()}
    )

    @field_validator("levels")
    @classmethod
    def _are_levels(cls, value: dict[str, Decimal]) -> dict[str, Decimal]:
        if not value:
            raise ValueError("name at least one tier, such as loyal = 3")
        if low := [name for name, level in value.items() if level <= 0]:
            raise ValueError(f"a tier takes more than 0: {', '.join(low)}")
        if len(set(value.values())) < len(value):
            raise ValueError("two tiers take the same; give each its own number")
        return value

    @model_validator(mode="after")
    def _fits_the_basis(self) -> "Tiers":
        broken = [name for name, level in self.levels.items() if level != level.to_integral_value()]
        if self.basis == "orders" and broken:
            raise ValueError(f"orders are whole numbers; mend {', '.join(broken)}")
        return self
