"""Write a shop.toml for people: every guess with its reason, unknown columns and suggestions as comments.

What the settings are is decided elsewhere; here they become text.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from pipelines.connect.drafts import Draft
from pipelines.connect.history import History

LISTS = """\
# A list of your own. `where` is one condition over the columns of customer_profile, and over what was bought.
# [[lists]]
# name = "lamp_buyers"
# title = "Shades for buyers of lamps"
# purpose = "cross-sell"
# where = "bought('LAMP-01') AND NOT bought('SHADE-01')"
# reason = "bought the lamp and no shade, {valid_orders} order(s) so far"
# hold_out = 0.2                   # share that gets nothing, so that the effect can be measured
"""
CERTAIN_LINES, CERTAIN_SHARE = 100, 0.99
"""Lines of a prefix, and the share of them that take back, from which on its rule is written as a setting."""
COMMENT_COLUMN = 35
"""Where comments behind settings begin."""


@dataclass(frozen=True)
class Told:
    """A setting of the whole shop and why it is so; without a reason it was given by a person."""

    value: str
    reason: str = ""


@dataclass(frozen=True)
class ShopText:
    """Everything that is written.

    Attributes
    ----------
    notes
        For each source by name: how its files write dates and numbers, and what is open.
    left_out
        Files that no source takes, with the reason.
    """

    name: str
    title: str
    timezone: Told
    currency: Told
    history_start: date
    phone_region: Told | None
    drafts: Sequence[Draft]
    notes: Mapping[str, Sequence[str]]
    left_out: Sequence[str]
    history: History


def written(shop: ShopText) -> str:
    """Write it all as TOML."""
    parts = [
        _head(shop),
        *(
            _source(draft, [*shop.notes.get(draft.source.name, ()), *_about_numbers(draft, shop)])
            for draft in shop.drafts
        ),
        _left_out(shop.left_out),
        _rules(shop.history),
        _identity(shop.phone_region),
        '[consent]\nwhen_not_delivered = "deny"        # who has not said yes is not written to; '
        '"allow" only on another legal basis\n'
        "# [[consent.rules]]                # another answer for some countries and channels\n"
        '# countries = ["GB"]\n# channels = ["email"]\n# when_not_delivered = "allow"\n',
        LISTS,
    ]
    return "\n".join(part for part in parts if part)


def _head(shop: ShopText) -> str:
    given = "as told"
    lines = [
        "# Written by `retention init`: guesses, each with its reason. Read them, and correct what is wrong.",
        _set("name", shop.name),
        _set("title", shop.title),
        _set("timezone", shop.timezone.value, shop.timezone.reason or given),
        _set("currency", shop.currency.value, shop.currency.reason or given),
        _commented(
            f"history_start = {shop.history_start}", "the first order; days before it cannot be asked for"
        ),
        _commented(
            "ready_lists = true",
            "lists for campaigns that come with the program; or name those you want: [...]",
        ),
        "",
    ]
    return "\n".join(lines)


def _source(draft: Draft, notes: Sequence[str]) -> str:
    source, guess, reasons = draft.source, draft.guess, draft.reasons
    about = "" if all(one.seen.is_whole for one in draft.guesses) else "about "
    what = f"{guess.seen.format.title}, {about}{draft.rows:,} rows"
    if len(draft.guesses) > 1:
        what += f" in {len(draft.guesses)} files"
    lines = [f"# {what}", "[[sources]]", _set("name", source.name), _set("table", source.table)]
    lines += [_set("format", source.format), _set("path", source.path or "")]
    for name in ("split_by", "timezone", "order_numbers", "customer_numbers"):
        if value := getattr(source, name):
            lines.append(_set(name, value, reasons.get(name, "")))
    lines += [f"# {line}" for line in _unused(guess.unknown_columns, guess.known)]
    lines += [f"# {note}" for note in notes]
    layout = source.layout.model_dump(exclude_none=True)
    if layout:
        lines += [
            "",
            "[sources.layout]",
            *(_set(name, value, reasons.get(name, "")) for name, value in layout.items()),
        ]
    for title, entries in (("columns", source.columns), ("values", source.values)):
        if entries:
            says = "our column = the file's column" if title == "columns" else "the same on every row"
            lines += ["", _commented(f"[sources.{title}]", says)]
            lines += [_set(ours, theirs, reasons.get(ours, "")) for ours, theirs in entries.items()]
    return "\n".join([*lines, ""])


def _about_numbers(draft: Draft, shop: ShopText) -> Iterable[str]:
    first = next(one.source.name for one in shop.drafts if one.table == "orders")
    if draft.table == "orders" and draft.source.name != first:
        yield f"Its order and customer numbers are taken for its own. If they are those of {first}, add"
        yield 'order_numbers = "shop" and customer_numbers = "shop"'


def _unused(unknown: Sequence[str], known: Mapping[str, str]) -> Iterable[str]:
    if known:
        yield "The format maps: " + ", ".join(f"{ours} = {_text(theirs)}" for ours, theirs in known.items())
    if unknown:
        yield "Not used: " + ", ".join(_text(name) for name in unknown)


def _left_out(reasons: Sequence[str]) -> str:
    if not reasons:
        return ""
    return "\n".join(
        ["# Files that no source takes:", *(f"# - {_one_line(reason)}" for reason in reasons), ""]
    )


def _rules(history: History) -> str:
    lines: list[str] = []
    for prefix in history.prefixes:
        setting = "return_order_ids" if prefix.is_return else "adjustment_order_ids"
        back = prefix.taking_back if prefix.is_return else prefix.below_zero
        what = "take goods back" if prefix.is_return else "have a price below 0"
        reason = f"{back:,} of the {prefix.lines:,} lines of orders {prefix.letters}... {what}"
        # Left out, refunds would count as orders or be lost: what is as good as certain holds unless taken away.
        is_certain = prefix.lines >= CERTAIN_LINES and back >= CERTAIN_SHARE * prefix.lines
        lines.append(_commented(f'{"" if is_certain else "# "}{setting} = "^{prefix.letters}"', reason))
    kinds = [
        _commented(
            f"# {_literal(one.pattern)} = {_text(one.kind)}",
            f"{one.lines:,} lines, {one.name}",
        )
        for one in history.no_merchandise
    ]
    if not lines and not kinds:
        return ""
    head = (
        "# What stands without # is as good as certain by its numbers. Take the # away from what else is true of the "
        "shop,\n# and from the line in brackets above it."
    )
    under = ["", _commented("# [orders.kinds]", "product_id -> kind of line, first match wins"), *kinds]
    return "\n".join([head, "[orders]", *lines, *(under if kinds else ()), ""])


def _identity(region: Told | None) -> str:
    if region is None:
        return ""
    return "\n".join(["[identity]", _set("phone_region", region.value, region.reason), ""])


def _set(name: str, value: str | int, reason: str = "") -> str:
    written_value = _text(value) if isinstance(value, str) else str(value)
    return _commented(f"{name} = {written_value}", reason)


def _commented(setting: str, reason: str) -> str:
    return f"{setting:<{COMMENT_COLUMN}}# {_one_line(reason)}" if reason else setting


def _text(value: str) -> str:
    """Write a TOML string. JSON's escapes are TOML's as well, but for the one control character it leaves."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _literal(value: str) -> str:
    return f"'{value}'" if "'" not in value and value.isprintable() else _text(value)


def _one_line(text: str) -> str:
    """Comments hold no line ends and no control characters."""
    return re.sub(r"[\x00-\x1f\x7f]+", " ", text)
