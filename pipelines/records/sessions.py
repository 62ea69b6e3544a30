"""Who is signed in: random ids, kept hashed, that end after a pause, after a day's work, or when told to."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, or_, select, update

from pipelines.records.database import reading, writing
from pipelines.records.secret import kept, new_secret
from pipelines.records.tables import sessions, users
from pipelines.records.users import Role, User

IDLE = timedelta(hours=1)
LONGEST = timedelta(hours=12)
_NOTED_EVERY = timedelta(minutes=1)
"""Last seen is written this seldom: a page view need not write."""


class Sessions:
    """The sessions in one records database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def start(self, user: User, now: datetime) -> str:
        """Begin a session with a new id and return the id; expired ones are cleared away."""
        secret = new_secret()
        is_over = or_(sessions.c.last_seen_at < now - IDLE, sessions.c.started_at < now - LONGEST)
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(is_over))
            connection.execute(
                insert(sessions).values(
                    session_hash=kept(secret), user_id=user.user_id, started_at=now, last_seen_at=now
                )
            )
        return secret

    def user_of(self, secret: str, now: datetime) -> User | None:
        """Give whose session it is; None where it has ended or its user is disabled."""
        is_it = sessions.c.session_hash == kept(secret)
        wanted = (
            select(users, sessions.c.started_at, sessions.c.last_seen_at)
            .join(users, users.c.user_id == sessions.c.user_id)
            .where(is_it & users.c.disabled_at.is_(None))
        )
        with reading(self.engine) as connection:
            row = connection.execute(wanted).first()
        if row is None or now - row.last_seen_at > IDLE or now - row.started_at > LONGEST:
            return None
        if now - row.last_seen_at > _NOTED_EVERY:
            with writing(self.engine) as connection:
                connection.execute(update(sessions).where(is_it).values(last_seen_at=now))
        return User(row.user_id, row.name, Role(row.role), row.created_at)

    def end(self, secret: str) -> None:
        """End a session."""
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.session_hash == kept(secret)))
