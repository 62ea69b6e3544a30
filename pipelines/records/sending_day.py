"""On which days a list can have been sent: from the day that it was made for until today."""

from datetime import date

from pipelines.errors import LabError


class SendingDayError(LabError):
    """A list cannot have been sent on a day."""


def check_sending_day(list_id: str, as_of: date, sent_on: date, today: date) -> None:
    """Refuse a day that lies before the list was made, or in the future.

    Raises
    ------
    SendingDayError
        It does.
    """
    if not as_of <= sent_on <= today:
        raise SendingDayError(
            f"List {list_id} was made from data up to {as_of}, and today is {today}: it was not sent on {sent_on}. "
            "Give the day of sending."
        )
