"""The page of settings, made from the classes that read shop.toml.

Names, kinds and defaults come from the fields, meanings from the docstrings.
"""

import types
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from docstring_parser import parse
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from pipelines.reference.commands import BAR
from pipelines.settings import Settings
from pipelines.shop import Shop

__all__ = ["meanings", "sections", "settings_page"]

_HEAD = """\
# Settings

Made from code by `make docs`. Everything that `shop.toml` may hold. A setting that is not known is told with those
there are; `retention check` reads them all. Secrets never stand here.
"""
_INNER = ("folder",)
"""Fields that are no settings."""


def settings_page() -> str:
    """Every section with every setting."""
    return "\n".join([_HEAD, *(_section(path, kind) for path, kind in sections())])


def sections() -> list[tuple[str, type[Settings]]]:
    """The sections of shop.toml as they are written in it, each with its class; the first is the file's top."""
    return [("", Shop), *_below(Shop, "")]


def meanings(kind: type[Settings]) -> dict[str, str]:
    """What each setting of a section means, by name; one sentence may stand for several."""
    told: dict[str, str] = {}
    for parameter in parse(kind.__doc__ or "").params:
        for name in parameter.arg_name.split(","):
            told[name.strip()] = " ".join((parameter.description or "").split())
    return told


def _below(kind: type[Settings], path: str) -> Iterator[tuple[str, type[Settings]]]:
    for name, info in kind.model_fields.items():
        inner, is_list = section_of(info.annotation)
        if inner is None:
            continue
        here = f"{path}.{name}" if path else name
        yield (f"[[{here}]]" if is_list else f"[{here}]"), inner
        yield from _below(inner, here)


def section_of(annotation: Any) -> tuple[type[Settings] | None, bool]:
    """The class of a section that a field holds, and whether there may be several."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation, False
    for part in get_args(annotation):
        found, _ = section_of(part)
        if found is not None:
            return found, get_origin(annotation) is tuple
    return None, False


def _section(path: str, kind: type[Settings]) -> str:
    doc = parse(kind.__doc__ or "")
    about = " ".join(" ".join(filter(None, (doc.short_description, doc.long_description))).split())
    told = meanings(kind)
    rows = [
        f"| `{info.alias or name}` | {_kind(info.annotation)} | {_default(info)} | {_cell(told.get(name, ''))} |"
        for name, info in kind.model_fields.items()
        if name not in _INNER and section_of(info.annotation)[0] is None
    ]
    title = f"`{path}`" if path else "At the top"
    return (
        f"## {title}\n\n{_cell(about)}\n\n| setting | kind | default | meaning |\n|---|---|---|---|\n"
        + "\n".join(rows)
        + "\n"
    )


def _kind(annotation: Any) -> str:
    """A field's type in plain words."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in inside)
    if origin is Annotated:
        return _kind(inside[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(part) for part in inside if part is not type(None))
    if origin is tuple:
        return f"list of {_kind(inside[0])}"
    if origin is dict:
        return f"{_kind(inside[0])} = {_kind(inside[1])}"
    names = {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "Decimal": "number",
        "bool": "true or false",
        "date": "day",
    }
    return names.get(getattr(annotation, "__name__", ""), "text")


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined or value in ("", (), {}):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return ", ".join(f"`{part}`" for part in value)
    if isinstance(value, dict):
        return ", ".join(f"`{name} = {part}`" for name, part in value.items())
    return f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("``", "`").replace("|", BAR)
