"""The sections [[models]] of a shop's settings: models of its own. What becomes of them is said in `own_models`."""

from pathlib import PurePosixPath

from pydantic import Field, field_validator

from models.champion import SIMPLICITY
from pipelines.settings.base import Settings


class OwnModel(Settings):
    """One model of the shop's own, which competes with those of the program.

    Attributes
    ----------
    name
        What it is measured and published as.
    file
        The Python file that it stands in, beside shop.toml or in the folder notebooks/.
    class_name
        The class in that file (written `class`): `fit(known)`, then `predict(horizon_days)`, as
        `models.candidates.Candidate` says.
    max_minutes
        It is stopped after so many minutes, and then takes no part.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    file: str
    class_name: str = Field(alias="class", pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    max_minutes: int = Field(default=30, ge=1, le=600)

    @field_validator("name")
    @classmethod
    def _is_free(cls, value: str) -> str:
        if value in SIMPLICITY:
            raise ValueError(f"{value!r} is a model of the program; give yours another name")
        return value

    @field_validator("file")
    @classmethod
    def _stands_near(cls, value: str) -> str:
        path = PurePosixPath(value)
        if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
            raise ValueError(
                f"{value!r} must be a .py file beside shop.toml or in notebooks/, such as own_models/mine.py"
            )
        return value
