"""The keyed hash is HMAC-SHA256: by its published test cases, and as the standard library has it."""

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.keyed_hash import keyed_hash


@pytest.mark.parametrize(
    ("key", "message", "digest"),
    [
        (b"\x0b" * 20, b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ],
)
def test_it_agrees_with_rfc_4231(key: bytes, message: bytes, digest: str) -> None:
    assert keyed_hash(key)(message).hex() == digest


@given(key=st.binary(max_size=140), begins=st.binary(max_size=140), rest=st.binary(max_size=140))
def test_it_agrees_with_the_standard_library_wherever_a_message_is_parted(
    key: bytes, begins: bytes, rest: bytes
) -> None:
    assert keyed_hash(key, begins)(rest) == hmac.digest(key, begins + rest, "sha256")
