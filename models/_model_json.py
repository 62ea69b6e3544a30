"""Fitted estimators as JSON text: readable, diffable, and nothing runs when it is read back.

Belongs here: the envelope (format, version, model name) and its checks. Does not belong here: what a model
stores (each says so itself), files.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, Final, cast

from models.errors import UnreadableModelError

FORMAT: Final = "retention-lab-model"
FORMAT_VERSION: Final = 1

Content = dict[str, Any]


def dump_model(name: str, content: Mapping[str, object]) -> str:
    """Write a model; NaN and infinity become null, floats keep all their digits."""
    envelope = {"format": FORMAT, "format_version": FORMAT_VERSION, "model": name, **content}
    return json.dumps(_without_nan(envelope), indent=1, allow_nan=False)


def load_model(text: str, *names: str) -> Content:
    """Read the content of a model of one of the given names.

    Raises
    ------
    UnreadableModelError
        Not JSON, another format or version, or another model.
    """
    try:
        raw: object = json.loads(text)
    except json.JSONDecodeError as error:
        raise UnreadableModelError(
            f"This is not JSON ({error}); save the model again with to_json()."
        ) from error
    if not isinstance(raw, dict) or cast(Content, raw).get("format") != FORMAT:
        raise UnreadableModelError("This JSON is not a saved model; save one with to_json().")
    content = cast(Content, raw)
    if content.get("format_version") != FORMAT_VERSION:
        raise UnreadableModelError(
            f"The model is stored in format version {content.get('format_version')}, this code reads version "
            f"{FORMAT_VERSION}: fit and save it again."
        )
    if content.get("model") not in names:
        raise UnreadableModelError(f"The text holds a {content.get('model')}, not a {' or '.join(names)}.")
    return content


def number(value: object) -> float:
    """Read a number back; null stands for NaN."""
    return math.nan if value is None else float(cast(float, value))


def _without_nan(value: object) -> object:
    if isinstance(value, Mapping):
        return {str(key): _without_nan(inner) for key, inner in cast(Mapping[object, object], value).items()}
    if isinstance(value, list | tuple):
        return [_without_nan(inner) for inner in cast(list[object], value)]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
