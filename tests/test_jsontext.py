"""JSON as it is really sent: what strict readers refuse for the sake of one character."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.jsontext import parse


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\ude00a"', "\ufffda"),
        (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600"),
        (rb'"\uD83D\uDE00\uDE00"', "\U0001f600\ufffd"),
        (rb'"\ud83d \\ud83d"', "\ufffd \\ud83d"),
        (rb'{"\ud83d":1}', {"\ufffd": 1}),
    ],
)
def test_half_a_surrogate_pair_costs_one_character(text: bytes, value: object) -> None:
    assert parse(text) == value


def test_text_with_a_lone_surrogate_is_read_too() -> None:
    assert parse('{"a": "\ud83d"}') == {"a": "?"}


@pytest.mark.parametrize("text", [b"", b"{", b"NaN", rb'"\ud83', rb'"\ud83d', rb'{"a":"\ud83d",}', b'"\xed\xa0\xbd"'])
def test_what_is_no_json_is_refused_as_before(text: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        parse(text)


@given(st.text(st.characters(codec=None) | st.sampled_from("\\\"\ud83d\ude00u"), max_size=40))
def test_any_text_that_python_writes_is_read_as_python_reads_it(text: str) -> None:
    """Python's own reader keeps halves of pairs; apart from them the two agree."""
    document = json.dumps(text)
    python = json.loads(document).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert parse(document) == python
