"""Which texts are phone numbers, each written as E.164: +, country code, number.

phonenumbers decides, by two questions: a number that says its own country must be *possible* there (the
right length); one that is read in the row's country, which is a guess, must be *valid* there. The library
takes about 40 microseconds a number, so plain numbers are decided by patterns made from the library's own
tables (`numbering`), which a test holds to the library's answers; the rest is shown to the library, each
distinct text and country once. Which country a row names is `countries`' business.
"""

import polars as pl

from pipelines.ingest import numbering

E164 = r"^\+[1-9][0-9]{6,14}$"
"""At most 15 digits (ITU-T E.164, 6.2.1); with fewer than 7 there is no line to reach."""
SEPARATORS = r"[\s().\-/']"
ONE_DIGIT = r"^\+[0-9]{1,3}?(?:0{4,}|" + "|".join(f"{digit}{{6,}}" for digit in range(1, 10)) + ")$"
"""0000000 and its like, typed where a form insists on a number."""
LETTER_AFTER_DIGIT = r"\d.*\p{L}"
"""A comment, an extension, a number spelt in letters: no one person's line."""
FLOAT = r"^\s*(\d+)\.0\s*$"
"""A number that a spreadsheet took for a quantity."""
_TEXT = ["bare", "region"]


def phone_numbers(delivered: pl.Series, regions: pl.Series) -> pl.Series:
    """Write phone numbers as E.164.

    Parameters
    ----------
    delivered
        Numbers as people type them.
    regions
        ISO 3166 code of the country in which a number without country code is read; null for none: then
        only numbers that begin with + or 00 can be read.

    Returns
    -------
    pl.Series
        As long as ``delivered``; null where a text is no number that reaches one line (extensions do not).
    """
    written = pl.DataFrame({"bare": delivered, "region": regions}).with_columns(
        _plain("bare").alias("number")
    )
    if written["number"].null_count() > delivered.null_count():
        written = _read(written)
    number = pl.col("number")
    is_line = number.str.contains(E164) & ~number.str.contains(ONE_DIGIT)
    return written.select(pl.when(is_line).then(number)).to_series().alias(delivered.name)


def _read(written: pl.DataFrame) -> pl.DataFrame:
    """Take off what only makes numbers readable, then decide on what is still not plain, text by text."""
    bare = pl.col("bare").str.replace(FLOAT, "$1").str.replace_all(SEPARATORS, "")
    texts = written.with_columns(bare).with_columns(_plain("bare").alias("number"))
    odd = (
        texts.lazy()
        .filter(pl.col("number").is_null() & pl.col("bare").str.count_matches(r"\d").is_between(4, 20))
        .filter(~pl.col("bare").str.contains(LETTER_AFTER_DIGIT))
        .select(_TEXT)
        .unique()
        .collect()
    )
    if odd.is_empty():
        return texts
    read = pl.concat(_read_within(group) for group in odd.partition_by("region"))
    return texts.join(
        read, on=_TEXT, how="left", nulls_equal=True, maintain_order="left", suffix="_read"
    ).with_columns(pl.coalesce("number", "number_read").alias("number"))


def _plain(column: str) -> pl.Expr:
    """Texts that are E.164 as they stand, without the least doubt."""
    text = pl.col(column)
    is_plain = text.str.contains(numbering.possible_worldwide()) & ~text.str.contains(
        numbering.prefixed_worldwide()
    )
    return pl.when(is_plain).then(text)


def _read_within(odd: pl.DataFrame) -> pl.DataFrame:
    """Read texts of one country, or of none: bare, region, number."""
    region: str | None = odd["region"].item(0)
    country = numbering.numbering_of(region) if region else None
    if country is None or country.international_prefix == "00":
        dialled = pl.col("bare").str.replace("^00", "+")
    else:
        dialled = pl.col("bare")
    read = odd.with_columns(dialled.alias("dialled")).with_columns(
        pl.coalesce(_plain("dialled"), _nationally(country) if country else pl.lit(None)).alias("number")
    )
    rest = read.filter(pl.col("number").is_null())
    solved = pl.Series("number", [_by_library(text, region) for text in rest["dialled"]], pl.String)
    return pl.concat([read.filter(pl.col("number").is_not_null()), rest.with_columns(solved)]).drop("dialled")


def _nationally(country: numbering.Numbering) -> pl.Expr:
    """E.164 of numbers that are plainly valid ones of their own country; null where the library must look."""
    bare = pl.col("bare")
    cut = _cut(bare, country)
    number = bare.str.slice(cut.str.len_chars())
    is_plain = (
        bare.str.contains(r"^[0-9]+$")
        & ~bare.str.contains(f"^(?:{country.international_prefix or '[^0-9]'})")
        & ~bare.str.starts_with(country.calling_code)
        & cut.is_in(["", country.prefix])
        & (_cut(number, country) == "")
        & number.str.contains(country.valid)
        & number.str.len_chars().is_in(country.lengths)
    )
    return pl.when(is_plain).then(pl.concat_str(pl.lit(f"+{country.calling_code}"), number))


def _cut(text: pl.Expr, country: numbering.Numbering) -> pl.Expr:
    """What the library may cut off a number's beginning; empty for nothing."""
    return text.str.extract(f"^({country.prefix_pattern or ''})", 1).fill_null("")


def _by_library(text: str, region: str | None) -> str | None:
    import phonenumbers as library

    form = library.PhoneNumberFormat.E164
    try:
        number = library.parse(text, region, keep_raw_input=True)
        written = library.format_number(number, form)
        is_settled = library.format_number(library.parse(written), form) == written
    except library.NumberParseException:
        return None
    says_its_country = number.country_code_source in (
        library.CountryCodeSource.FROM_NUMBER_WITH_PLUS_SIGN,
        library.CountryCodeSource.FROM_NUMBER_WITH_IDD,
    )
    possible = library.ValidationResult.IS_POSSIBLE
    is_good = (
        library.is_possible_number_with_reason(number) == possible
        if says_its_country
        else library.is_valid_number(number)
    )
    # Some numbers lose another digit each time they are read: nobody can say which of them is meant.
    return written if is_good and is_settled and not number.extension else None
