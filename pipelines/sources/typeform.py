"""Typeform's export of responses: one record a response, the questions' own words as names of columns.

Nobody but the shop knows which question is the score: shop.toml says it (``columns.score = "How likely ..."``,
``values.kind = "nps"``, and ``columns.comment`` if there is one). Hidden fields that carry the address, the customer
or the order are found by their usual names. A response that was never submitted has no time, and the contract sets it
aside.
"""

from pipelines.sources.csv import CsvReader
from pipelines.sources.reader import Format

NAMES = """#,Response Type,Start Date (UTC),Stage Date (UTC),Submit Date (UTC),Network ID,Tags,Ending"""

FORMAT = Format(
    "typeform",
    "a Typeform export of responses",
    CsvReader(),
    columns={
        "survey_answers": {
            "survey_id": ("#",),
            "email": (
                "email",
                "Email",
                "e-mail",
                "E-mail",
                "email_address",
                "Email address",
                "Email Address",
            ),
            "customer_id": ("customer_id", "customerid", "customerId", "Customer ID"),
            "order_id": ("order_id", "orderid", "orderId", "Order ID", "order_number", "Order number"),
            "answered_at": ("Submit Date (UTC)",),
        },
    },
    header=frozenset(NAMES.split(",")),
    signature=frozenset({"#", "Submit Date (UTC)"}),
    timezone="UTC",
    suffixes=(".csv",),
)
