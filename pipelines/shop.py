"""Shop: the settings of one shop, read from its shop.toml and checked.

Settings say what is true of a shop (files, timezone, order rules, lists); they hold no secrets and no code.
Where the lake lies and which engine computes is not a shop's business: see `pipelines.lake`.
"""

import hashlib
import os
import tomllib
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator

from pipelines.errors import ShopError
from pipelines.settings import (
    Consent,
    ContactCap,
    Contracts,
    Identity,
    OpenCases,
    OrderRules,
    OwnModel,
    Predictions,
    Profit,
    ReturnRules,
    SegmentList,
    Settings,
    Source,
    Tiers,
    check_locale,
    check_timezone,
    ready_lists,
)

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SAMPLES = Path(str(files("pipelines").joinpath("samples")))


class Numbers(NamedTuple):
    """Whose numbers a source brings: equal numbers are the same thing only within one of these."""

    orders: str
    customers: str


class Shop(Settings):
    """Everything that is true of one shop.

    Attributes
    ----------
    name
        What folders and the lake are named by.
    title
        The name for people.
    sample
        A bundled or simulated shop: lists neither expire nor go stale, and its hold-out salt is public.
    public_salt
        The salt of a sample shop's hold-outs; a real shop's stands beside its lake or in the environment.
    timezone
        Where its days begin.
    currency
        What its money is told in; other currencies are changed into it.
    history_start
        First day of the history; days before it cannot be asked for.
    max_age_days
        How many days the newest order may lie behind as_of.
    keep_versions_days
        How many days a version of a table is kept after it was replaced; so long a list can be rebuilt.
    locale
        How people of the shop write dates and money, such as en_GB.
    attribution
        Whose data these are, where a licence asks that they be named.
    ready_lists
        Which of the lists that come with the program it wants: their names, or true for all. One of its own takes the
        place of a ready one of the same name.
    contact_cap
        How often all lists together may reach a customer.
    campaign_windows
        How many days the effect of a campaign that was run elsewhere (table campaign_assignments) is counted, by its
        name; of one that is not named, those of a list of its name, else 90.
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str
    sample: bool = False
    public_salt: str | None = None
    timezone: str = "UTC"
    locale: str = "en_GB"
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    history_start: date
    max_age_days: int = Field(default=2, ge=0)
    keep_versions_days: int = Field(default=35, ge=1)
    attribution: str = ""
    sources: tuple[Source, ...] = Field(min_length=1)
    orders: OrderRules = OrderRules()
    returns: ReturnRules = ReturnRules()
    contracts: Contracts = Contracts()
    identity: Identity = Identity()
    consent: Consent = Consent()
    predictions: Predictions = Predictions()
    profit: Profit = Profit()
    models: tuple[OwnModel, ...] = ()
    tiers: Tiers = Tiers()
    lists: tuple[SegmentList, ...] = ()
    ready_lists: bool | tuple[str, ...] = False
    contact_cap: ContactCap = ContactCap()
    open_cases: OpenCases = OpenCases()
    campaign_windows: dict[str, Annotated[int, Field(ge=7, le=365)]] = Field(default_factory=dict[str, int])
    folder: Path = Path()

    @field_validator("timezone")
    @classmethod
    def _is_a_timezone(cls, value: str) -> str:
        return check_timezone(value)

    @field_validator("locale")
    @classmethod
    def _is_a_locale(cls, value: str) -> str:
        return check_locale(value)

    @model_validator(mode="after")
    def _has_its_ready_lists(self) -> "Shop":
        if not self.ready_lists:
            return self
        chosen = ready_lists(None if self.ready_lists is True else self.ready_lists)
        own = {entry.name for entry in self.lists}
        # Settings are frozen; the lists that were asked for are put in before anybody reads them.
        object.__setattr__(self, "lists", (*self.lists, *(e for e in chosen if e.name not in own)))
        return self

    @model_validator(mode="after")
    def _belongs_together(self) -> "Shop":
        if self.public_salt and not self.sample:
            raise ValueError("public_salt is for samples only: a real shop's salt never stands in settings")
        for what, names in (
            ("source", [source.name for source in self.sources]),
            ("list", [entry.name for entry in self.lists]),
            ("model", [entry.name for entry in self.models]),
        ):
            if doubled := {name for name in names if names.count(name) > 1}:
                raise ValueError(f"two {what}s are named {', '.join(sorted(doubled))}")
        if not any(source.table == "orders" for source in self.sources):
            raise ValueError("no source delivers the table orders; the lab needs at least that one")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The shop's timezone."""
        return ZoneInfo(self.timezone)

    def sources_of(self, table: str) -> tuple[Source, ...]:
        """Give the sources that deliver ``table``."""
        return tuple(source for source in self.sources if source.table == table)

    def numbers_of(self, source: Source) -> Numbers:
        """Say whose order and customer numbers a source brings; "shop" are those of the first source of orders."""
        own = "shop"
        if source.table == "orders" and source != self.sources_of("orders")[0]:
            own = source.name
        return Numbers(source.order_numbers or own, source.customer_numbers or own)

    def settings_hash(self, *parts: str) -> str:
        """Fingerprint of the settings, or of the named parts of them."""
        chosen = self.model_dump_json(include=set(parts) if parts else None, exclude={"folder"})
        return hashlib.sha256(chosen.encode()).hexdigest()[:16]

    @classmethod
    def open(cls, where: str | Path) -> "Shop":
        """Read a shop by folder, shop.toml or name.

        A name is looked up in $RETENTION_SHOPS_DIR, then among the bundled samples.

        Raises
        ------
        ShopError
            There is no such shop, or its settings are wrong; the message lists every fault.
        """
        path = find_shop_file(where)
        try:
            entries: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise ShopError(f"{path} is not valid TOML: {error}. Mend the line it names.") from error
        except OSError as error:
            raise ShopError(f"{path} cannot be read: {error.strerror}.") from error
        try:
            return cls.model_validate({**entries, "folder": path.parent})
        except ValidationError as error:
            faults = [
                f"  {'.'.join(str(step) for step in fault['loc']) or 'shop'}: {_told(fault)}"
                for fault in error.errors()
            ]
            raise ShopError(f"{path} has {len(faults)} wrong setting(s):\n" + "\n".join(faults)) from error


def _told(fault: "ErrorDetails") -> str:
    """Say what is wrong with a setting, and of one that is not known which there are."""
    if fault["type"] != "extra_forbidden":
        return fault["msg"]
    section: Any = Shop
    for step in fault["loc"][:-1]:
        if isinstance(step, str):
            section = section.model_fields[step].annotation
            section = next((part for part in get_args(section) if hasattr(part, "model_fields")), section)
    names = [field.alias or name for name, field in getattr(section, "model_fields", {}).items()]
    return f"there is no such setting; there are {', '.join(names)}"


def find_shop_file(where: str | Path) -> Path:
    """Find the shop.toml that a person means.

    Raises
    ------
    ShopError
        Nothing is there; the message lists what is.
    """
    path = Path(where)
    if path.is_file():
        return path.resolve()
    if (path / "shop.toml").is_file():
        return (path / "shop.toml").resolve()
    shelves = [Path(folder) for folder in (os.environ.get("RETENTION_SHOPS_DIR"),) if folder] + [SAMPLES]
    for shelf in shelves:
        if str(where) and (shelf / where / "shop.toml").is_file():
            return (shelf / where / "shop.toml").resolve()
    known = sorted({file.parent.name for shelf in shelves for file in shelf.glob("*/shop.toml")})
    raise ShopError(
        f"There is no shop {str(where)!r}: no file or folder with a shop.toml, no shop of that name. "
        f"Known names: {', '.join(known)}. Give one of them, a folder, or the path of a shop.toml."
    )
