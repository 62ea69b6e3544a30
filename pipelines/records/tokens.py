"""Tokens for programs: shown once, kept hashed, with the role of their user, revocable."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, insert, select, update

from pipelines.records.database import RecordsError, reading, writing
from pipelines.records.secret import kept, new_secret
from pipelines.records.tables import tokens, users
from pipelines.records.users import Role, User

PREFIX = "retention_"
"""So that a token is known for one when it turns up where it does not belong."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret."""

    token_id: str
    user: str
    purpose: str
    created_at: datetime
    revoked_at: datetime | None


class Tokens:
    """The tokens in one records database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def make(self, user: User, purpose: str, now: datetime) -> tuple[Token, str]:
        """Make a token; its secret is given here and never again."""
        secret = PREFIX + new_secret()
        token = Token(str(uuid.uuid4()), user.name, purpose.strip()[:200], now, None)
        with writing(self.engine) as connection:
            connection.execute(
                insert(tokens).values(
                    token_id=token.token_id,
                    token_hash=kept(secret),
                    user_id=user.user_id,
                    purpose=token.purpose,
                    created_at=now,
                )
            )
        return token, secret

    def user_of(self, secret: str) -> User | None:
        """Give whose token it is; None where it is unknown or revoked or its user is disabled."""
        holds = (tokens.c.token_hash == kept(secret)) & tokens.c.revoked_at.is_(None)
        wanted = (
            select(users)
            .join(tokens, tokens.c.user_id == users.c.user_id)
            .where(holds & users.c.disabled_at.is_(None))
        )
        with reading(self.engine) as connection:
            row = connection.execute(wanted).first()
        return None if row is None else User(row.user_id, row.name, Role(row.role), row.created_at)

    def all(self) -> list[Token]:
        """Every token, newest first."""
        wanted = (
            select(tokens, users.c.name)
            .join(users, users.c.user_id == tokens.c.user_id)
            .order_by(tokens.c.created_at.desc(), tokens.c.token_id)
        )
        with reading(self.engine) as connection:
            return [
                Token(row.token_id, row.name, row.purpose, row.created_at, row.revoked_at)
                for row in connection.execute(wanted)
            ]

    def revoke(self, token_id: str, now: datetime) -> None:
        """Make a token worthless.

        Raises
        ------
        RecordsError
            There is no such token, or it is revoked already.
        """
        holds = (tokens.c.token_id == token_id) & tokens.c.revoked_at.is_(None)
        with writing(self.engine) as connection:
            revoked = connection.execute(update(tokens).where(holds).values(revoked_at=now))
        if revoked.rowcount != 1:
            raise RecordsError(
                f"There is no token {token_id!r} that holds. `retention users tokens` shows them."
            )
