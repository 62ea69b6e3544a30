"""Passwords: argon2id with the parameters of argon2-cffi, twelve characters at least, no other rule.

Length is what NIST SP 800-63B asks for; rules of composition are what it advises against.
"""

import secrets
import threading
import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from pipelines.records.database import RecordsError

SHORTEST, LONGEST = 12, 256
"""Characters; a longer one would only cost time."""
_HASHER = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(2)
"""Each takes 64 MiB and all cores it gets: whoever knocks often must not fill the memory."""


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises
    ------
    RecordsError
        It is too short or too long.
    """
    plain = _plain(password)
    if not SHORTEST <= len(plain) <= LONGEST:
        raise RecordsError(
            f"A password has {SHORTEST} to {LONGEST} characters. Several words in a row are easy to keep."
        )
    with _AT_ONCE:
        return _HASHER.hash(plain)


def is_password(password: str, password_hash: str | None) -> bool:
    """Whether a password is the one that was hashed; without a hash it takes as long to say no."""
    plain = _plain(password)[: LONGEST + 1]
    with _AT_ONCE:
        try:
            _HASHER.verify(password_hash or _nobodys_hash(), plain)
        except (VerificationError, InvalidHashError):
            return False
    return password_hash is not None


def needs_rehash(password_hash: str) -> bool:
    """Whether a hash was made with other parameters than are used now."""
    return _HASHER.check_needs_rehash(password_hash)


def make_password() -> str:
    """Make a password up: 120 bits, in groups that can be read out."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(6)) for _ in range(4))


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash(secrets.token_hex(32))


def _plain(password: str) -> str:
    # The same letters may be typed as one sign or as two.
    return unicodedata.normalize("NFKC", password)
