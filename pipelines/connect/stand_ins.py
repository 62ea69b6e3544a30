"""What stands in where a file does not bring a column that its table needs, with the reason for people.

An order file without lines is one line an order; a column of whole numbers from 0 to 10 beside a question is a score.
Names that say what a column is are `matching`'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.connect.matching import SURE_NAME, Match, Sheet
from pipelines.connect.words import name_score, plain_name, words, words_in

LONG_NAME = 25
"""Characters from which on a column's name may be a question."""


@dataclass(frozen=True, slots=True)
class StandIns:
    """Values for every row, and why they and some columns were chosen."""

    values: Mapping[str, str] = field(default_factory=dict)
    reasons: Mapping[str, str] = field(default_factory=dict)


Found = dict[str, Match]


def with_stand_ins(table: str, matches: Found, sheet: Sheet, path: Path) -> tuple[Found, StandIns]:
    """Complete what a file brings for a table as far as can be told."""
    match table:
        case "orders":
            return _order_lines(matches, sheet)
        case "survey_answers":
            return _answers(matches, sheet)
        case "consents" | "suppressions":
            return _permissions(table, matches, path)
        case _:
            return matches, StandIns()


def _order_lines(matches: Found, sheet: Sheet) -> tuple[Found, StandIns]:
    """Take an order's or a line's total for the price of one piece where that is not delivered."""
    found, values, reasons = dict(matches), {}, {}
    if "unit_price" not in found:
        has_lines = "product_id" in found or "product_name" in found
        total = _total("line" if has_lines else "order", found, sheet)
        if total is None:
            return found, StandIns()
        found["unit_price"] = total
        found.pop("quantity", None)
        found.pop("discount", None)
        what = "line" if has_lines else "order"
        values["quantity"] = "1"
        reasons["unit_price"] = (
            f"the price of a piece is not delivered: the {what}'s total stands for one piece"
        )
        reasons["quantity"] = f"one piece a {what}, because its total is all there is"
    if "product_id" not in found and "product_name" in found:
        found["product_id"] = Match("product_id", found["product_name"].header, SURE_NAME)
        reasons["product_id"] = "products have no number here, so the name stands for it"
    if "product_id" not in found and "quantity" in values:
        values["product_id"] = "order"
        reasons["product_id"] = "the file has one row an order and no products"
    if "quantity" not in found and "quantity" not in values:
        values["quantity"] = "1"
        reasons["quantity"] = "no column says how many pieces"
    return found, StandIns(values, reasons)


def _total(of: str, matches: Found, sheet: Sheet) -> Match | None:
    taken = {match.header for match in matches.values() if match.column not in ("discount",)}
    candidates = [
        Match("unit_price", header, score)
        for header in sheet.headers
        if header not in taken
        and (score := name_score(header, words()["totals"][of])) >= SURE_NAME
        and sheet.values.filled[header] > 0
        and sheet.share(header, "money") == 1
    ]
    return max(candidates, key=lambda match: match.score, default=None)


def _answers(matches: Found, sheet: Sheet) -> tuple[Found, StandIns]:
    """Find the score by its range, and say by it which question was asked."""
    found, reasons = dict(matches), {}
    ranges = {header: found_range for header in sheet.headers if (found_range := _score_range(header, sheet))}
    if "score" in found and found["score"].header not in ranges:
        found.pop("score")
    if "score" not in found:
        taken = {match.header for match in found.values()}
        questions = [header for header in ranges if header not in taken and _is_question(header)]
        if len(questions) == 1:
            found["score"] = Match("score", questions[0], SURE_NAME)
            low, high = ranges[questions[0]]
            reasons["score"] = f"a question answered with whole numbers from {low} to {high}"
    if "comment" not in found and "score" in found:
        texts = [h for h in sheet.headers if h not in ranges and _is_question(h) and not _is_taken(h, found)]
        if len(texts) == 1:
            found["comment"] = Match("comment", texts[0], SURE_NAME)
            reasons["comment"] = "the only other question"
    values: dict[str, str] = {}
    if "kind" not in found and "score" in found:
        header = found["score"].header
        low, high = ranges[header]
        is_nps = (
            high > 5 or low == 0 or words_in(header, ("nps", "recommend", "weiterempfehlen", "recommander"))
        )
        values["kind"] = "nps" if is_nps else "csat"
        reasons["kind"] = f"answers go from {low} to {high}"
    return found, StandIns(values, reasons)


def _is_taken(header: str, matches: Found) -> bool:
    return any(match.header == header for match in matches.values())


def _score_range(header: str, sheet: Sheet) -> tuple[int, int] | None:
    found = sheet.values.whole_range(header)
    return found if found and found[0] >= 0 and 1 < found[1] <= 10 else None


def _is_question(header: str) -> bool:
    return header.rstrip().endswith("?") or (len(header) >= LONG_NAME and len(plain_name(header).split()) > 3)


def _permissions(table: str, matches: Found, path: Path) -> tuple[Found, StandIns]:
    """Take e-mail for the channel where only addresses are brought, and a list's name for its kind."""
    values, reasons = {}, {}
    if "channel" not in matches and "email" in matches:
        values["channel"] = "email"
        reasons["channel"] = "the file has e-mail addresses and says no channel"
    if table == "suppressions" and "kind" not in matches:
        told = [*(match.header for match in matches.values()), path.stem, path.parent.name]
        for kind, names in words()["suppression_kinds"].items():
            if any(words_in(text, names) for text in told):
                values["kind"] = kind
                reasons["kind"] = "names of the file or its columns say so"
                break
    return matches, StandIns(values, reasons)
