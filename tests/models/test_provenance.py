"""A stored model scores the kind of data it was fitted on, and nothing else."""

from __future__ import annotations

from datetime import date

import pytest

from models.errors import MismatchedModelError, UnreadableModelError
from models.provenance import Provenance, checked, stamped
from models.purchases import BetaGeo

FITTED = date(2024, 3, 1)
STAMP = Provenance(fitted_as_of=FITTED, data_fingerprint="f1", contract_version="c1")
MODEL = BetaGeo.from_parameters({"r": 0.2, "alpha": 4.0, "a": 0.8, "b": 2.4})


def test_a_stamped_model_is_the_same_model() -> None:
    text = checked(stamped(MODEL.to_json(), STAMP), as_of=date(2024, 3, 5), contract_version="c1")
    assert BetaGeo.from_json(text).params_ == MODEL.params_


@pytest.mark.parametrize(
    ("as_of", "contract", "unit", "says"),
    [
        (date(2024, 3, 5), "c2", "days", "contract version 'c1', not 'c2'"),
        (date(2024, 3, 5), "c1", "weeks", "time unit 'days', not 'weeks'"),
        (date(2024, 2, 29), "c1", "days", "data up to 2024-03-01, which lies after 2024-02-29"),
    ],
)
def test_another_kind_of_data_is_refused(as_of: date, contract: str, unit: str, says: str) -> None:
    text = stamped(MODEL.to_json(), STAMP)
    with pytest.raises(MismatchedModelError, match=says):
        checked(text, as_of=as_of, contract_version=contract, time_unit=unit)


@pytest.mark.parametrize("text", ["{", "{}", "[]", MODEL.to_json()])
def test_a_model_that_does_not_say_what_it_was_fitted_on_is_refused(text: str) -> None:
    with pytest.raises(UnreadableModelError, match="retention run --refit"):
        checked(text, as_of=FITTED, contract_version="c1")
