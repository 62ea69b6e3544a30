"""Sign in and out, and make the first admin. The pages' looks belong to `pipelines.portal.pages`.

Templates and what they are given: sign_in.html.j2 (next, fault or None), first_admin.html.j2 (code, fault or None).
Forms: POST /sign-in (name, password, next), POST /sign-out, POST /first-admin (code, name, password, again); each with
the form_token of `access`.
"""

import ipaddress
import logging
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from pipelines.portal.access import (
    SESSION,
    NotAllowedError,
    anybody,
    current_user,
    session_cookie,
)
from pipelines.portal.security import VISITOR, cookie, cookie_name
from pipelines.portal.telling import local_path, show, tell
from pipelines.records.database import RecordsError
from pipelines.records.users import Role, User

LOG = logging.getLogger("retention.portal")
router = APIRouter(dependencies=[Depends(anybody)], include_in_schema=False)

WRONG = "The name or the password is not right."
Text = Annotated[str, Form(max_length=1000)]


@router.get("/sign-in")
def sign_in_page(request: Request, next: str = "/") -> Response:
    """Show the form; whoever is signed in goes on."""
    if current_user(request):
        return RedirectResponse(local_path(next), 303)
    return show(request, "sign_in.html.j2", {"next": local_path(next), "fault": None})


@router.post("/sign-in")
def sign_in(request: Request, name: Text = "", password: Text = "", next: Text = "/") -> Response:
    """Check name and password, as seldom as the throttle allows, and begin a session with a new id."""
    state = request.app.state
    address = network_of(request.client.host if request.client else "")
    if wait := state.throttle.begin(name, address, state.clock()):
        told = tell(request, 429, f"Too many attempts. Please wait {_in_words(wait)} and try again.")
        told.headers["retry-after"] = str(wait)
        return told
    user = state.users.check(name, password)
    if user is None:
        LOG.warning("sign-in refused")
        return show(request, "sign_in.html.j2", {"next": local_path(next), "fault": WRONG}, 401)
    state.throttle.succeeded(name, address, state.clock())
    return _begin_session(request, user, local_path(next))


@router.post("/sign-out")
def sign_out(request: Request) -> Response:
    """End the session."""
    if secret := session_cookie(request):
        request.app.state.sessions.end(secret)
    answer = RedirectResponse("/sign-in", 303)
    _drop(request, answer, SESSION)
    return answer


@router.get("/first-admin")
def first_admin_page(request: Request, code: str = "") -> Response:
    """Show the form to whoever has the link."""
    _check_code(request, code)
    return show(request, "first_admin.html.j2", {"code": code, "fault": None})


@router.post("/first-admin")
def first_admin(
    request: Request, code: Text = "", name: Text = "", password: Text = "", again: Text = ""
) -> Response:
    """Add the first admin and sign in."""
    _check_code(request, code)
    state = request.app.state
    try:
        if password != again:
            raise RecordsError("The two passwords differ.")
        user = state.users.add(name, Role.ADMIN, password, state.clock(), only_first=True)
    except RecordsError as error:
        return show(request, "first_admin.html.j2", {"code": code, "fault": str(error)}, 422)
    LOG.info("first admin added: user %s", user.user_id)
    return _begin_session(request, user, "/")


def network_of(address: str) -> str:
    """Whose address it is: of IPv6 the 64 bits that one household or office gets, since it may use all within."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(getattr(found, "ipv4_mapped", None) or found)


def _check_code(request: Request, code: str) -> None:
    state = request.app.state
    invited = state.first_admin
    is_near = request.client is not None and request.client.host in ("127.0.0.1", "::1")
    holds = is_near and invited is not None and invited.is_right(code, state.clock())
    if not holds or not state.users.are_none():
        raise NotAllowedError(
            "This link does not hold (any more). `retention portal` prints a new one as long as there is no user; "
            "`retention users add NAME --role admin` adds an admin at any time."
        )


def _begin_session(request: Request, user: User, path: str) -> Response:
    state = request.app.state
    # A session that was there before ends: nobody keeps an id from before the sign-in.
    if before := session_cookie(request):
        state.sessions.end(before)
    secret = state.sessions.start(user, state.clock())
    request.state.user = user
    answer = RedirectResponse(path, 303)
    name = cookie_name(SESSION, is_secure=state.is_behind_tls)
    answer.headers.append("set-cookie", cookie(name, secret, is_secure=state.is_behind_tls))
    _drop(request, answer, VISITOR)
    return answer


def _drop(request: Request, answer: Response, name: str) -> None:
    is_secure = request.app.state.is_behind_tls
    answer.headers.append(
        "set-cookie", cookie(cookie_name(name, is_secure=is_secure), "", is_secure=is_secure, lives=0)
    )


def _in_words(seconds: int) -> str:
    return f"{seconds} seconds" if seconds < 100 else f"{round(seconds / 60)} minutes"
