"""One composed row of every delivered table beside orders and returns that keeps every rule of its suite.

Every person here is made up.
"""

from typing import Any

ANNA, BEN = "anna@example.com", "ben@example.com"

GOOD: dict[str, dict[str, Any]] = {
    "survey_invitations": {"survey_id": "s1", "email": ANNA, "kind": "nps", "sent_at": "2024-03-05 10:00:00"},
    "survey_answers": {
        "survey_id": "s1",
        "email": ANNA,
        "kind": "nps",
        "score": "9",
        "answered_at": "2024-03-06 10:00:00",
    },
    "consents": {
        "email": ANNA,
        "channel": "email",
        "is_granted": "yes",
        "recorded_at": "2024-03-01 10:00:00",
    },
    "suppressions": {
        "email": ANNA,
        "kind": "unsubscribed",
        "channel": "email",
        "recorded_at": "2024-03-01 10:00:00",
    },
    "customers": {
        "customer_id": "7",
        "email": ANNA,
        "first_name": "Anna",
        "last_name": "Example",
        "country": "GB",
        "zip": "AB1 2CD",
        "tags": "vip, wholesale",
        "created_at": "2024-02-01 10:00:00",
    },
    "contacts": {
        "email": ANNA,
        "phone": "+447700900123",
        "first_name": "Anna",
        "last_name": "Example",
        "zip": "AB1 2CD",
        "created_at": "2024-02-02 10:00:00",
    },
    "shipments": {
        "shipment_id": "p1",
        "order_id": "1",
        "shipped_at": "2024-03-02 09:00:00",
        "promised_day": "2024-03-04",
        "delivered_at": "2024-03-05 09:00:00",
        "carrier": "Post",
        "status": "delivered",
    },
    "tickets": {
        "ticket_id": "t1",
        "email": ANNA,
        "order_id": "1",
        "channel": "email",
        "topic": "Where is my order?",
        "opened_at": "2024-03-05 09:00:00",
        "closed_at": "2024-03-05 19:00:00",
    },
    "messages": {
        "message_id": "m1",
        "email": ANNA,
        "channel": "email",
        "campaign": "spring",
        "kind": "marketing",
        "sent_at": "2024-03-07 09:00:00",
        "opened_at": "2024-03-07 10:00:00",
    },
    "loyalty_ledger": {
        "entry_id": "l1",
        "email": ANNA,
        "points": "100",
        "reason": "order",
        "order_id": "1",
        "booked_at": "2024-03-02 09:00:00",
        "expires_at": "2025-03-02 09:00:00",
    },
    "referrals": {
        "referral_id": "f1",
        "email": ANNA,
        "friend_email": BEN,
        "order_id": "3",
        "referred_at": "2024-03-02 09:00:00",
    },
    "reviews": {
        "review_id": "v1",
        "email": ANNA,
        "product_id": "MUG",
        "rating": "4",
        "title": "Good",
        "body": "Holds tea.",
        "written_at": "2024-03-09 09:00:00",
    },
    "mentions": {
        "mention_id": "n1",
        "channel": "forum",
        "sentiment": "-0.5",
        "text": "Slow post.",
        "mentioned_at": "2024-03-09 09:00:00",
    },
    "costs": {"day": "2024-03-01", "kind": "shipping", "amount": "4.95", "order_id": "1"},
    "campaign_assignments": {
        "campaign": "spring",
        "email": ANNA,
        "assignment": "deliver",
        "channel": "email",
        "assigned_at": "2024-03-06 09:00:00",
    },
    "rates": {"currency": "EUR", "day": "2024-03-01", "rate": "0.8555"},
}


def row(table: str, **changes: Any) -> dict[str, Any]:
    """A good row of a table with some cells changed."""
    return GOOD[table] | changes
