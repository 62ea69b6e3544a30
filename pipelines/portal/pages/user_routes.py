"""The page of users: an admin adds people, gives new passwords and shuts people out. Passwords are shown once."""

from typing import Annotated, Any

from fastapi import Depends, Form, Request
from starlette.responses import Response

from pipelines.portal.access import requires
from pipelines.portal.pages.rendering import render
from pipelines.portal.pages.router import router
from pipelines.records.database import RecordsError
from pipelines.records.passwords import make_password
from pipelines.records.users import Role, User

Admin = Annotated[User, Depends(requires(Role.ADMIN))]
Name = Annotated[str, Form(max_length=200)]


@router.get("/users")
def users(request: Request, user: Admin) -> Response:
    """Everybody who may sign in."""
    return _page(request)


@router.post("/users/add")
def add(request: Request, user: Admin, name: Name = "", role: Name = "") -> Response:
    """Add somebody, with a password that is shown once."""
    password = make_password()
    state = request.app.state
    try:
        added = state.users.add(name, role, password, state.clock())
    except RecordsError as error:
        return _page(request, fault=str(error))
    return _page(request, password=(added.name, password))


@router.post("/users/reset")
def reset(request: Request, user: Admin, name: Name = "") -> Response:
    """Give somebody a new password that is shown once; whoever is signed in by that name is signed out."""
    password = make_password()
    state = request.app.state
    try:
        changed = state.users.reset(name, password, state.clock())
    except RecordsError as error:
        return _page(request, fault=str(error))
    return _page(request, password=(changed.name, password))


@router.post("/users/disable")
def disable(request: Request, user: Admin, name: Name = "") -> Response:
    """Shut somebody out at once."""
    state = request.app.state
    try:
        shut_out = state.users.disable(name, state.clock())
    except RecordsError as error:
        return _page(request, fault=str(error))
    return _page(request, done=f"{shut_out.name} can no longer sign in, and was signed out everywhere.")


def _page(
    request: Request, *, done: str = "", fault: str = "", password: tuple[str, str] | None = None
) -> Response:
    facts: dict[str, Any] = {
        "users": request.app.state.users.all(),
        "done": done,
        "fault": fault,
        "password": password,
    }
    return render(request, "users.html.j2", facts, 422 if fault else 200)
