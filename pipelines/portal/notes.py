"""Note what became of a list, as the page and the API take it: a day that can be, of a list that there is."""

from datetime import date

from fastapi import Request

from pipelines.errors import LabError
from pipelines.records.users import User


class NoteError(LabError):
    """What was said of a list cannot be."""


def note_sent(request: Request, list_id: str, sent_on: date, user: User) -> str:
    """Note that a list was sent on a day, and return the note's id.

    Raises
    ------
    NoSuchListError
        There is no such list.
    NoteError
        The day lies before the list was made, or in the future.
    """
    state = request.app.state
    card = state.shelf.page(list_id, state.clock()).card
    today = state.clock().astimezone(state.shop.zone).date()
    if not card.as_of <= sent_on <= today:
        raise NoteError(
            f"List {card.list_id} was made from data up to {card.as_of}, and today is {today}: it was not sent on "
            f"{sent_on}. Give the day of sending."
        )
    return state.ledger.note(card.list_id, "sent", sent_on, user.name, state.clock())


def note_not_used(request: Request, list_id: str, user: User) -> str:
    """Note that a list was not used, and return the note's id.

    Raises
    ------
    NoSuchListError
        There is no such list.
    """
    state = request.app.state
    card = state.shelf.page(list_id, state.clock()).card
    return state.ledger.note(card.list_id, "not_used", None, user.name, state.clock())
