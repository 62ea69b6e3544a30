"""The page's facts and files for programs, as JSON: the same rules, with a token instead of a password.

What is told comes from `pipelines.portal.shelf`, who may ask from `access`, the page about it from `api_docs`.
"""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from fastapi.security import HTTPBearer
from pydantic import BaseModel, Field
from starlette.responses import Response

from pipelines.portal.access import requires
from pipelines.portal.downloads import describe_file, hand_over
from pipelines.portal.facts import Campaign, Card, ListPage, Overlap, Overview, Quality, Someone, Stop
from pipelines.portal.notes import note_not_used, note_sent
from pipelines.records.passwords import make_password
from pipelines.records.tokens import Token
from pipelines.records.users import Role, User


class Told(BaseModel):
    """Why something was not done."""

    detail: str


_BEARER = HTTPBearer(auto_error=False, description="A token from `retention users token NAME`.")
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Told, "description": "Not understood"},
    401: {"model": Told, "description": "No token, or one that does not hold"},
    403: {"model": Told, "description": "The token's user has too small a role"},
    404: {"model": Told, "description": "There is no such thing"},
    422: {"model": Told, "description": "Not understood, or it cannot be"},
    503: {"model": Told, "description": "No run has finished yet"},
}
_NOT_HANDED_OUT: dict[int | str, dict[str, Any]] = {
    409: {"model": Told, "description": "The data are too old, or the file was changed"},
    410: {"model": Told, "description": "The list has expired"},
}
router = APIRouter(prefix="/api", dependencies=[Depends(_BEARER)], responses=_REFUSALS)

Viewer = Annotated[User, Depends(requires("viewer"))]
Marketer = Annotated[User, Depends(requires("marketer"))]
Admin = Annotated[User, Depends(requires("admin"))]
ListName = Annotated[
    str,
    Path(
        description="A list's id, or its name for the newest.",
        pattern=r"^[a-z][a-z0-9_]*(-\d{4}-\d\d-\d\d)?$",
    ),
]


class Sending(BaseModel):
    """When a list was sent."""

    sent_on: date = Field(description="The shop's day of sending.")


class Noted(BaseModel):
    """A note that was taken."""

    note_id: str


class Person(BaseModel):
    """A user of the page."""

    user_id: str
    name: str
    role: Role
    is_disabled: bool


class NewPerson(BaseModel):
    """A user to be added."""

    name: str = Field(max_length=64)
    role: Role


class Password(BaseModel):
    """A password that was made up; it is told once."""

    name: str
    password: str


@router.get("/lists", tags=["lists"])
def lists(request: Request, user: Viewer) -> Overview:
    """Every list of the newest finished run; who downloaded them is told to marketers."""
    overview: Overview = request.app.state.shelf.overview(request.app.state.clock())
    if user.role.covers(Role.MARKETER):
        return overview
    return replace(overview, cards=tuple(_nobodys(card) for card in overview.cards))


@router.get("/lists/{name}", tags=["lists"])
def one_list(request: Request, name: ListName, user: Viewer) -> ListPage:
    """Everything about one list; who downloaded it is told to marketers."""
    page: ListPage = request.app.state.shelf.page(name, request.app.state.clock())
    return page if user.role.covers(Role.MARKETER) else _without_people(page)


@router.get("/lists/{name}/stops", tags=["lists"])
def stops(request: Request, name: ListName, _: Viewer) -> tuple[Stop, ...]:
    """How many people each step of the gate stopped, and why."""
    return request.app.state.shelf.page(name, request.app.state.clock()).stops


@router.get("/lists/{name}/overlaps", tags=["lists"])
def overlaps(request: Request, name: ListName, _: Viewer) -> tuple[Overlap, ...]:
    """How many people other lists of the day share with it."""
    return request.app.state.shelf.page(name, request.app.state.clock()).overlaps


@router.get("/lists/{name}/sample", tags=["lists"])
def sample(request: Request, name: ListName, _: Marketer) -> tuple[Someone, ...]:
    """A few people of a list whom nobody can recognise, with the reason for each."""
    return request.app.state.shelf.sample(name)


@router.get(
    "/lists/{name}/files/{platform}",
    tags=["lists"],
    response_class=Response,
    responses=_NOT_HANDED_OUT
    | {200: {"description": "The file", "content": {"application/octet-stream": {}}}},
)
async def file(request: Request, name: ListName, platform: str, user: Marketer) -> Response:
    """A list's file, without who has ordered, opted out or been erased since. It is noted in the ledger."""
    return await hand_over(request, name, platform, user, "api")


@router.head(
    "/lists/{name}/files/{platform}", tags=["lists"], response_class=Response, responses=_NOT_HANDED_OUT
)
async def file_headers(request: Request, name: ListName, platform: str, user: Marketer) -> Response:
    """What a file would be; nothing is handed out or noted."""
    return await describe_file(request, name, platform, user, "api")


@router.post("/lists/{name}/sent", tags=["lists"], status_code=201)
def sent(request: Request, name: ListName, sending: Sending, user: Marketer) -> Noted:
    """Note that a list was sent: its campaign is counted from that day."""
    return Noted(note_id=note_sent(request, name, sending.sent_on, user))


@router.post("/lists/{name}/not-used", tags=["lists"], status_code=201)
def not_used(request: Request, name: ListName, user: Marketer) -> Noted:
    """Note that a list was not used."""
    return Noted(note_id=note_not_used(request, name, user))


@router.get("/results", tags=["results"])
def results(request: Request, _: Viewer) -> tuple[Campaign, ...]:
    """What campaigns came to, the newest first."""
    return request.app.state.shelf.results()


@router.get("/quality", tags=["data"])
def quality(request: Request, _: Viewer) -> Quality:
    """What came in, how fresh it is, and what is wrong with it."""
    return request.app.state.shelf.quality(request.app.state.clock())


@router.get("/ledger", tags=["records"])
def ledger(request: Request, _: Admin) -> list[dict[str, Any]]:
    """Every download: who, when, which list, how many people, checksum."""
    return request.app.state.ledger.entries().to_dicts()


@router.get("/sendings", tags=["records"])
def sendings(request: Request, _: Admin) -> list[dict[str, Any]]:
    """Every note on what became of a list."""
    return request.app.state.ledger.sendings().to_dicts()


@router.get("/users", tags=["users"])
def users(request: Request, _: Admin) -> list[Person]:
    """Every user."""
    return [_person(user) for user in request.app.state.users.all()]


@router.post("/users", tags=["users"], status_code=201)
def add_user(request: Request, person: NewPerson, _: Admin) -> Password:
    """Add a user with a password that is made up."""
    password = make_password()
    added = request.app.state.users.add(person.name, person.role, password, request.app.state.clock())
    return Password(name=added.name, password=password)


@router.post("/users/{name}/disable", tags=["users"])
def disable_user(request: Request, name: str, _: Admin) -> Person:
    """Shut a user out at once."""
    return _person(request.app.state.users.disable(name, request.app.state.clock()))


@router.post("/users/{name}/reset", tags=["users"])
def reset_user(request: Request, name: str, _: Admin) -> Password:
    """Give a user a new password that is made up, and end sessions and tokens."""
    password = make_password()
    user = request.app.state.users.reset(name, password, request.app.state.clock())
    return Password(name=user.name, password=password)


@router.get("/tokens", tags=["users"])
def tokens(request: Request, _: Admin) -> list[Token]:
    """Every token, without its secret."""
    return request.app.state.tokens.all()


@router.delete("/tokens/{token_id}", tags=["users"], status_code=204)
def revoke_token(request: Request, token_id: str, _: Admin) -> None:
    """Make a token worthless."""
    request.app.state.tokens.revoke(token_id, request.app.state.clock())


def _person(user: User) -> Person:
    return Person(
        user_id=user.user_id, name=user.name, role=user.role, is_disabled=user.disabled_at is not None
    )


def _without_people(page: ListPage) -> ListPage:
    return replace(page, card=_nobodys(page.card), downloads=())


def _nobodys(card: Card) -> Card:
    sent = replace(card.sent, who="") if card.sent else None
    last = replace(card.last_download, who="") if card.last_download else None
    return replace(card, last_download=last, sent=sent)
