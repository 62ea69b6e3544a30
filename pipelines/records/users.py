"""Users of the page and the API: their names, roles and passwords.

Who is signed in just now is told by `sessions`, who signs in with a program by `tokens`.
"""

import re
import unicodedata
import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from pipelines.records.database import RecordsError, reading, writing
from pipelines.records.passwords import hash_password, is_password, needs_rehash
from pipelines.records.tables import sessions, tokens, users

_NAME = re.compile(r"\w[\w.@+\- ]{0,62}\w|\w")


class Role(StrEnum):
    """What somebody may do; each may do what those before it may."""

    VIEWER = "viewer"
    """Sees counts."""
    MARKETER = "marketer"
    """Downloads files, says what became of a list, sees masked samples."""
    ADMIN = "admin"
    """Adds and disables users, sees who took what."""

    def covers(self, needed: "Role") -> bool:
        """Whether this role may do what another may."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class User:
    """A person who may sign in."""

    user_id: str
    name: str
    role: Role
    created_at: datetime
    disabled_at: datetime | None = None


class Users:
    """The users in one records database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def add(
        self, name: str, role: Role | str, password: str, now: datetime, *, only_first: bool = False
    ) -> User:
        """Add a user.

        Parameters
        ----------
        only_first
            Refuse unless there is nobody yet.

        Raises
        ------
        RecordsError
            The name is taken or no name, the role is unknown, the password is too short.
        """
        shown = unicodedata.normalize("NFKC", name).strip()
        if not _NAME.fullmatch(shown):
            raise RecordsError(
                "A user's name has 1 to 64 letters, digits or . _ - + @ and spaces, and starts and ends with a "
                "letter or digit."
            )
        user = User(str(uuid.uuid4()), shown, role_of(role), now)
        hashed = hash_password(password)
        try:
            with writing(self.engine) as connection:
                if only_first and connection.execute(select(func.count()).select_from(users)).scalar_one():
                    raise RecordsError("There is a user already. Sign in, or ask an admin for an account.")
                connection.execute(
                    insert(users).values(
                        user_id=user.user_id,
                        name=user.name,
                        sign_in_name=_sign_in_name(shown),
                        role=user.role.value,
                        password_hash=hashed,
                        created_at=now,
                    )
                )
        except IntegrityError as error:
            raise RecordsError(f"There is a user {shown!r} already. Take another name.") from error
        return user

    def all(self) -> list[User]:
        """Every user, by name."""
        with reading(self.engine) as connection:
            return [_user(row) for row in connection.execute(select(users).order_by(users.c.sign_in_name))]

    def are_none(self) -> bool:
        """Whether nobody was ever added."""
        with reading(self.engine) as connection:
            return connection.execute(select(users.c.user_id).limit(1)).first() is None

    def find(self, name: str) -> User:
        """Find a user by name.

        Raises
        ------
        RecordsError
            There is no such user.
        """
        with reading(self.engine) as connection:
            return _user(_row(connection, name))

    def check(self, name: str, password: str) -> User | None:
        """Give the user of that name and password; None also where the user is disabled.

        Unknown and disabled users take as long as others.
        """
        with reading(self.engine) as connection:
            row = connection.execute(select(users).where(users.c.sign_in_name == _sign_in_name(name))).first()
        is_right = is_password(password, row.password_hash if row else None)
        if row is None or not is_right or row.disabled_at is not None:
            return None
        if needs_rehash(row.password_hash):
            hashed = hash_password(password)
            with writing(self.engine) as connection:
                same = (users.c.user_id == row.user_id) & (users.c.password_hash == row.password_hash)
                connection.execute(update(users).where(same).values(password_hash=hashed))
        return _user(row)

    def disable(self, name: str, now: datetime) -> User:
        """Shut a user out at once: sessions end, tokens are revoked.

        Raises
        ------
        RecordsError
            There is no such user, or it is the last admin.
        """
        with writing(self.engine) as connection:
            user = _user(_row(connection, name))
            standing = (users.c.role == Role.ADMIN.value) & users.c.disabled_at.is_(None)
            others = connection.execute(
                select(func.count()).select_from(users).where(standing & (users.c.user_id != user.user_id))
            ).scalar_one()
            if user.role is Role.ADMIN and user.disabled_at is None and not others:
                raise RecordsError(f"{user.name} is the only admin. Add another one first.")
            connection.execute(
                update(users)
                .where(users.c.user_id == user.user_id)
                .values(disabled_at=user.disabled_at or now)
            )
            _shut_out(connection, user.user_id, now)
            return _user(_row(connection, name))

    def reset(self, name: str, password: str, now: datetime) -> User:
        """Give a user a new password, and let a disabled one in again; sessions and tokens end.

        Raises
        ------
        RecordsError
            There is no such user, or the password is too short.
        """
        hashed = hash_password(password)
        with writing(self.engine) as connection:
            user = _user(_row(connection, name))
            connection.execute(
                update(users)
                .where(users.c.user_id == user.user_id)
                .values(password_hash=hashed, disabled_at=None)
            )
            _shut_out(connection, user.user_id, now)
            return _user(_row(connection, name))


def role_of(role: Role | str) -> Role:
    """Read a role.

    Raises
    ------
    RecordsError
        There is no such role.
    """
    try:
        return Role(role)
    except ValueError:
        raise RecordsError(f"There is no role {role!r}. The roles: {', '.join(Role)}.") from None


def _shut_out(connection: Connection, user_id: str, now: datetime) -> None:
    connection.execute(delete(sessions).where(sessions.c.user_id == user_id))
    open_tokens = (tokens.c.user_id == user_id) & tokens.c.revoked_at.is_(None)
    connection.execute(update(tokens).where(open_tokens).values(revoked_at=now))


def _row(connection: Connection, name: str) -> Row[Any]:
    row = connection.execute(select(users).where(users.c.sign_in_name == _sign_in_name(name))).first()
    if row is None:
        raise RecordsError(f"There is no user {name!r}. `retention users list` shows who there is.")
    return row


def _user(row: Row[Any]) -> User:
    return User(row.user_id, row.name, Role(row.role), row.created_at, row.disabled_at)


def _sign_in_name(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()[:200]
