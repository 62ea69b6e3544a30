"""Secrets that are shown once and kept as a checksum: session ids, tokens, the first admin's link."""

import hashlib
import secrets


def new_secret() -> str:
    """256 random bits as text that may stand in a cookie or a link."""
    return secrets.token_urlsafe(32)


def kept(secret: str) -> str:
    """What is kept of a secret. It is random, so a plain SHA-256 cannot be guessed back."""
    return hashlib.sha256(secret.encode()).hexdigest()
