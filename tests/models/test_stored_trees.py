"""Stored trees: the same predictions to the last bit, the same bytes, and refusals that say what to do."""

from __future__ import annotations

import functools
import json
import zipfile
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import polars as pl
import pytest
import skops.io

from models._stored_trees import TRUSTED
from models.churn import ChurnClassifier
from models.errors import NotFittedError, UnreadableModelError
from models.future_value import FutureValue
from tests.models.composed_training_rows import HORIZON, composed_features, composed_rows

SMALL: dict[str, Any] = {"horizon_days": HORIZON, "max_iter": 20, "learning_rate": 0.2}


@pytest.fixture(scope="module")
def rows() -> pl.DataFrame:
    return composed_rows(1000)


@pytest.fixture(scope="module")
def value(rows: pl.DataFrame) -> FutureValue:
    return FutureValue(**SMALL).fit(rows)


@pytest.fixture(scope="module")
def new() -> pl.DataFrame:
    return composed_features(np.random.default_rng(9), 500)


@pytest.mark.parametrize("calibration", ["sigmoid", "isotonic"])
def test_a_classifier_comes_back_as_it_was(rows: pl.DataFrame, new: pl.DataFrame, calibration: Any) -> None:
    model = ChurnClassifier(calibration=calibration, importance_repeats=1, **SMALL).fit(rows)
    read = ChurnClassifier.from_skops(model.to_skops(), horizon_days=HORIZON)
    assert (read.predict(new) == model.predict(new)).all()
    assert read.get_params() == model.get_params()
    assert read.columns_ == model.columns_
    assert read.importances_.equals(model.importances_)
    for name in ("left_out_", "cuts_", "n_rows_", "n_held_back_", "trees_", "held_back_metrics_"):
        assert getattr(read, name) == getattr(model, name), name
    assert read.to_skops() == model.to_skops()
    assert not hasattr(read, "held_back_")


def test_a_value_model_comes_back_as_it_was(value: FutureValue, new: pl.DataFrame) -> None:
    read = FutureValue.from_skops(value.to_skops())
    assert (read.predict(new) == value.predict(new)).all()
    assert (read.predict(new) > 0).any()
    assert (read.purchase_.predict(new) == value.purchase_.predict(new)).all()
    assert read.get_params() == value.get_params()
    for name in ("columns_", "trees_", "n_buyers_", "n_zero_", "n_negative_", "level_", "held_back_totals_"):
        assert getattr(read, name) == getattr(value, name), name


def test_the_same_rows_give_the_same_bytes(rows: pl.DataFrame, value: FutureValue) -> None:
    assert FutureValue(**SMALL).fit(rows).to_skops() == value.to_skops()


def test_nobody_is_named_in_the_bytes(rows: pl.DataFrame, value: FutureValue) -> None:
    with zipfile.ZipFile(BytesIO(value.to_skops())) as archive:
        assert archive.namelist() == ["model.json", "purchase.skops", "net.skops"]
        text = archive.read("model.json").decode()
    assert json.loads(text)["params"]["horizon_days"] == HORIZON
    assert not any(key in text for key in rows["customer_key"].unique())


def _changed(data: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    content = json.loads(members["model.json"])
    change(content)
    return _zipped(members | {"model.json": json.dumps(content).encode()})


def _zipped(members: dict[str, bytes]) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return written.getvalue()


def test_what_was_written_otherwise_is_refused_with_the_remedy(value: FutureValue) -> None:
    data = value.to_skops()

    def read(data: bytes, horizon_days: int | None = None) -> FutureValue:
        return FutureValue.from_skops(data, horizon_days=horizon_days)

    with pytest.raises(UnreadableModelError, match=r"format version 99, .* fit and save it again"):
        read(_changed(data, lambda content: content.update(format_version=99)))
    with pytest.raises(UnreadableModelError, match=r"stored by scikit-learn 0\.1\.0 .* fit the model again"):
        read(_changed(data, lambda content: content.update(scikit_learn="0.1.0")))
    with pytest.raises(UnreadableModelError, match="predicts 90 days and 365 are asked for: read the one"):
        read(data, horizon_days=365)
    with pytest.raises(UnreadableModelError, match=r"not a whole FutureValue .* store it with to_skops"):
        read(b"no zip")
    with pytest.raises(UnreadableModelError, match="not a whole FutureValue"):
        read(_zipped({"nothing": b""}))
    with pytest.raises(UnreadableModelError, match="holds a FutureValue, not a ChurnClassifier"):
        ChurnClassifier.from_skops(data)
    with pytest.raises(NotFittedError, match="call fit"):
        ChurnClassifier().to_skops()


def test_exactly_the_types_that_trees_need_are_trusted(value: FutureValue) -> None:
    with zipfile.ZipFile(BytesIO(value.to_skops())) as archive:
        for name in ("purchase.skops", "net.skops"):
            assert set(skops.io.get_untrusted_types(data=archive.read(name))) == set(TRUSTED)


def test_other_types_are_refused_and_nothing_is_built(value: FutureValue) -> None:
    with zipfile.ZipFile(BytesIO(value.to_skops())) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    stranger = skops.io.dumps(functools.partial(_never))
    with pytest.raises(UnreadableModelError, match=r"no trees need \(.*_never\)"):
        FutureValue.from_skops(_zipped(members | {"net.skops": stranger}))


def _never() -> None:
    raise AssertionError("read and run")
