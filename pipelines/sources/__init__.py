"""One file a delivered format: what it means, and a reader that gives its rows as text and judges nothing.

To add a format, write a module here with a `FORMAT`; it is found by itself. What a delivery brings is
`pipelines.sources.arrivals`' business, what a value means the contract's (`pipelines.ingest`).
"""

import pkgutil
from functools import cache
from importlib import import_module

from pipelines.errors import ShopError
from pipelines.sources.reader import Format


@cache
def formats() -> dict[str, Format]:
    """Find every format: each module of this package with a `FORMAT`."""
    modules = (import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    found = [module.FORMAT for module in modules if isinstance(getattr(module, "FORMAT", None), Format)]
    return {one.name: one for one in sorted(found, key=lambda one: one.name)}


def format_of(name: str) -> Format:
    """Find a format by name.

    Raises
    ------
    ShopError
        There is none; the message lists those there are.
    """
    if name not in formats():
        raise ShopError(f"There is no format {name!r}. Known formats: {', '.join(formats())}.")
    return formats()[name]
