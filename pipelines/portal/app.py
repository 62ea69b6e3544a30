"""Put the page together: routes, the guard before them, and how faults are told. Nothing is decided here."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from anyio import CapacityLimiter
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.exceptions import HTTPException
from starlette.responses import Response

from pipelines.delivery.handout import HandoutError
from pipelines.errors import LabError
from pipelines.lake import Lake
from pipelines.portal import api, api_docs, downloads, sign_in
from pipelines.portal.access import NotAllowedError, SignInNeededError, checks_csrf, is_api, rule_of
from pipelines.portal.first_admin import FirstAdmin
from pipelines.portal.pages import routes
from pipelines.portal.security import Guard
from pipelines.portal.shelf import NoSuchListError, Shelf
from pipelines.portal.telling import tell, to_sign_in
from pipelines.records.database import RecordsError
from pipelines.records.ledger import Ledger
from pipelines.records.sending_day import SendingDayError
from pipelines.records.sessions import Sessions
from pipelines.records.throttle import Throttle
from pipelines.records.tokens import Tokens
from pipelines.records.users import Users
from pipelines.shop import Shop

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def now_in_utc() -> datetime:
    """The time."""
    return datetime.now(UTC)


def build_app(
    shop: Shop,
    lake: Lake,
    engine: Engine,
    *,
    clock: Callable[[], datetime] = now_in_utc,
    is_behind_tls: bool = False,
    hosts: Iterable[str] = LOOPBACK,
    first_admin: FirstAdmin | None = None,
) -> FastAPI:
    """Make the page of one shop.

    Parameters
    ----------
    engine
        The records database.
    clock
        What time it is, in UTC.
    is_behind_tls
        Whether browsers reach the page over TLS only: cookies are then sent over TLS only.
    hosts
        Names that browsers may call the page by.
    first_admin
        The link by which the first admin is made.

    Notes
    -----
    ``app.state`` has shop, lake, ledger, users, sessions, tokens, throttle, clock, is_behind_tls, first_admin, shelf.
    """
    app = FastAPI(
        title=f"Lists of {shop.title}",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(checks_csrf)],
    )
    state = app.state
    state.shop, state.lake, state.clock, state.is_behind_tls = shop, lake, clock, is_behind_tls
    state.ledger, state.users, state.sessions = Ledger(engine), Users(engine), Sessions(engine)
    state.shelf = Shelf(shop, lake, state.ledger)
    state.tokens, state.throttle, state.first_admin = Tokens(engine), Throttle(engine), first_admin
    state.routes, state.download_threads = [], CapacityLimiter(downloads.THREADS)
    for router in (sign_in.router, downloads.router, api_docs.router, api.router, routes.router):
        _include(app, router)
    _add_handlers(app)
    app.add_middleware(Guard, hosts=tuple(hosts), is_behind_tls=is_behind_tls)
    return app


def routes_of(app: FastAPI) -> list[APIRoute]:
    """Every route of the page."""
    return app.state.routes


def _include(app: FastAPI, router: APIRouter) -> None:
    app.state.routes += _declared(router)
    app.include_router(router)


def _declared(router: APIRouter) -> list[APIRoute]:
    """Every route of a router and of those within it; each has to say who may use it.

    Raises
    ------
    LookupError
        One does not.
    """
    found: list[APIRoute] = []
    for route in router.routes:
        # FastAPI keeps a router within a router as one entry; earlier versions took its routes out.
        within = getattr(route, "original_router", None)
        if isinstance(within, APIRouter):
            found += _declared(within)
        elif isinstance(route, APIRoute):
            rule_of(route)
            found.append(route)
        else:
            raise LookupError(f"{route} is no route that can declare a rule of access: see access.py.")
    return found


def _add_handlers(app: FastAPI) -> None:
    def sign_in_needed(request: Request, error: Exception) -> Response:
        if is_api(request):
            told = tell(request, 401, "This needs a token: send the header Authorization: Bearer ...")
            told.headers["www-authenticate"] = "Bearer"
            return told
        return to_sign_in(request)

    def not_allowed(request: Request, error: Exception) -> Response:
        return tell(request, 403, str(error))

    def not_handed_out(request: Request, error: Exception) -> Response:
        assert isinstance(error, HandoutError)
        return tell(request, getattr(error, "status", 409), str(error))

    def no_such_list(request: Request, error: Exception) -> Response:
        return tell(request, 404, str(error))

    def cannot_be(request: Request, error: Exception) -> Response:
        return tell(request, 422, str(error))

    def fault_of_the_lab(request: Request, error: Exception) -> Response:
        return tell(request, 503, str(error))

    def not_found(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        told = tell(request, error.status_code, _words(error))
        told.headers.update(error.headers or {})
        return told

    def not_understood(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        # Where, and not what was sent: that may be anybody's address.
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
        return tell(request, 422, "Not understood. " + "; ".join(faults))

    handlers: dict[type[Exception], Any] = {
        SignInNeededError: sign_in_needed,
        NotAllowedError: not_allowed,
        HandoutError: not_handed_out,
        NoSuchListError: no_such_list,
        SendingDayError: cannot_be,
        RecordsError: cannot_be,
        LabError: fault_of_the_lab,
        HTTPException: not_found,
        RequestValidationError: not_understood,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)


def _words(error: HTTPException) -> str:
    if error.status_code == 404 and error.detail == "Not Found":
        return "There is no such page."
    if error.status_code == 405:
        return "This cannot be done here."
    return str(error.detail)
