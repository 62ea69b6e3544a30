"""Slow down whoever guesses passwords: each failure doubles the wait, for a name and for an address apart.

An attempt counts before the password is looked at, so that guessing many at once gains nothing.
"""

import hashlib
import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines.records.database import writing
from pipelines.records.tables import attempts


@dataclass(frozen=True, slots=True)
class Patience:
    """How many failures cost nothing; each one after doubles the wait from a second up to the longest."""

    free: int
    longest: timedelta = timedelta(minutes=15)

    def wait(self, failures: int) -> timedelta:
        """How long after so many failures the next attempt is looked at."""
        beyond = failures - self.free
        return timedelta(0) if beyond < 1 else min(timedelta(seconds=2 ** min(beyond - 1, 20)), self.longest)


NAME, ADDRESS = Patience(free=4), Patience(free=20)
"""Several people may share an address, so it has more patience."""
FORGOTTEN = timedelta(hours=24)
"""Failures count until this long after the last one."""


class Throttle:
    """The attempts to sign in, in one records database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def begin(self, name: str, address: str, now: datetime) -> int:
        """Count an attempt and return 0, or return how many seconds to wait, and count nothing."""
        try:
            return self._begin(name, address, now)
        except IntegrityError:  # somebody else was the first to write of this name or address just now
            return self._begin(name, address, now)

    def _begin(self, name: str, address: str, now: datetime) -> int:
        asked = {_key("name", name.strip().casefold()): NAME, _key("address", address): ADDRESS}
        with writing(self.engine) as connection:
            connection.execute(delete(attempts).where(attempts.c.last_at < now - FORGOTTEN))
            known = {
                row.what: row
                # In one order, so that two who ask for both wait for each other and not crosswise.
                for row in connection.execute(
                    select(attempts)
                    .where(attempts.c.what.in_(asked))
                    .order_by(attempts.c.what)
                    .with_for_update()
                )
            }
            held = max((row.not_before - now for row in known.values()), default=timedelta(0))
            if held > timedelta(0):
                return math.ceil(held.total_seconds())
            for what, patience in sorted(asked.items()):
                failures = (known[what].failures if what in known else 0) + 1
                _write(connection, what, failures, now + patience.wait(failures), now, is_known=what in known)
        return 0

    def succeeded(self, name: str, address: str, now: datetime) -> None:
        """Forget the name's failures, and of the address' only this attempt: others may guess from there."""
        with writing(self.engine) as connection:
            connection.execute(
                delete(attempts).where(attempts.c.what == _key("name", name.strip().casefold()))
            )
            connection.execute(
                update(attempts)
                .where((attempts.c.what == _key("address", address)) & (attempts.c.failures > 0))
                .values(failures=attempts.c.failures - 1, not_before=now)
            )


def _write(
    connection: Connection, what: str, failures: int, not_before: datetime, now: datetime, *, is_known: bool
) -> None:
    values = {"failures": failures, "not_before": not_before, "last_at": now}
    if is_known:
        connection.execute(update(attempts).where(attempts.c.what == what).values(**values))
    else:
        connection.execute(insert(attempts).values(what=what, **values))


def _key(kind: str, value: str) -> str:
    # A name may be anything that somebody typed, a password or a customer's address too: only a checksum is kept.
    return f"{kind}:{hashlib.sha256(value.encode()).hexdigest()[:60]}"
