"""Platforms: for each, which columns its upload file has and how every cell is written and checked.

One module a platform; what several share (addresses, hashes, names, properties) stands beside them. Rules are the
platforms' own, each module names the page. Which people a file is about is not decided here.
"""

import pkgutil
from collections.abc import Collection, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import MappingProxyType

from pipelines.delivery.platforms.platform import Platform, Terms
from pipelines.errors import ShopError

__all__ = ["PLATFORMS", "Platform", "Terms", "platforms_for"]


def _found() -> Mapping[str, Platform]:
    modules = (import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    platforms = (module.PLATFORM for module in modules if hasattr(module, "PLATFORM"))
    # The reading file comes last wherever platforms are listed.
    ordered = sorted(platforms, key=lambda platform: (not platform.is_upload, platform.name))
    return MappingProxyType({platform.name: platform for platform in ordered})


PLATFORMS: Mapping[str, Platform] = _found()


def platforms_for(channel: str, named: Sequence[str] | None, kinds: Collection[str]) -> list[Platform]:
    """Choose the platforms that a list's files are made for.

    Parameters
    ----------
    channel
        The list's channel.
    named
        The list's ``platforms``; None for those that serve the channel.
    kinds
        Kinds of address that the shop's ``contacts`` hold at all. A platform that needs others is left out, so a shop
        without contacts gets the external-id and the reading file. The reading file is always made.

    Raises
    ------
    ShopError
        There is no platform of a name, or it does not serve the channel.
    """
    for name in named or ():
        if name not in PLATFORMS:
            near = get_close_matches(name, PLATFORMS, n=3)
            said = f"Did you mean {', '.join(near)}?" if near else f"There are {', '.join(PLATFORMS)}."
            raise ShopError(f"platforms in shop.toml: there is no platform {name!r}. {said}")
        if channel not in PLATFORMS[name].channels:
            raise ShopError(
                f"platforms in shop.toml: {name} takes no lists of channel {channel!r}, "
                f"only {', '.join(PLATFORMS[name].channels)}."
            )
    return [
        platform
        for platform in PLATFORMS.values()
        if channel in platform.channels
        and (not platform.needs or not set(platform.needs).isdisjoint(kinds))
        and (not platform.is_upload or (platform.is_default if named is None else platform.name in named))
    ]
