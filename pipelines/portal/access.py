"""Who may do what: dependencies that every route declares one of, and the form token that every form carries.

A route names its rule by one of these; a route without a rule is refused when the app is built:

- ``Depends(requires("viewer"))`` (or marketer, admin) gives the `User`; signed out, a page leads to /sign-in and the
  API answers 401; with too small a role both answer 403.
- ``Depends(anybody)`` for what everybody may see: signing in, the style sheet, health.

``/api/`` knows its user by a bearer token, never by a cookie; pages by the session's cookie, never by a token.
Every form has
``<input type="hidden" name="form_token" value="{{ csrf_token(request) }}">``. The app itself calls
`checks_csrf` on whatever is not GET or HEAD and not under ``/api/``, so a route need not ask for it.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request

from pipelines.portal.security import VISITOR, cookie_name
from pipelines.records.secret import new_secret
from pipelines.records.users import Role, User, role_of

SESSION = "retention_session"
FORM_TOKEN = "form_token"
_SAFE = ("GET", "HEAD", "OPTIONS")


class SignInNeededError(Exception):
    """Nobody is signed in, and somebody has to be."""


class NotAllowedError(Exception):
    """Whoever is signed in may not do this; the message says why."""


def anybody() -> None:
    """The rule of routes that need nobody signed in."""


def signed_in(request: Request) -> User:
    """Give who is signed in.

    Raises
    ------
    SignInNeededError
        Nobody is.
    """
    user = current_user(request)
    if user is None:
        raise SignInNeededError
    return user


def current_user(request: Request) -> User | None:
    """Give who is signed in, or None."""
    if not hasattr(request.state, "user"):
        request.state.user = _token_user(request) if is_api(request) else _session_user(request)
    return request.state.user


_RULES: dict[Role, Callable[[Request], User]] = {}


def requires(role: Role | str) -> Callable[[Request], User]:
    """Give the dependency that lets in whoever has this role or a greater one."""
    needed = role_of(role)

    def rule(request: Request) -> User:
        user = signed_in(request)
        if not user.role.covers(needed):
            raise NotAllowedError(f"This needs the role {needed.value}; yours is {user.role.value}.")
        return user

    return _RULES.setdefault(needed, rule)


def rule_of(route: Any) -> Role | None:
    """Give the role that a route needs; None where anybody may.

    Raises
    ------
    LookupError
        The route declares no rule, or two.
    """
    rules: list[Role | None] = []
    waiting = list(route.dependant.dependencies)
    while waiting:
        asked = waiting.pop()
        if asked.call is anybody:
            rules.append(None)
        rules += [role for role, rule in _RULES.items() if asked.call is rule]
        waiting += asked.dependencies
    if len(set(rules)) != 1:
        raise LookupError(
            f"Route {route.path} declares {len(rules)} rules of access; it needs one: see access.py."
        )
    return rules[0]


def csrf_token(request: Request) -> str:
    """Give the token that a form shown now must send back; it belongs to the browser's session."""
    tied_to = (
        session_cookie(request) or _visitor_cookie(request) or getattr(request.state, "new_visitor", None)
    )
    if tied_to is None:
        # The guard sets the cookie with the answer.
        tied_to = request.state.new_visitor = new_secret()
    return _form_token(tied_to)


async def checks_csrf(request: Request) -> None:
    """Refuse what another site made a browser send.

    Raises
    ------
    NotAllowedError
        The request comes from elsewhere, or its form's token is missing or belongs to another session.
    """
    if request.method in _SAFE or is_api(request):
        return
    if not _comes_from_here(request):
        raise NotAllowedError("This was sent from another site, so it was not done.")
    tied_to = session_cookie(request) or _visitor_cookie(request)
    given = (await request.form()).get(FORM_TOKEN)
    if (
        not tied_to
        or not isinstance(given, str)
        or not hmac.compare_digest(given.encode(), _form_token(tied_to).encode())
    ):
        raise NotAllowedError(
            "The form was out of date, so nothing was done. Go back, load the page again, and send it once more."
        )


def is_api(request: Request) -> bool:
    """Whether a program asks, not a browser."""
    return request.url.path.startswith("/api/")


def session_cookie(request: Request) -> str | None:
    """Give the session id that the browser sent."""
    return _cookie(request, SESSION)


def _visitor_cookie(request: Request) -> str | None:
    return _cookie(request, VISITOR)


def _cookie(request: Request, name: str) -> str | None:
    return request.cookies.get(cookie_name(name, is_secure=request.app.state.is_behind_tls)) or None


def _session_user(request: Request) -> User | None:
    secret = session_cookie(request)
    return request.app.state.sessions.user_of(secret, request.app.state.clock()) if secret else None


def _token_user(request: Request) -> User | None:
    kind, _, secret = request.headers.get("authorization", "").partition(" ")
    return (
        request.app.state.tokens.user_of(secret.strip())
        if kind.lower() == "bearer" and secret.strip()
        else None
    )


def _form_token(tied_to: str) -> str:
    return hmac.digest(tied_to.encode(), b"form token", hashlib.sha256).hex()


def _comes_from_here(request: Request) -> bool:
    """Whether the browser says that one of our own pages sent this; browsers that say nothing rely on the token."""
    if site := request.headers.get("sec-fetch-site"):
        return site == "same-origin"
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")
