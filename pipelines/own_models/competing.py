"""Competing: a shop's own models among the candidates of a back-test.

What does not belong here: the measures (`models.measure`) and the choice (`models.champion`), which treat them like
any other model; they count as less simple than all of the program's.
"""

import polars as pl

from pipelines.own_models.hidden_model import HiddenModel
from pipelines.own_models.model_files import model_files
from pipelines.own_models.steadiness import check_steadiness
from pipelines.shop import Shop

__all__ = ["CompetingModel", "own_candidates"]


class CompetingModel(HiddenModel):
    """A model of the shop's own in a back-test: where it first predicts, it is asked twice."""

    _is_steady = False

    def predict(self, horizon_days: int) -> pl.DataFrame:
        """Predict as at night; see `HiddenModel.predict`.

        Raises
        ------
        DisqualifiedError
            Asked twice, it says something else.
        """
        predicted = super().predict(horizon_days)
        if not self._is_steady:
            check_steadiness(self.model, self._known, horizon_days, predicted, seed=self.seed)
            self._is_steady = True
        return predicted


def own_candidates(shop: Shop) -> list[CompetingModel]:
    """The shop's own models, for a back-test."""
    return [CompetingModel(one, seed=shop.predictions.seed) for one in model_files(shop)]
