"""Model files: where the models of a shop's own stand, and what their files hold.

Nothing of them is executed here; that is done behind the curtain alone (`pipelines.own_models.hidden_model`).
"""

import ast
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from pipelines.errors import ShopError
from pipelines.settings import OwnModel
from pipelines.shop import Shop

__all__ = ["ModelFile", "identity", "model_file", "model_files"]

_NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
"""Beside the package in a checkout; an installed program has none."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model of the shop's own.

    Attributes
    ----------
    name
        What it is measured and published as.
    path
        Its file; it need not be there.
    class_name
        The class in it.
    max_seconds
        How long it may take at once.
    hidden
        Folders that it must not read although Python's own files may lie there too.
    """

    name: str
    path: Path
    class_name: str
    max_seconds: float = 1800.0
    hidden: tuple[Path, ...] = ()

    @property
    def content(self) -> str:
        """Checksum of the file; "missing" where there is none."""
        try:
            return hashlib.sha256(self.path.read_bytes()).hexdigest()[:24]
        except OSError:
            return "missing"

    def check(self) -> None:
        """Read the file without executing it.

        Raises
        ------
        ShopError
            There is no such file, it is no Python, or the class is not in it.
        """
        try:
            tree = ast.parse(self.path.read_text(encoding="utf-8"))
        except OSError as error:
            raise ShopError(
                f"Model {self.name}: {self.path} cannot be read ({error.strerror}). Put the file beside shop.toml or "
                "in notebooks/, or mend `file`."
            ) from error
        except (SyntaxError, ValueError) as error:
            line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
            what = error.msg if isinstance(error, SyntaxError) else str(error)
            raise ShopError(f"Model {self.name}: {self.path}{line} is no Python: {what}.") from error
        classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
        if self.class_name not in classes:
            there = f"there are {', '.join(classes)}" if classes else "there is none"
            raise ShopError(
                f"Model {self.name}: {self.path} has no class {self.class_name}; {there}. Mend `class` in shop.toml."
            )


def model_files(shop: Shop) -> list[ModelFile]:
    """The shop's own models, in the order of shop.toml."""
    return [_of(entry, shop) for entry in shop.models]


def model_file(text: str, shop: Shop, beside: Path) -> ModelFile:
    """Find a model that is told as ``file.py:Class``, named by its class: ``FadingMean`` is fading_mean.

    Raises
    ------
    ShopError
        It is told otherwise, or is not there.
    """
    file, _, class_name = text.partition(":")
    if not file.endswith(".py") or not class_name:
        raise ShopError(
            f"{text!r} is no model. Tell one as own_models/mine.py:Mine, or by a name of shop.toml."
        )
    path = next((one for one in _places(file, shop, beside) if one.is_file()), beside / file)
    name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", class_name).lower()
    found = ModelFile(name, path.resolve(), class_name, hidden=(shop.folder,))
    found.check()
    return found


def identity(shop: Shop) -> str:
    """What tables depend on besides settings: the content of every file; empty without own models."""
    return json.dumps([(one.name, one.class_name, one.content) for one in model_files(shop)] or "")


def _of(entry: OwnModel, shop: Shop) -> ModelFile:
    path = next((one for one in _places(entry.file, shop) if one.is_file()), shop.folder / entry.file)
    return ModelFile(
        entry.name,
        path.resolve(),
        entry.class_name,
        max_seconds=60.0 * entry.max_minutes,
        hidden=(shop.folder,),
    )


def _places(file: str, shop: Shop, *more: Path) -> list[Path]:
    return [folder / file for folder in (*more, shop.folder, _NOTEBOOKS)]
