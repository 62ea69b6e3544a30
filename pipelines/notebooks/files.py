"""Which notebooks there are: numbered, the project's in notebooks/ and a shop's own in notebooks/ beside shop.toml.

What stands in them is nobody's business here.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.errors import LabError, ShopError

if TYPE_CHECKING:
    from pipelines.shop import Shop

NUMBERED = "[0-9]*.ipynb"


class Which(StrEnum):
    """Which notebooks a run ends with."""

    FIRST = "first"
    ALL = "all"
    NONE = "none"


def notebook_folder() -> Path | None:
    """The folder notebooks/ beside the package; None where the project was installed without its checkout."""
    folder = Path(__file__).resolve().parents[2] / "notebooks"
    return folder if folder.is_dir() else None


def notebook_files() -> list[Path]:
    """The project's numbered notebooks, in order."""
    folder = notebook_folder()
    return sorted(folder.glob(NUMBERED)) if folder else []


def own_folder(shop: "Shop") -> Path:
    """Where a shop's own notebooks stand, whether there are any or not."""
    return shop.folder / "notebooks"


def notebooks_of(shop: "Shop") -> dict[str, Path]:
    """The notebooks that are run for a shop by their names: the project's, then the shop's own.

    Raises
    ------
    ShopError
        One of the shop's own is called as another is.
    """
    found = {path.stem: path for path in notebook_files()}
    taken = {asset_name(name): path for name, path in found.items()}
    if own_folder(shop) == notebook_folder():
        return found
    for path in sorted(own_folder(shop).glob(NUMBERED)):
        if other := taken.get(asset_name(path.stem)):
            raise ShopError(
                f"Notebook {path} has the name of {other}, and their pages would lie in one place. Rename it."
            )
        found[path.stem] = taken[asset_name(path.stem)] = path
    return found


def read(path: Path) -> Any:
    """A notebook as nbformat holds it.

    Raises
    ------
    LabError
        The file is none.
    """
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except (OSError, ValueError, AttributeError, nbformat.ValidationError) as error:
        raise LabError(f"{path} cannot be read as a notebook; open it with `retention lab`.") from error


def asset_name(name: str) -> str:
    """A notebook's name among the assets, where only letters, digits and _ may stand."""
    return "notebook_" + re.sub(r"\W", "_", name, flags=re.ASCII)


def some_of(shop: "Shop", which: Which) -> dict[str, Path]:
    """The notebooks that ``which`` means."""
    found = notebooks_of(shop)
    return {Which.NONE: {}, Which.FIRST: dict(list(found.items())[:1]), Which.ALL: found}[which]


def chosen(shop: "Shop", names: Iterable[str]) -> dict[str, Path]:
    """The notebooks that a person names, by name, file name or number; all where none is named.

    Raises
    ------
    LabError
        There is no such notebook; the message says which there are.
    """
    found = notebooks_of(shop)
    wanted: dict[str, Path] = {}
    for asked in names:
        name = asked.removesuffix(".ipynb")
        matching = [one for one in found if name == one or (name.isdigit() and _number(one) == int(name))]
        if len(matching) != 1:
            told = f"There is no notebook {asked!r}" if not matching else f"{asked} is said of several"
            raise LabError(f"{told}. There are {', '.join(found) or 'none'}.")
        wanted[matching[0]] = found[matching[0]]
    return wanted or found


def _number(name: str) -> int:
    found = re.match(r"\d+", name)
    return int(found[0]) if found else -1
