"""JSON as it is really sent: what strict readers refuse for the sake of one character."""

from __future__ import annotations

import json

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargeback.jsontext import TooManyObjects, parse


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


@given(st.text(st.characters(codec=None) | st.sampled_from('\\"\ud83d\ude00u'), max_size=40))
def test_any_text_that_python_writes_is_read_as_python_reads_it(text: str) -> None:
    """Python's own reader keeps halves of pairs; apart from them the two agree."""
    document = json.dumps(text)
    python = json.loads(document).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert parse(document) == python


@pytest.mark.parametrize(
    ("piece", "too_many"),
    [
        (rb'{"a\"{[":1},', True),
        (rb'{"a\\":{}},', True),
        (rb'"{\"[\\",', False),
        (rb'"[[\\\"{",', False),
    ],
)
def test_objects_and_arrays_are_counted_outside_texts(piece: bytes, too_many: bool) -> None:
    """Each document has more than 100,000 braces and brackets, in texts or not."""
    document = b"[" + piece * 100_001 + b"0]"
    if too_many:
        with pytest.raises(TooManyObjects):
            parse(document)
        return
    assert parse(document) == orjson.loads(document)
