"""The page of commands, made from what `retention --help` is made from."""

from collections.abc import Iterator
from enum import Enum
from typing import Any

import typer.main

__all__ = ["commands_page"]

_KINDS = {"int": "NUMBER", "float": "NUMBER", "Path": "PATH", "datetime": "DAY"}
BAR = r"\|"
"""A bar within a cell."""
_HEAD = """\
# Commands

Made from code by `make docs`. `retention COMMAND --help` tells the same on a terminal. Every command exits 0 on
success, 1 on a fault that it explains, 2 on wrong usage.
"""


def commands_page() -> str:
    """Every command with its arguments, options and an example."""
    from pipelines.cli.main import app  # with every command added

    # Typer may bring a Click of its own, so nothing is asked of Click's classes.
    root: Any = typer.main.get_command(app)
    return "\n".join([_HEAD, *_told(root, ["retention"])])


def _told(command: Any, path: list[str]) -> Iterator[str]:
    """A command's section, or those of its own commands."""
    for name, one in sorted(getattr(command, "commands", {}).items()):
        yield from _told(one, [*path, name])
    if getattr(command, "commands", None):
        return
    usage = " ".join([*path, *(_metavar(one) for one in command.params if _is_argument(one))])
    yield f"## `{usage}`\n"
    yield f"{' '.join((command.help or '').split())}\n"
    rows = [_row(one) for one in command.params if not getattr(one, "hidden", False) and one.name != "help"]
    if rows:
        yield "| argument or option | meaning | default |\n|---|---|---|\n" + "\n".join(rows) + "\n"
    if command.epilog:
        yield f"{' '.join(command.epilog.split())}\n"


def _is_argument(parameter: Any) -> bool:
    return parameter.param_type_name == "argument"


def _metavar(parameter: Any) -> str:
    name = parameter.metavar or parameter.name.upper()
    return name if parameter.required else f"[{name}]"


def _row(parameter: Any) -> str:
    if _is_argument(parameter):
        name = _metavar(parameter)
    else:
        name = " / ".join((*parameter.opts, *parameter.secondary_opts))
        if not parameter.is_flag:
            name += f" {_kind(parameter)}"
    cells = (f"`{name}`", " ".join((parameter.help or "").split()), _default(parameter))
    return f"| {' | '.join(cell.replace('|', BAR) for cell in cells)} |"


def _kind(parameter: Any) -> str:
    """What an option takes, as in a usage line."""
    kind = parameter.type_descriptor.annotation
    if parameter.metavar:
        return parameter.metavar
    if isinstance(kind, type) and issubclass(kind, Enum):
        return "|".join(str(choice.value) for choice in kind)
    return _KINDS.get(getattr(kind, "__name__", ""), "TEXT")


def _default(parameter: Any) -> str:
    value = parameter.default
    if parameter.required:
        return "required"
    if value is None or value is False or callable(value) or value == ():
        return ""
    if value is True:
        return "yes"
    return f"`{getattr(value, 'value', value)}`"
