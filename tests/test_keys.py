"""What looks like a key, and the fingerprint that stands for it."""

from __future__ import annotations

import base64

import pytest

from chargeback.keys import fingerprint, without_keys

HEX = "0123456789abcdef0123456789abcdef"
BASE64 = base64.b64encode(bytes(64)).decode()


def test_a_fingerprint_is_the_start_of_the_keys_sha_256() -> None:
    """Worked out with sha256sum."""
    assert fingerprint(HEX) == "key-3eb1bd439947eb76"


@pytest.mark.parametrize("key", [HEX, HEX.upper(), BASE64])
@pytest.mark.parametrize("around", ["{}", " {} ", "key={}", "Bearer {}", "{},next"])
def test_keys_are_replaced_wherever_they_stand(key: str, around: str) -> None:
    assert without_keys(around.format(key)) == around.format(fingerprint(key))


@pytest.mark.parametrize(
    "text", ["", "retail-web", "11115293-844b-456f-8dbc-0c2d78e3e307", HEX[:31], HEX + "0", "g" * 32]
)
def test_what_is_no_key_stays(text: str) -> None:
    assert without_keys(text) == text
