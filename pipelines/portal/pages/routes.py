"""The pages' addresses: each asks the shelf, fills a template and answers. Forms write to the ledger or the users.

Files are handed out by `pipelines.portal.downloads`, signing in by `pipelines.portal.sign_in`; nothing is worked out
here. No address holds anything of a customer.
"""

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from pipelines.delivery.causes import STEPS
from pipelines.errors import LabError, LakeError
from pipelines.portal.access import anybody, requires
from pipelines.portal.downloads import download_path
from pipelines.portal.facts import ListPage
from pipelines.portal.notes import note_not_used, note_sent
from pipelines.portal.pages import told, user_routes
from pipelines.portal.pages.effects import effects
from pipelines.portal.pages.rendering import render, style
from pipelines.portal.pages.router import router
from pipelines.portal.pages.waterfall import picture_in_words, waterfall
from pipelines.records.sending_day import SendingDayError
from pipelines.records.users import Role, User

__all__ = ["router", "user_routes"]

Viewer = Annotated[User, Depends(requires(Role.VIEWER))]
Marketer = Annotated[User, Depends(requires(Role.MARKETER))]
Typed = Annotated[str, Form(max_length=320)]

DOWNLOADS_SHOWN = 200


@router.get("/style.css", dependencies=[Depends(anybody)])
def style_sheet() -> Response:
    """The look of all pages."""
    return Response(style(), media_type="text/css", headers={"cache-control": "max-age=300"})


@router.get("/")
def overview(request: Request, user: Viewer) -> Response:
    """All lists as cards."""
    state = request.app.state
    try:
        state.shelf.newest.snapshot  # noqa: B018
    except LakeError:  # no run has finished yet
        return render(request, "overview.html.j2", {"overview": None})
    return render(request, "overview.html.j2", {"overview": state.shelf.overview(state.clock())})


@router.get("/lists/{name}")
def one_list(request: Request, name: str, user: Viewer, noted: bool = False) -> Response:
    """One list, by id or name."""
    return _list_page(request, _page(request, name), user, noted=noted)


@router.post("/lists/{name}/sent")
def was_sent(request: Request, name: str, user: Marketer, day: Typed = "") -> Response:
    """Note the day on which a list was sent."""
    try:
        note_sent(request, name, told.day_typed(day), user)
    except SendingDayError as error:
        return _list_page(request, _page(request, name), user, fault=str(error), status=422)
    return _noted(name)


@router.post("/lists/{name}/not-used")
def was_not_used(request: Request, name: str, user: Marketer) -> Response:
    """Note that a list was not used."""
    note_not_used(request, name, user)
    return _noted(name)


@router.get("/why")
def why_form(request: Request, user: Marketer) -> Response:
    """Ask for a person."""
    return render(request, "why.html.j2", {"found": None, "fault": None})


@router.post("/why")
def why_answer(request: Request, user: Marketer, customer: Typed = "") -> Response:
    """Say on which lists a person is; what was typed stands in no address and no log."""
    from pipelines.delivery.why import why

    state = request.app.state
    try:
        found = why(state.shop, state.lake, customer.strip()) if customer.strip() else None
    except LabError as error:
        return render(request, "why.html.j2", {"found": None, "fault": str(error)}, 422)
    fault = None if found is not None else "Type a customer number, an e-mail or a phone number."
    return render(request, "why.html.j2", {"found": found, "fault": fault}, 422 if fault else 200)


@router.get("/results")
def results(request: Request, user: Viewer) -> Response:
    """All campaigns."""
    shelf = request.app.state.shelf
    campaigns = shelf.results()
    facts = {"campaigns": campaigns, "groups": told.by_state(campaigns), "pressure": shelf.pressure()}
    return render(request, "results.html.j2", facts)


@router.get("/results/{campaign}")
def result(request: Request, campaign: str, user: Viewer) -> Response:
    """One campaign's result."""
    found = request.app.state.shelf.result(campaign)
    return render(request, "result.html.j2", {"campaign": found, "effects": effects(found)})


@router.get("/data")
def data(request: Request, user: Viewer) -> Response:
    """What came in, and in what condition it is."""
    state = request.app.state
    return render(request, "data.html.j2", {"quality": state.shelf.quality(state.clock())})


@router.get("/downloads")
def downloads(request: Request, user: Marketer) -> Response:
    """Everything that was downloaded."""
    taken = request.app.state.shelf.downloads(DOWNLOADS_SHOWN + 1)
    facts = {
        "downloads": taken[:DOWNLOADS_SHOWN],
        "has_more": len(taken) > DOWNLOADS_SHOWN,
        "platform_title": told.platform_title,
    }
    return render(request, "downloads.html.j2", facts)


@router.get("/words")
def words(request: Request, user: Viewer) -> Response:
    """What the words mean."""
    return render(request, "words.html.j2", {"steps": STEPS})


def _page(request: Request, name: str) -> ListPage:
    return request.app.state.shelf.page(name, request.app.state.clock())


def _list_page(
    request: Request, page: ListPage, user: User, *, noted: bool = False, fault: str = "", status: int = 200
) -> Response:
    state = request.app.state
    facts: dict[str, Any] = {
        "list": page,
        "parts": waterfall(page),
        "told": picture_in_words(page),
        "sample": state.shelf.sample(page.card.list_id) if user.role.covers(Role.MARKETER) else (),
        "rule_words": told.rule(page.made.rule),
        "cap": told.cap(state.shop, page.card.name),
        "platform_title": told.platform_title,
        "download_path": download_path,
        "today": state.clock().astimezone(state.shop.zone).date(),
        "noted": noted,
        "fault": fault,
    }
    return render(request, "list.html.j2", facts, status)


def _noted(name: str) -> Response:
    return RedirectResponse(f"/lists/{quote(name, safe='')}?noted=true#sent", 303)
