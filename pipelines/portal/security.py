"""What holds for every request, whatever is asked: trusted host, size, headers, a log without people, no tracebacks.

Who may do what is decided in `access`.
"""

import logging
import time
import traceback
from collections.abc import Iterable
from http.cookies import SimpleCookie
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOG = logging.getLogger("retention.portal")
LARGEST_BODY = 64 * 1024
"""Bytes; forms and the API's requests are small."""

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'"
)
HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
"""On every answer. Source: OWASP Secure Headers Project."""
STRICT_TRANSPORT = "max-age=31536000"
VISITOR = "retention_visitor"


class Guard:
    """The outermost layer of the page.

    Parameters
    ----------
    hosts
        Names that a request may call this server by: another one is a page elsewhere that points here.
    is_behind_tls
        Whether browsers reach the page over TLS only.
    """

    def __init__(self, app: ASGIApp, *, hosts: Iterable[str], is_behind_tls: bool) -> None:
        self.app = app
        self.hosts = frozenset(host.lower() for host in hosts)
        self.is_behind_tls = is_behind_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        status = 0
        body = _Body(receive)

        async def sending(message: Message) -> None:
            nonlocal status
            if body.is_too_large and not status:
                return
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(MutableHeaders(raw=message["headers"]), scope)
                message = {**message, "headers": message["headers"]}
            await send(message)

        try:
            refusal = self._refusal(Headers(scope=scope))
            await (refusal or self.app)(scope, body, sending)
        except BodyTooLargeError:
            pass
        except Exception as error:
            LOG.error("%s %s failed: %s", scope["method"], _route(scope), _where(error))
            if not status:
                await _FAULT(scope, receive, sending)
            # Else the answer breaks off, and the server closes the connection on it.
        finally:
            if body.is_too_large and not status:
                body.is_too_large = False
                await _TOO_LARGE(scope, receive, sending)
            took = 1000 * (time.perf_counter() - started)
            LOG.info("%s %s %d %.0f ms %s", scope["method"], _route(scope), status, took, _user(scope))

    def _refusal(self, headers: Headers) -> PlainTextResponse | None:
        if host_of(headers.get("host", "")) not in self.hosts:
            return PlainTextResponse("This server does not go by that name.\n", 400)
        try:
            too_large = int(headers.get("content-length", "0")) > LARGEST_BODY
        except ValueError:
            return PlainTextResponse("content-length is no number.\n", 400)
        return _TOO_LARGE if too_large else None

    def _add_headers(self, headers: MutableHeaders, scope: Scope) -> None:
        for name, value in HEADERS.items():
            headers[name] = value
        if self.is_behind_tls:
            headers["strict-transport-security"] = STRICT_TRANSPORT
        headers.setdefault("cache-control", "no-store")
        if visitor := scope.get("state", {}).get("new_visitor"):
            headers.append("set-cookie", cookie(self.visitor_cookie, visitor, is_secure=self.is_behind_tls))

    @property
    def visitor_cookie(self) -> str:
        """Name of the cookie that ties the forms of somebody who is not signed in to the browser."""
        return cookie_name(VISITOR, is_secure=self.is_behind_tls)


class BodyTooLargeError(Exception):
    """A body turned out larger than is taken."""


def host_of(authority: str) -> str:
    """The host of a Host header, without its port."""
    host = authority.lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def cookie_name(name: str, *, is_secure: bool) -> str:
    """A cookie's name: over TLS with the prefix that no neighbour domain can write (RFC 6265bis, 4.1.3)."""
    return f"__Host-{name}" if is_secure else name


def cookie(name: str, value: str, *, is_secure: bool, lives: int | None = None) -> str:
    """A Set-Cookie header: not for scripts, not sent along from other sites."""
    jar: SimpleCookie = SimpleCookie()
    jar[name] = value
    jar[name]["path"] = "/"
    jar[name]["httponly"] = True
    jar[name]["samesite"] = "Lax"
    if is_secure:
        jar[name]["secure"] = True
    if lives is not None:
        jar[name]["max-age"] = lives
    return jar.output(header="").strip()


class _Body:
    """A request's body, of which no more is read when it gets too long, whatever its headers said."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._read = 0
        self.is_too_large = False

    async def __call__(self) -> Message:
        message = await self._receive()
        self._read += len(message.get("body", b""))
        if self._read > LARGEST_BODY:
            self.is_too_large = True
            raise BodyTooLargeError
        return message


_TOO_LARGE = PlainTextResponse(f"A request has at most {LARGEST_BODY} bytes.\n", 413)
_FAULT = PlainTextResponse(
    "Something went wrong here, and it was noted in the server's log. Nothing was changed. Please try again.\n",
    500,
)


def _route(scope: Scope) -> str:
    # The path itself may hold what somebody typed, and then stands in a log for years.
    route: Any = scope.get("route")
    return getattr(route, "path", None) or "(no such page)"


def _user(scope: Scope) -> str:
    user = scope.get("state", {}).get("user")
    return f"user {user.user_id}" if user else "signed out"


def _where(error: BaseException) -> str:
    # Not the message: libraries put values into theirs.
    places = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-6:]]
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"
