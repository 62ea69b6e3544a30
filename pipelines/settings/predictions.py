"""How the future is valued and how intervals are drawn; carried out by `models.prediction`."""

from pydantic import Field

from pipelines.settings.base import Settings


class Predictions(Settings):
    """How the future is valued and how intervals are drawn.

    Attributes
    ----------
    annual_discount
        Yearly rate by which later money is worth less, in predicted_clv_365d_discounted.
    interval_draws
        How often parameters are drawn for an interval.
    seed
        Of everything that is drawn.
    """

    annual_discount: float = Field(default=0.1, ge=0, lt=10)
    interval_draws: int = Field(default=200, ge=50)
    seed: int = 1
