"""What a platform is: one kind of file, who takes it, and how its rows are made.

A new platform is one module beside this one with a `PLATFORM`; `pipelines.delivery.platforms` finds it by itself.
Writing the rows into a file belongs to `pipelines.delivery.files`; who may be on a list, to the gate.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import polars as pl

MILLION_BYTES = 1_000_000
CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Terms:
    """What of a list decides on its files' columns.

    Attributes
    ----------
    channel
        email, sms or ads: an e-mail list hands no phone numbers out, nor the other way round.
    currency, locale
        How money is shown to people; upload files hold plain numbers.
    columns
        Columns of customer_profile that the list adds to files of platforms that take properties.
    """

    channel: str
    currency: str
    locale: str = "en_GB"
    columns: tuple[str, ...] = ()


Rows = Callable[[pl.LazyFrame, Terms], pl.LazyFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """One kind of file.

    Attributes
    ----------
    name, title
        For settings and tables; for people.
    channels
        Lists of which channels it serves.
    needs
        Kinds of address of which a person must have one to be in the file; () where everybody is.
    suffix
        How its files' names end.
    headings
        Its own columns in file order; a file holds those that the list's channel needs, then the list's columns.
    rows
        People and terms to customer_key and the file's columns, one row per row of the file, in file order. Upload
        files are text and validated: who fails is not in it.
    is_upload
        Whether a machine reads it; a reading file is for people.
    is_default
        Whether lists that name no platforms get it.
    takes_columns
        Whether it holds the list's own ``columns``.
    most_bytes, fewest_people
        What the platform itself advises or refuses.
    """

    name: str
    title: str
    channels: tuple[str, ...]
    needs: tuple[str, ...]
    suffix: str
    headings: tuple[str, ...]
    rows: Rows = field(repr=False)
    media_type: str = CSV
    is_upload: bool = True
    is_default: bool = True
    takes_columns: bool = False
    most_bytes: int | None = None
    fewest_people: int | None = None

    def remarks(self, rows: int, size: int) -> tuple[str, ...]:
        """What to know before uploading a file of so many people and bytes; () where there is nothing.

        A file that is too large is built all the same: a list that nobody uploads there must not stop the others.
        """
        said: list[str] = []
        if self.most_bytes is not None and size > self.most_bytes:
            fits = int(rows * self.most_bytes / size * 0.98)
            said.append(
                f"{self.title} takes files of at most {self.most_bytes // MILLION_BYTES} MB; this one has "
                f"{size / MILLION_BYTES:,.0f} MB. Set limit = {fits} for the list in shop.toml, or split the "
                "file before uploading it."
            )
        if self.fewest_people is not None and rows < self.fewest_people:
            said.append(
                f"{self.title} advises against lists of fewer than {self.fewest_people} people; this one has {rows}."
            )
        return tuple(said)
