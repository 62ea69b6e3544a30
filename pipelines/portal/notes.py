"""Note what became of a list, as the page and the API take it: a day that can be, of a list that there is."""

from datetime import date

from fastapi import Request

from pipelines.records.sending_day import check_sending_day
from pipelines.records.users import User


def note_sent(request: Request, list_id: str, sent_on: date, user: User) -> str:
    """Note that a list was sent on a day, and return the note's id.

    Raises
    ------
    NoSuchListError
        There is no such list.
    SendingDayError
        The day lies before the list was made, or in the future.
    """
    state = request.app.state
    card = state.shelf.page(list_id, state.clock()).card
    today = state.clock().astimezone(state.shop.zone).date()
    check_sending_day(card.list_id, card.as_of, sent_on, today)
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
