"""What profit is counted with where no table of costs tells it; the claim checker simulates on it (`models.claims`)."""

from pydantic import Field

from pipelines.settings.base import Settings


class Profit(Settings):
    """What profit is counted with, where the table of costs does not tell it or tells it otherwise.

    Attributes
    ----------
    margin
        Share of net revenue that is left after costs that grow with orders.
    fixed_costs
        A year's costs that do not, in shop currency.
    acquisition_cost
        What winning a customer costs, in shop currency.
    acquisition_campaigns
        Campaigns of the table of costs that win customers; all others keep them.
    """

    margin: float | None = Field(default=None, gt=0, le=1)
    fixed_costs: float | None = Field(default=None, ge=0)
    acquisition_cost: float | None = Field(default=None, ge=0)
    acquisition_campaigns: tuple[str, ...] | None = None
