"""Customer keys are HMAC-SHA256, whatever the key's length and whichever way they are asked for."""

import hmac

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ingest.customer_keys import SLICE, customer_key, customer_keys

NAMES = st.lists(st.tuples(st.sampled_from(["email", "phone"]), st.none() | st.text(max_size=90)), max_size=6)


@given(NAMES, st.binary(max_size=150))
@settings(max_examples=60, deadline=None)
def test_keys_are_what_the_standard_library_computes(names: list[tuple[str, str | None]], key: bytes) -> None:
    frame = pl.DataFrame(names, schema={"kind": pl.String, "identifier": pl.String}, orient="row")
    expected = [
        text if text is None else hmac.digest(key, f"{kind}:{text}".encode(), "sha256").hex()[:24]
        for kind, text in names
    ]
    assert customer_keys(frame["kind"], frame["identifier"], key).to_list() == expected
    asked = frame.lazy().select(customer_key(pl.col("kind"), pl.col("identifier"), key))
    assert asked.collect().to_series().to_list() == expected


def test_long_columns_are_hashed_slice_by_slice_in_their_order() -> None:
    texts = pl.Series([f"{number}@example.com" for number in range(SLICE + 2)])
    found = customer_keys(pl.repeat("email", len(texts), eager=True), texts, b"key")
    for place in (0, SLICE - 1, SLICE, SLICE + 1):
        assert found[place] == hmac.digest(b"key", f"email:{texts[place]}".encode(), "sha256").hex()[:24]
    assert found.n_unique() == len(texts)
