"""What is looked for in texts: a person's addresses, numbers, keys and names, as they may be written in a file.

A term is found where it stands alone: anna@example.org is not in joanna@example.org, nor 10000 in 100001. Looking
through files is `search`'s business.
"""

import hashlib
import html
import json
import re
from collections.abc import Iterable
from urllib.parse import quote

import polars as pl

ERASED = "[erased]"
"""Stands in other people's texts where a person was named."""
SHORTEST_WORD, SHORTEST_NUMBER = 7, 10
"""Signs and digits that make a text somebody's own. Shorter ones (customer 17) stand in every file for something else;
rows are found by them, texts are not."""
_WORD = r"\p{L}\p{N}"
_BEFORE = rf"(^|[^{_WORD}._%+\-])"
_AFTER = rf"($|[^{_WORD}.\-]|[.\-](?:$|[^{_WORD}]))"
_PUT = f"${{1}}{ERASED}${{2}}"
_WORD_BYTES = rb"0-9A-Za-z\x80-\xff"


def is_telling(term: str) -> bool:
    """Whether a text that holds the term speaks of the person and of nothing else."""
    signs = re.sub(r"\W", "", term)
    return "@" in term or len(signs) >= (SHORTEST_NUMBER if signs.isdecimal() else SHORTEST_WORD)


def pattern(terms: Iterable[str]) -> str:
    """Regular expression for Polars; what stands before and after a term is captured."""
    return rf"(?i){_BEFORE}(?:{'|'.join(re.escape(term) for term in _sorted(terms))}){_AFTER}"


def naming(rows: pl.LazyFrame, terms: tuple[str, ...]) -> pl.DataFrame:
    """Give the rows of which a text names the person."""
    texts = text_columns(rows)
    if not texts or not terms:
        return rows.head(0).collect()
    # Nearly all texts are told apart at once by looking for all terms together, whatever stands around them.
    may = rows.filter(_may_name(pl.col(texts), terms)).collect(engine="streaming")
    if may.is_empty():
        return may
    return may.filter(pl.any_horizontal(pl.col(texts).str.contains(pattern(terms)).fill_null(False)))


def blackened(rows: pl.LazyFrame, terms: tuple[str, ...]) -> pl.LazyFrame:
    """Write `ERASED` for the person in every text."""
    texts = text_columns(rows)
    if not texts or not terms:
        return rows
    found = rows.select(_may_name(pl.col(name), terms).any().alias(name) for name in texts)
    named = [name for name, may in found.collect(engine="streaming").row(0, named=True).items() if may]
    looks = pattern(terms)
    # Twice: the space between two of them is taken by the first.
    return rows.with_columns(
        pl.col(name).str.replace_all(looks, _PUT).str.replace_all(looks, _PUT).alias(name) for name in named
    )


def text_columns(rows: pl.LazyFrame) -> list[str]:
    """Columns that hold text."""
    return [name for name, dtype in rows.collect_schema().items() if dtype == pl.String]


def _may_name(texts: pl.Expr, terms: tuple[str, ...]) -> pl.Expr:
    spelt = sorted({spelling for term in terms for spelling in _cases(term)})
    return pl.any_horizontal(texts.str.contains_any(spelt, ascii_case_insensitive=True).fill_null(False))


def byte_pattern(terms: Iterable[str]) -> re.Pattern[bytes]:
    """Regular expression for the bytes of any file, in every way in which files write a text."""
    plain, wide = _forms(terms)
    words = b"|".join(re.escape(form) for form in sorted(plain, key=len, reverse=True))
    wide_words = b"|".join(re.escape(form) for form in sorted(wide, key=len, reverse=True))
    return re.compile(
        rb"(?i)(?<![._%+\-"
        + _WORD_BYTES
        + rb"])(?:"
        + words
        + rb")(?!["
        + _WORD_BYTES
        + rb"]|[.\-][0-9A-Za-z])"
        rb"|(?<![0-9A-Za-z]\x00)(?:" + wide_words + rb")(?![0-9A-Za-z]\x00)"
    )


def byte_forms(terms: Iterable[str]) -> list[bytes]:
    """Bytes of which one stands wherever `byte_pattern` finds something; capitals of ASCII are left to who looks."""
    return sorted({form.lower() for some in _forms(terms) for form in some})


def _forms(terms: Iterable[str]) -> tuple[set[bytes], set[bytes]]:
    """Every way to write terms in bytes of one sign each, and of two."""
    spelt = {spelling for term in terms for spelling in _cases(term)}
    plain = {form.encode() for spelling in spelt for form in _written(spelling)}
    latin = {spelling.encode("latin-1") for spelling in spelt if spelling.isascii() or _is_latin(spelling)}
    return plain | latin, {spelling.encode("utf-16-le") for spelling in spelt}


def _is_latin(text: str) -> bool:
    return all(ord(sign) < 256 for sign in text)


def hashes_of(terms: Iterable[str]) -> set[str]:
    """Checksums that advertising platforms take in place of an address or number."""
    return {hashlib.sha256(form.encode()).hexdigest() for term in terms for form in (term, term.lstrip("+"))}


def _cases(term: str) -> set[str]:
    return {term, term.lower(), term.upper(), term.title(), term.capitalize()}


def _written(text: str) -> set[str]:
    """A text as JSON, HTML and addresses of the web write it."""
    numbered = "".join(sign if sign.isascii() else f"&#{ord(sign)};" for sign in text)
    return {
        text,
        json.dumps(text)[1:-1],
        json.dumps(json.dumps(text)[1:-1])[1:-1],
        html.escape(text),
        numbered,
        quote(text),
        quote(text, safe="@"),
    }


def _sorted(terms: Iterable[str]) -> list[str]:
    return sorted(set(terms), key=lambda term: (-len(term), term))
