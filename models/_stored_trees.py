# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
"""Fitted trees as bytes, without pickles: a zip of `model.json` and one archive of skops a set of trees.

Everything that is not trees is JSON text in the envelope of `models._model_json`. Trees are written by skops, which
on reading builds named types only; beyond what skops trusts of numpy, scipy and scikit-learn by itself, exactly
`TRUSTED` are allowed, and nothing else is built. The same model gives the same bytes: skops names members by memory
address and stamps them with the time, both are replaced.

What does not belong here: what a model stores (each says so itself), files.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from importlib.metadata import version
from io import BytesIO
from typing import Any, Final, NamedTuple

from models._boosting import Grown, Loss, grown_from
from models._model_json import Content, dump_model, load_model
from models.errors import UnreadableModelError

__all__ = ["TRUSTED", "Stored", "read_stored", "store"]

TRUSTED: Final = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""What HistGradientBoosting holds that skops does not trust by itself: a tree, and how it checks its columns."""

_JSON: Final = "model.json"
_TREES: Final = "{}.skops"
_SCHEMA: Final = "schema.json"
_ARRAY: Final = ".npy"
_LIBRARY: Final = "scikit_learn"
# the earliest day that a zip can tell
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_AGAIN: Final = "fit the model again and store it with to_skops()"


class Stored(NamedTuple):
    """A model in parts: what goes into JSON, and its trees by name."""

    content: Mapping[str, object]
    trees: Mapping[str, Grown]


def store(model: str, stored: Stored) -> bytes:
    """Write a model of this name."""
    text = dump_model(model, {_LIBRARY: version("scikit-learn"), **stored.content})
    members = {_JSON: text.encode()}
    members |= {_TREES.format(name): _dump(grown) for name, grown in stored.trees.items()}
    return _zipped(members, zipfile.ZIP_DEFLATED)


def read_stored(
    data: bytes, model: str, losses: Mapping[str, Loss], *, horizon_days: int | None
) -> tuple[Content, dict[str, Grown]]:
    """Read what `store` wrote; nothing in it runs.

    Parameters
    ----------
    data
    model
        Name of the model.
    losses
        What each set of trees was grown for.
    horizon_days
        The horizon wanted; None takes any.

    Raises
    ------
    UnreadableModelError
        Not such bytes; another model, format version, minor version of scikit-learn or horizon; types beyond
        `TRUSTED`. The message says what to do.
    """
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            content = load_model(archive.read(_JSON).decode(), model)
            _require_same(content, horizon_days)
            return content, {
                name: grown_from(_load(archive.read(_TREES.format(name))), loss)
                for name, loss in losses.items()
            }
    except (zipfile.BadZipFile, KeyError, UnicodeDecodeError) as error:
        raise UnreadableModelError(f"These bytes are not a whole {model} ({error}): {_AGAIN}.") from error


def _require_same(content: Content, horizon_days: int | None) -> None:
    written, here = str(content[_LIBRARY]), version("scikit-learn")
    if written.split(".")[:2] != here.split(".")[:2]:
        raise UnreadableModelError(
            f"The trees were stored by scikit-learn {written} and this is {here}, where the same bytes may mean "
            f"something else: {_AGAIN}, or install scikit-learn {written}."
        )
    stored_days = content["params"]["horizon_days"]
    if horizon_days is not None and horizon_days != stored_days:
        raise UnreadableModelError(
            f"The model predicts {stored_days} days and {horizon_days} are asked for: read the one that was stored "
            f"for {horizon_days} days, or fit one."
        )


def _load(data: bytes) -> Any:
    from skops.io import get_untrusted_types, loads

    if more := sorted(set(get_untrusted_types(data=data)) - set(TRUSTED)):
        raise UnreadableModelError(
            f"The stored trees hold types that no trees need ({', '.join(more)}), so nothing was built from them. "
            f"Find out who wrote them; {_AGAIN}."
        )
    return loads(data, trusted=list(TRUSTED))


def _dump(grown: Grown) -> bytes:
    from skops.io import dumps

    with zipfile.ZipFile(BytesIO(dumps(grown.estimator))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    numbers: dict[str, str] = {}

    def numbered(node: dict[str, Any]) -> dict[str, Any]:
        if "__id__" in node:
            node["__id__"] = int(_number(str(node["__id__"]), numbers))
        if isinstance(node.get("file"), str):
            node["file"] = _number(node["file"].removesuffix(_ARRAY), numbers) + _ARRAY
        return node

    schema = json.loads(members.pop(_SCHEMA), object_hook=numbered)
    arrays = {
        _number(name.removesuffix(_ARRAY), numbers) + _ARRAY: content for name, content in members.items()
    }
    return _zipped(dict(sorted(arrays.items())) | {_SCHEMA: json.dumps(schema).encode()}, zipfile.ZIP_STORED)


def _number(address: str, numbers: dict[str, str]) -> str:
    """Number memory addresses in the order in which they come."""
    return numbers.setdefault(address, str(len(numbers)))


def _zipped(members: Mapping[str, bytes], compression: int) -> bytes:
    written = BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name, _NO_TIME), content, compress_type=compression)
    return written.getvalue()
