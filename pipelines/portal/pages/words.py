"""The words of the pages: steps of the gate, causes, states, channels, stages and tables as people say them."""

from pipelines.delivery.causes import CAUSE_WORDS
from pipelines.report.words import model_name, stage_name

STEPS: dict[str, tuple[str, str]] = {
    "suppressed": (
        "Must not be written to",
        "They objected to marketing, unsubscribed, or their address sends mail back. Nothing can put them on a list.",
    ),
    "not_eligible": (
        "Not meant by this list",
        "They do not fit the list’s rule, are on an exclusion file or on another list of the same purpose, or come "
        "after its limit.",
    ),
    "no_consent": ("No consent", "They have not agreed to be written to this way, or took it back."),
    "open_case": (
        "Something is open",
        "A return, a question or an order of theirs is still open: that should be settled first.",
    ),
    "capped": (
        "Heard enough lately",
        "They got as many messages or were on as many lists in the last weeks as the shop allows.",
    ),
    "held_out": (
        "Held out by lot",
        "They fit and get nothing. Comparing them with the others is the only way to see what writing changes.",
    ),
    "undeliverable": ("No address", "The shop has no address of theirs for this channel."),
}
"""Name of a step, and why it is there."""

STATES: dict[str, tuple[str, str]] = {
    "ready": ("Ready", "The list can be downloaded."),
    "nobody": ("Nobody on it", "nobody is in its file today. That can be right: its rule is about something that did "
               "not happen."),
    "needs": ("Needs data", "The list’s rule asks for something that the shop does not deliver yet."),
    "expired": ("Expired", "Too much may have changed since it was made. The next nightly run makes a fresh one."),
    "stale": ("Data too old", "No fresh orders came in, so nothing is handed out. See “Data”."),
}  # fmt: skip
"""What a list's state is called, and what it means."""

CHANNELS = {"email": "by e-mail", "sms": "by text message", "ads": "as an audience for adverts"}

VERDICTS: dict[str, tuple[str, str, str]] = {
    "worked": ("Worked", "good", "More people ordered than would have anyway, by more than chance explains."),
    "did_harm": ("Did harm", "harm", "Fewer people ordered than would have anyway, by more than chance explains."),
    "too_small": ("Too small to tell", "", "What was seen could be chance. That is no proof that nothing changed."),
    "too_early": ("Too early", "waits", "Somebody’s time is not over yet; looking early finds effects that are not "
                  "there."),
    "not_used": ("Not used", "", "No list of it was downloaded to be uploaded, or it was noted that it was not used."),
}  # fmt: skip
"""What a verdict is called, its colour, and how to read it."""

ROLES = {
    "viewer": "sees counts, no people and no files",
    "marketer": "downloads files, notes what was sent, looks people up",
    "admin": "all of the above, and says who may sign in",
}

SPEND = ("low third", "middle third", "top third", "not known")
"""By net revenue so far, each third against all customers."""

FAULTS = {
    400: ("That could not be read", "Something was missing or not understood. Go back and try again."),
    401: ("Please sign in", "You are not signed in, or were away for too long."),
    403: ("This was not done", "If you think it should be yours to do, ask an admin of the shop."),
    404: ("Nothing is here", "The list or page may be from an earlier night. All lists are on the first page."),
    405: ("That does not work this way", "Use the buttons on the pages."),
    409: ("That does not fit", "Something has changed in the meantime. Go back and look again."),
    410: ("This list has expired", "The next nightly run makes a fresh one; nothing was downloaded."),
    413: ("That is too much", "The form holds more than is taken here."),
    422: ("That was not understood", "Nothing was changed. Go back, look at the form, and send it again."),
    429: ("Too many tries", "Waiting protects the accounts of this shop from being guessed."),
    500: ("Something went wrong here", "It is not your fault, and nothing was changed. Please try again; if it happens "
          "again, tell the person who runs the lab."),
    503: ("Not ready yet", "Please try again in a few minutes, or tell the person who runs the lab."),
}  # fmt: skip
"""Faults as people should read them, by status: what happened, and what to do."""

VIA = {"command": "command line", "page": "this page", "api": "program"}

TABLES = {
    "orders": "Orders",
    "returns": "Returns",
    "survey_invitations": "Survey invitations",
    "survey_answers": "Survey answers",
    "customers": "Customers",
    "contacts": "Addresses",
    "consents": "Consents",
    "suppressions": "Objections and unsubscribes",
    "shipments": "Parcels",
    "tickets": "Questions to support",
    "messages": "Messages sent",
    "loyalty_ledger": "Loyalty points",
    "referrals": "Referrals",
    "reviews": "Reviews",
    "mentions": "Mentions",
    "costs": "Costs",
    "campaign_assignments": "Campaign assignments",
    "rates": "Exchange rates",
}


def cause(name: str) -> str:
    """A cause for people; its own name where it has no other."""
    return CAUSE_WORDS.get(name, name.replace("_", " "))


def step(name: str) -> str:
    """A step's name for people."""
    return STEPS[name][0] if name in STEPS else name.replace("_", " ")


def why(name: str) -> str:
    """Why a step is there."""
    return STEPS[name][1] if name in STEPS else ""


def table_name(name: str) -> str:
    """A delivered table's name for people."""
    return TABLES.get(name, name.replace("_", " ").capitalize())


def stage(name: str | None) -> str:
    """A lifecycle stage's name for people."""
    return stage_name(name) if name else "not known"


def model(name: str | None) -> str:
    """A model's name for people."""
    return model_name(name) if name else "none: there is not enough data for predictions yet"


def column(name: str) -> str:
    """A column's name as words: ``First name``."""
    if name == "external_id":
        return "the shop’s own customer number"
    return name.replace("_", " ").strip().capitalize()
