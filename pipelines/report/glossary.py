"""The report's terms in plain words; the full definitions are the glossary of the project."""

TERMS: dict[str, tuple[str, str]] = {
    "valid-order": (
        "Valid order",
        "An order that counts: not a test, not cancelled, not a draft, with goods worth more than nothing. "
        "One that came back in full still counts, with a net revenue of 0: it happened.",
    ),
    "net-revenue": (
        "Net revenue",
        "Goods sold, less discounts, less goods given back; without tax and shipping. A return lowers the "
        "order it belongs to, however late it comes.",
    ),
    "customer": (
        "Customer",
        "One person or firm across all channels, recognised by e-mail, phone or the shop's own number, never "
        "by name.",
    ),
    "repeat": (
        "Repeat purchase rate",
        "Of all customers with a valid order, the share with two or more.",
    ),
    "year-on-year": (
        "Year on year (period retention)",
        "Of all who bought in one period, new or not, the share who bought in the same period a year later.",
    ),
    "return-rate": (
        "Return rate",
        "Orders of which something came back, as a share of orders old enough that what will come back mostly "
        "has.",
    ),
    "event-date": (
        "By the day of the event",
        "Net revenue that lowers the month in which money is given back, not the month of the order. Shop "
        "platforms and accounts count so; over all time both come to nearly the same.",
    ),
    "nps": (
        "NPS",
        "Per cent who answer 9 or 10 to “would you recommend us?”, less per cent who answer 0 to 6. On the "
        "last answer of each customer.",
    ),
    "csat": (
        "CSAT",
        "Share of answers 4 or 5 on a scale of 1 to 5; the product score is counted the same way.",
    ),
    "alike": (
        "Alike orders",
        "Orders of customers with as many orders before, of the same channel and month. Who met with an event "
        "is compared with these, so that regulars are not compared with newcomers. It is no experiment.",
    ),
    "cohort": (
        "Cohort",
        "All customers whose first valid order fell in the same month. A cell of a table that the whole "
        "cohort could not have completed yet is empty, never 0.",
    ),
    "active": (
        "Active in that month",
        "Share of a cohort with a valid order in just that month (active_rate).",
    ),
    "repurchased": (
        "Ordered again by then",
        "Share of a cohort with a second valid order by the end of that month (repurchased_by). It can only "
        "rise.",
    ),
    "retained": (
        "Ordered then or later",
        "Share of a cohort with a valid order in that month or any after it (retained_from). It can only fall "
        "with age, and old values rise when somebody returns.",
    ),
    "interval": (
        "95 % interval",
        "A range drawn so that 95 of 100 such ranges hold the true rate; the fewer customers, the wider.",
    ),
    "quarantine": (
        "Set aside (quarantine)",
        "Rows that break a rule so that they cannot be used. They are kept with the reason, and a corrected "
        "delivery brings them back.",
    ),
    "readiness": (
        "Ready for predictions",
        "At least 500 customers, 180 days of history, an order in the last 30 days, and 50 customers with "
        "three or more orders.",
    ),
    "backtest": (
        "Back-test",
        "The shop is put back in time, every model predicts from what was known then, and the predictions are "
        "compared with what happened afterwards.",
    ),
    "baseline": (
        "Baseline",
        "A rule of thumb that needs no model, such as: everybody spends as in the last 12 months. A model "
        "that does not beat it is not worth having.",
    ),
    "gini": (
        "Normalised Gini",
        "How well a model puts customers in order of their value: 1 is the perfect order, 0 is no better than "
        "chance.",
    ),
    "log-loss": (
        "Log-loss",
        "How far predicted chances were from what happened; lower is better.",
    ),
    "calibration": (
        "Calibration",
        "Whether predicted amounts and chances are those that come true: of a hundred customers with a chance of "
        "30 %, about thirty should order.",
    ),
    "lift": (
        "Lift",
        "What the customers ranked highest turn out to hold, against as many drawn by lot. A lift of 1 is no "
        "better than chance.",
    ),
    "tracking": (
        "Tracking curve",
        "Repeat orders of all customers week by week, as a model expects them from the first orders alone, "
        "beside those that came. It shows what the model does not know, such as seasons.",
    ),
    "path": (
        "Purchase path",
        "The chance of another order as a model would have put it on every day since somebody's first order. The "
        "paths shown are of typical customers, made of medians of many; none is one person's.",
    ),
    "stage": (
        "Lifecycle stage",
        "Where a customer stands, by the days since the last order against the shop's own gaps between "
        "orders. New: one order, not long ago. Active: two or more, the last not long ago. At risk: quiet for "
        "longer than three of four gaps. Lapsed: for longer than nine of ten. Dormant: for more than a year, "
        "or twice that time. Reactivated: back after having lapsed.",
    ),
    "rfm": (
        "RFM segment",
        "Customers grouped by how recently they ordered, how often, and how much they brought.",
    ),
    "hold-out": (
        "Held out",
        "People chosen by lot who fit a list and are not written to. Comparing them with the others is the "
        "only way to see whether writing helped.",
    ),
    "detectable": (
        "Smallest effect it can show",
        "The smallest rise of the order rate that this list would find in four of five cases (80 % power, 5 % "
        "two-sided). A smaller effect may be real and stays unseen.",
    ),
    "clv": (
        "Expected net revenue",
        "What the published model expects a customer to bring in the next 365 days, not discounted.",
    ),
}
