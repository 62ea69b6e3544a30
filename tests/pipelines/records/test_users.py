"""Users, sessions, tokens and passwords: who is let in, for how long, and what is kept of their secrets."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, select, update

from pipelines.records import passwords
from pipelines.records.database import RecordsError, open_database, reading, writing
from pipelines.records.sessions import IDLE, LONGEST, Sessions
from pipelines.records.tables import sessions, tokens, users
from pipelines.records.tokens import Tokens
from pipelines.records.users import Role, User, Users

NOW = datetime(2024, 6, 1, 3, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    passwords._nobodys_hash.cache_clear()


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(tmp_path)


@pytest.fixture
def ann(engine: Engine) -> User:
    return Users(engine).add("Ann", Role.MARKETER, PASSWORD, NOW)


def test_a_user_signs_in_by_name_and_password_alone(engine: Engine, ann: User) -> None:
    known = Users(engine)
    assert known.check("Ann", PASSWORD) == ann
    assert known.check(" ann ", PASSWORD) == ann
    assert known.check("Ann", PASSWORD + " ") is None
    assert known.check("Ann", "") is None
    assert known.check("Bob", PASSWORD) is None


def test_passwords_are_kept_as_argon2id_and_secrets_as_checksums(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher())
    engine = open_database(tmp_path)
    ann = Users(engine).add("Ann", "admin", PASSWORD, NOW)
    session = Sessions(engine).start(ann, NOW)
    _, token = Tokens(engine).make(ann, "nightly", NOW)
    with reading(engine) as connection:
        kept = [str(row) for kind in (users, sessions, tokens) for row in connection.execute(select(kind))]
    assert "$argon2id$v=19$m=65536,t=3,p=4$" in kept[0]
    for secret in (PASSWORD, session, token):
        assert not any(secret in row for row in kept)
    engine.dispose()
    for path in tmp_path.iterdir():
        assert PASSWORD.encode() not in path.read_bytes()


def test_a_hash_of_older_parameters_is_made_anew_at_sign_in(
    engine: Engine, ann: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    assert Users(engine).check("ann", PASSWORD)
    with reading(engine) as connection:
        assert "m=16,t=2" in connection.execute(select(users.c.password_hash)).scalar_one()
    assert Users(engine).check("ann", PASSWORD)


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
def test_a_password_needs_length_and_nothing_else(engine: Engine, password: str) -> None:
    with pytest.raises(RecordsError, match="12 to 256 characters"):
        Users(engine).add("Bob", "viewer", password, NOW)
    Users(engine).add("Bob", "viewer", "aaaaaaaaaaaa", NOW)
    Users(engine).add("Eve", "viewer", "x" * 256, NOW)


def test_made_up_passwords_are_long_enough_and_differ() -> None:
    made = {passwords.make_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(password) >= passwords.SHORTEST for password in made)


@pytest.mark.parametrize("name", ["", " ", "-ann", "ann\n", "a" * 65, "=cmd()", "ann<b>", "an\x00n"])
def test_names_that_are_none_are_refused(engine: Engine, name: str) -> None:
    if name == "ann\n":  # blanks around a name are not part of it
        assert Users(engine).add(name, "viewer", PASSWORD, NOW).name == "ann"
        return
    with pytest.raises(RecordsError, match="1 to 64 letters"):
        Users(engine).add(name, "viewer", PASSWORD, NOW)


@pytest.mark.parametrize("name", ["Ann", "ANN", " ann", "Ａｎｎ"])
def test_two_users_cannot_look_alike(engine: Engine, ann: User, name: str) -> None:
    with pytest.raises(RecordsError, match="already"):
        Users(engine).add(name, "viewer", PASSWORD, NOW)


def test_roles_cover_those_below_and_no_others() -> None:
    covered = {(mine, needed) for mine in Role for needed in Role if mine.covers(needed)}
    viewer, marketer, admin = Role
    assert covered == {
        (viewer, viewer),
        (marketer, viewer),
        (marketer, marketer),
        (admin, viewer),
        (admin, marketer),
        (admin, admin),
    }
    with pytest.raises(RecordsError, match=r"no role 'root'\. The roles: viewer, marketer, admin"):
        Users.add(None, "x", "root", PASSWORD, NOW)  # pyright: ignore


@pytest.mark.parametrize("how", ["disable", "reset"])
def test_disabling_and_resetting_end_sessions_and_tokens_at_once(engine: Engine, ann: User, how: str) -> None:
    session = Sessions(engine).start(ann, NOW)
    _, token = Tokens(engine).make(ann, "nightly", NOW)
    assert Sessions(engine).user_of(session, NOW) == Tokens(engine).user_of(token) == ann
    known = Users(engine)
    if how == "disable":
        known.disable("Ann", NOW)
        assert known.check("Ann", PASSWORD) is None
    else:
        known.reset("Ann", "another long password", NOW)
        assert known.check("Ann", PASSWORD) is None
        assert known.check("Ann", "another long password") == ann
    assert Sessions(engine).user_of(session, NOW) is None
    assert Tokens(engine).user_of(token) is None


def test_a_reset_lets_a_disabled_user_in_again(engine: Engine, ann: User) -> None:
    Users(engine).disable("ann", NOW)
    Users(engine).reset("ann", PASSWORD, NOW)
    assert Users(engine).check("ann", PASSWORD) == ann


def test_the_last_admin_cannot_be_disabled(engine: Engine, ann: User) -> None:
    known = Users(engine)
    known.add("Root", "admin", PASSWORD, NOW)
    with pytest.raises(RecordsError, match="the only admin"):
        known.disable("root", NOW)
    known.add("Other", "admin", PASSWORD, NOW)
    assert known.disable("root", NOW).disabled_at == NOW
    with pytest.raises(RecordsError, match="the only admin"):
        known.disable("other", NOW)


def test_unknown_users_are_told(engine: Engine) -> None:
    for change in (Users(engine).find, lambda name: Users(engine).disable(name, NOW)):
        with pytest.raises(RecordsError, match=r"no user 'nobody'.*retention users list"):
            change("nobody")


def test_the_first_admin_is_made_only_while_there_is_nobody(engine: Engine) -> None:
    assert Users(engine).are_none()
    Users(engine).add("First", "admin", PASSWORD, NOW, only_first=True)
    assert not Users(engine).are_none()
    with pytest.raises(RecordsError, match="There is a user already"):
        Users(engine).add("Second", "admin", PASSWORD, NOW, only_first=True)


def test_a_session_ends_after_a_pause_after_a_day_and_when_told(engine: Engine, ann: User) -> None:
    known = Sessions(engine)
    first, second, third = (known.start(ann, NOW) for _ in range(3))
    assert known.user_of(first, NOW + IDLE) == ann
    assert known.user_of(second, NOW + IDLE + timedelta(seconds=1)) is None
    at = NOW
    while at <= NOW + LONGEST - IDLE / 2:
        at += IDLE / 2
        seen = known.user_of(first, at)
    assert seen == ann
    assert known.user_of(first, NOW + LONGEST + timedelta(seconds=1)) is None
    known.end(third)
    assert known.user_of(third, NOW) is None
    assert known.user_of("guessed", NOW) is None


def test_expired_sessions_are_cleared_away(engine: Engine, ann: User) -> None:
    Sessions(engine).start(ann, NOW)
    Sessions(engine).start(ann, NOW + timedelta(days=2))
    with reading(engine) as connection:
        assert len(connection.execute(select(sessions)).all()) == 1


def test_a_role_that_was_changed_holds_for_running_sessions(engine: Engine, ann: User) -> None:
    session = Sessions(engine).start(ann, NOW)
    with writing(engine) as connection:
        connection.execute(update(users).values(role="viewer"))
    seen = Sessions(engine).user_of(session, NOW)
    assert seen is not None
    assert seen.role is Role.VIEWER


def test_a_revoked_token_is_worthless_and_others_hold(engine: Engine, ann: User) -> None:
    known = Tokens(engine)
    first, secret = known.make(ann, "nightly", NOW)
    _, other = known.make(ann, "by hand", NOW + timedelta(seconds=1))
    known.revoke(first.token_id, NOW)
    assert known.user_of(secret) is None
    assert known.user_of(other) == ann
    assert [(token.purpose, token.revoked_at) for token in known.all()] == [
        ("by hand", None),
        ("nightly", NOW),
    ]
    with pytest.raises(RecordsError, match="no token"):
        known.revoke(first.token_id, NOW)
