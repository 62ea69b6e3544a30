"""Every route, every role, signed in and out: nobody gets more than the rule that the route declares."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.routing import APIRoute

from pipelines.portal.access import FORM_TOKEN, anybody, requires, rule_of
from pipelines.portal.app import _declared, routes_of
from pipelines.records.users import Role
from tests.pipelines.portal.running_page import RunningPage, form_token, running_page
from tests.pipelines.published_shops import Published

pytestmark = pytest.mark.xdist_group("published_small_shop")
WHO = (None, *Role)
PUBLIC = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in"),
    ("POST", "/sign-out"),
    ("GET", "/first-admin"),
    ("POST", "/first-admin"),
    ("GET", "/style.css"),
    ("GET", "/api/health"),
    ("GET", "/api/openapi.json"),
    ("GET", "/api/docs"),
}
"""Whatever else is asked for needs somebody signed in: adding to this is a decision."""
VALUES = {
    "name": "thank_you",
    "list_id": "thank_you",
    "platform": "external_id",
    "campaign": "thank_you-2024Q2",
    "token_id": "none",
}


@pytest.fixture(scope="module")
def shared(
    published_small_shop: Published, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningPage]:
    with running_page(published_small_shop, tmp_path_factory.mktemp("records")) as running:
        yield running


@pytest.fixture(scope="module")
def clients(shared: RunningPage) -> dict[tuple[Role | None, bool], httpx.Client]:
    """Whoever may ask, by role and whether it is a program."""
    browsers = {(role, False): shared.browser(role) for role in WHO}
    return browsers | {(role, True): shared.program(role) for role in WHO}


def ask(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """Ask as the route's own form would, with nothing filled in."""
    if method in ("GET", "HEAD") or path.startswith("/api/"):
        return client.request(method, path)
    signed_in = client.get("/").status_code == 200
    return client.request(
        method, path, data={FORM_TOKEN: form_token(client, "/" if signed_in else "/sign-in")}
    )


def every_ask(app: FastAPI) -> list[tuple[str, str, Role | None]]:
    """Every method and path that is served, with the role that it needs."""
    return [
        (method, route.path.format(**VALUES), rule_of(route))
        for route in routes_of(app)
        for method in sorted(route.methods or ())
    ]


def test_every_route_and_every_role(
    shared: RunningPage, clients: dict[tuple[Role | None, bool], httpx.Client]
) -> None:
    asked = 0
    for method, path, needed in every_ask(shared.app):
        if path in ("/sign-in", "/sign-out", "/first-admin"):
            continue  # what they do changes who asks: see test_sign_in
        for role in WHO:
            is_api = path.startswith("/api/")
            answer = ask(clients[role, is_api], method, path)
            told = (method, path, role, answer.status_code)
            asked += 1
            assert answer.status_code < 500, told
            if needed is None:
                assert answer.status_code == 200, told
            elif role is None and is_api:
                assert answer.status_code == 401, told
            elif role is None:
                assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (
                    303,
                    "/sign-in",
                ), told
            elif not role.covers(needed):
                assert answer.status_code == 403, told
            else:
                assert answer.status_code not in (401, 403), told
    assert asked > 100


def test_only_these_routes_are_open_to_anybody(shared: RunningPage) -> None:
    assert {(method, path) for method, path, needed in every_ask(shared.app) if needed is None} == PUBLIC


def test_roles_needed_are_those_that_were_decided(shared: RunningPage) -> None:
    needed = {(method, path): role for method, path, role in every_ask(shared.app)}
    name = VALUES["name"]
    assert {path for (_, path), role in needed.items() if role is Role.ADMIN} == {
        "/users",
        "/users/add",
        "/users/disable",
        "/users/reset",
        "/api/users",
        f"/api/users/{name}/disable",
        f"/api/users/{name}/reset",
        "/api/tokens",
        "/api/tokens/none",
        "/api/ledger",
        "/api/sendings",
    }
    assert {path for (_, path), role in needed.items() if role is Role.MARKETER} >= {
        f"/lists/{name}/files/external_id",
        f"/lists/{name}/sent",
        f"/lists/{name}/not-used",
        "/why",
        f"/api/lists/{name}/files/external_id",
        f"/api/lists/{name}/sample",
        f"/api/lists/{name}/sent",
        f"/api/lists/{name}/not-used",
    }


def test_a_token_opens_no_page_and_a_session_no_api(
    shared: RunningPage, clients: dict[tuple[Role | None, bool], httpx.Client]
) -> None:
    for method, path, needed in every_ask(shared.app):
        if needed is None or method not in ("GET", "HEAD"):
            continue
        is_api = path.startswith("/api/")
        answer = clients[Role.ADMIN, not is_api].request(method, path)
        assert answer.status_code == (401 if is_api else 303), (method, path)


def test_every_path_that_is_served_is_among_the_routes_that_were_tried(shared: RunningPage) -> None:
    # Whatever way FastAPI keeps its routes, nothing else answers: neither its own pages nor a mounted folder.
    for path in ("/docs", "/redoc", "/openapi.json", "/static/style.css", "/metrics"):
        assert shared.browser().get(path).status_code == 404


def test_a_route_without_a_rule_or_with_two_is_refused() -> None:
    def nothing(request: Request) -> None: ...

    for dependencies in ([], [Depends(anybody), Depends(requires("admin"))]):
        router = APIRouter()
        router.get("/new", dependencies=dependencies)(nothing)
        with pytest.raises(LookupError, match="Route /new declares"):
            _declared(router)
    within, around = APIRouter(), APIRouter()
    within.get("/new")(nothing)
    around.include_router(within)
    with pytest.raises(LookupError, match="Route /new declares"):
        _declared(around)
    mounted = APIRouter()
    mounted.mount("/folder", FastAPI())
    with pytest.raises(LookupError, match="no route that can declare a rule"):
        _declared(mounted)


def test_the_rule_of_a_route_is_found_wherever_it_is_declared() -> None:
    router = APIRouter(dependencies=[Depends(requires("marketer"))])
    router.get("/new")(lambda: None)
    (route,) = router.routes
    assert isinstance(route, APIRoute)
    assert rule_of(route) is Role.MARKETER
