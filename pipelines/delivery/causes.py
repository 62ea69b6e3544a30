"""The steps of a list's gate, the causes that stop people at each, and what both are called."""

from typing import Final

STEPS: Final = (
    "suppressed", "not_eligible", "no_consent", "open_case", "capped", "held_out", "undeliverable",
)  # fmt: skip
STEP_OF: Final = {
    "objection": "suppressed",
    "unsubscribed": "suppressed",
    "bounced": "suppressed",
    "rule": "not_eligible",
    "null": "not_eligible",
    "exclusion_file": "not_eligible",
    "other_list": "not_eligible",
    "limit": "not_eligible",
    "refused": "no_consent",
    "not_delivered": "no_consent",
    "open_ticket": "open_case",
    "open_return": "open_case",
    "open_order": "open_case",
    "written_to": "capped",
    "lot": "held_out",
    "no_address": "undeliverable",
}
"""Causes, and the step at which each stops a person."""
DELIVERABLE: Final = "deliverable"
PASSES: Final = "passes"
"""Stand in tables for the step and the cause of those whom nothing stops."""
CAUSE_WORDS: Final = {
    "objection": "objected to marketing",
    "unsubscribed": "unsubscribed",
    "bounced": "address sends mail back",
    "rule": "does not fit the rule",
    "null": "the rule lacks a value that it asks for",
    "exclusion_file": "named in an exclusion file",
    "other_list": "on an earlier list of the same purpose",
    "limit": "beyond the list's limit",
    "refused": "refused, or took consent back",
    "not_delivered": "no consent is known",
    "open_ticket": "a question to support is open",
    "open_return": "a return is open",
    "open_order": "an order is on its way",
    "written_to": "written to often enough lately, lists of the day included",
    "lot": "held out by lot, to measure what the campaign changes",
    "no_address": "no address for this channel",
    PASSES: "in the file",
}
"""Causes in people's words."""
