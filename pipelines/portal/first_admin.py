"""The link by which the first admin is made: printed once where the page is started, good for one use and one hour."""

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.records.secret import kept, new_secret

LIVES = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class FirstAdmin:
    """What is kept of the link: it holds until then, and as long as there is no user."""

    code_hash: str
    holds_until: datetime

    @classmethod
    def invite(cls, now: datetime) -> tuple["FirstAdmin", str]:
        """Make a link's code; it is given here and never again."""
        code = new_secret()
        return cls(kept(code), now + LIVES), code

    def is_right(self, code: str, now: datetime) -> bool:
        """Whether this is the code, and still holds."""
        return now <= self.holds_until and hmac.compare_digest(kept(code), self.code_hash)
