"""The curtain: what a model's process may not do once it is drawn, whoever's code does it.

A model is told facts and is asked about the days after them. Whatever else it reads may know those days: the lake,
other files, a database, the network, the clock. Each such deed is refused, and noted even if the model swallows the
refusal. Three nets:

- Python's audit events (PEP 578) tell of files opened, sockets, databases, processes and imports;
- Polars reads files past Python, so its readers are taken away; packages that only read data cannot be imported;
- a profile function hears the model's own file ask for the time.

It guards against haste and wishful thinking, not against somebody who sets out to deceive: a compiled extension that
opens files by itself, a process started past `subprocess`, NumPy's or pandas' clock, or numbers that a person who has
seen the future wrote into the file go through. What they could do with a look at the lake is little: customers and
orders have made-up names here (`pipelines.own_models.hidden_model`).
"""

import datetime
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any, Final, NoReturn

__all__ = ["draw"]

_READERS: Final = (
    "deltalake",
    "duckdb",
    "pyarrow.parquet",
    "pyarrow.dataset",
    "adbc_driver_manager",
    "pg8000",
)
"""Packages that read data past Python; `pipelines` itself is the door to the lake."""
_SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc", "/proc", "/sys", "/dev", "/System", "/Library")
"""Where systems keep libraries, time zones and what they say of themselves."""
_ASKS_SYSTEM: Final = ("lscpu", "ldconfig", "uname", "sysctl")
"""Programs that libraries ask how many processors there are, and the like."""
_REACHES: Final = (
    "socket.connect",
    "socket.getaddrinfo",
    "sqlite3.connect",
    "os.system",
    "os.exec",
    "os.posix_spawn",
)
_CLOCKS: Final = (time.time, time.time_ns, time.localtime, time.gmtime)
_DAYS: Final = ("today", "now", "utcnow")

Note = Callable[[str], None]


def draw(model: Path, own: Path, hidden: list[Path], note: Note) -> None:
    """Draw the curtain for the rest of this process.

    Parameters
    ----------
    model
        The model's file.
    own
        Folder that the process may read and write.
    hidden
        Folders that must not be read although they may lie within Python's own.
    note
        Is told each deed.
    """
    refuse = _refusing(str(model), note)
    _take_readers_away(refuse)
    sys.addaudithook(_listening(model, own, hidden, refuse))
    sys.setprofile(_watching(str(model), note))


def _refusing(model: str, note: Note) -> Callable[[str], NoReturn]:
    def refuse(deed: str) -> NoReturn:
        told = f"{deed}{_where(model)}"
        note(told)
        raise PermissionError(f"It {told}; a model learns from what `fit` is given and from nothing else.")

    return refuse


def _where(model: str) -> str:
    """The line of the model's file that is being worked on."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename != model:
        frame = frame.f_back
    return "" if frame is None else f" ({Path(model).name}, line {frame.f_lineno})"


def _listening(
    model: Path, own: Path, hidden: list[Path], refuse: Callable[[str], NoReturn]
) -> Callable[[str, tuple[Any, ...]], None]:
    libraries = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    packages = {Path(__file__).resolve().parents[2] / name for name in ("models", "data_contracts")}
    roots = [sys.prefix, sys.base_prefix, *libraries, *_SYSTEM]
    free = tuple(Path(root).resolve() for root in [*roots, *packages, own])
    allowed = {model, model.resolve()}

    def may_read(path: Path) -> bool:
        if path in allowed or path.is_relative_to(own):
            return True
        return any(map(path.is_relative_to, free)) and not any(map(path.is_relative_to, hidden))

    def listen(event: str, details: tuple[Any, ...]) -> None:
        if event == "open" and isinstance(details[0], str | bytes):
            named = details[0].decode() if isinstance(details[0], bytes) else details[0]
            if not may_read(Path(named).resolve()):
                refuse(f"opens {named}")
        elif event == "import":
            name = str(details[0])
            if name.startswith("pipelines.") or name.startswith(_READERS):
                refuse(f"imports {name}")
        elif event == "subprocess.Popen":
            program = Path(str(details[0] or details[1][0])).name
            if program not in _ASKS_SYSTEM:
                refuse(f"starts {program}")
        elif event in _REACHES:
            refuse(f"calls {event}")

    return listen


def _take_readers_away(refuse: Callable[[str], NoReturn]) -> None:
    modules = [module for name, module in list(sys.modules.items()) if name.split(".")[0] == "polars"]
    for module in modules:
        for name in [name for name in vars(module) if name.startswith(("scan_", "read_"))]:
            if callable(getattr(module, name)):
                setattr(module, name, _refused(f"reads with polars.{name}", refuse))


def _refused(deed: str, refuse: Callable[[str], NoReturn]) -> Callable[..., NoReturn]:
    def call(*_: object, **__: object) -> NoReturn:
        refuse(deed)

    return call


def _watching(model: str, note: Note) -> Callable[[FrameType, str, Any], None]:
    def watch(frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and frame.f_code.co_filename == model and _tells_time(called):
            note(f"reads the clock ({Path(model).name}, line {frame.f_lineno})")

    return watch


def _tells_time(called: Any) -> bool:
    if any(called is clock for clock in _CLOCKS):
        return True
    of = getattr(called, "__self__", None)
    return getattr(called, "__name__", "") in _DAYS and isinstance(of, type) and issubclass(of, datetime.date)
