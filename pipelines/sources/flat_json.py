"""One JSON object as flat texts: nested objects become dotted names, lists stay JSON, numbers keep their digits.

0.10 stays 0.10 and a number of thirty digits stays what it is: nothing goes through floats. Where the objects of a file
stand is the business of `jsonl`.
"""

import json
from json.encoder import encode_basestring
from typing import Any


class _Number(str):
    """A number as it is written."""

    __slots__ = ()


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


DECODER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=_refuse, strict=False)
"""Reads numbers as the text they are; NaN and Infinity are no JSON."""
_FOR_LISTS = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_refuse, strict=False)
"""Tells numbers from text as well, which takes twice as long."""


def flatten(value: dict[str, Any], text: str) -> dict[str, str | None]:
    """Give an object's values as text, under their own names; empty text is null.

    Parameters
    ----------
    value, text
        As `DECODER` read it, and as it is written.
    """
    flat: dict[str, str | None] = {}
    if _add(value, "", flat):
        return flat
    with_lists: dict[str, str | None] = {}
    _add(_FOR_LISTS.decode(text), "", with_lists, has_numbers=True)
    return with_lists


def _add(
    value: dict[str, Any], prefix: str, flat: dict[str, str | None], *, has_numbers: bool = False
) -> bool:
    """Add an object's values; False if a list stands in the way, whose numbers have to be told from text."""
    for key, item in value.items():
        name = prefix + key
        kind = type(item)
        if kind is str:
            text = item or None
        elif kind is dict and item:
            if not _add(item, f"{name}.", flat, has_numbers=has_numbers):
                return False
            continue
        elif kind is list and not has_numbers:
            return False
        else:
            text = written(item) if item is not None and item != {} else None
        flat[name if name not in flat else _free(name, flat)] = text
    return True


def _free(name: str, flat: dict[str, str | None]) -> str:
    copy = 2
    while f"{name} ({copy})" in flat:
        copy += 1
    return f"{name} ({copy})"


def written(value: Any) -> str:
    """Write a value as JSON, numbers with the digits that they came with."""
    if isinstance(value, _Number):
        return value
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, list):
        return f"[{','.join(written(item) for item in value)}]"
    if isinstance(value, dict):
        return f"{{{','.join(f'{encode_basestring(key)}:{written(item)}' for key, item in value.items())}}}"
    return "null" if value is None else "true" if value else "false"
