"""Whatever the bytes: `read` answers, in linear time and little memory."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
import time

import orjson
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargeback.events import PROPERTY_NAMES
from chargeback.keys import without_keys
from chargeback.records import Ignored, Rejected, UsageRecord
from chargeback.shapes import read, split
from chargeback.shapes.names import REQUEST_IDS

MEGABYTE = 1_000_000

WIRE_NAMES = """
    schema records category properties specversion data data_base64 usage tokens type targetService response request
    prompt_tokens input_tokens cache_read_input_tokens appSubscriptionKey event-time responseTokens TotalTokens time
    timestamp backendUrl
"""
NAMES = st.sampled_from([*sorted(PROPERTY_NAMES), *REQUEST_IDS, *WIRE_NAMES.split()])
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    st.sampled_from(
        ["chargeback.usage/1", "GatewayLlmLogs", "GatewayLogs", "1.0", "5/24/2024 2:45:56 PM", "input", "NA"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES | st.text(max_size=8), inner, max_size=6),
    max_leaves=20,
)
SSE = st.lists(
    st.one_of(
        st.sampled_from(["data: [DONE]", "", "event: response.completed", ": comment", "data:", "retry: 1"]),
        JSON.map(lambda value: f"data: {json.dumps(value)}"),
        st.text(max_size=30),
    ),
    max_size=12,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n", "\r", "\n\n"]).map(lambda end: end.join(lines)))


def check(body: bytes) -> None:
    """Read a body and hold the answer to its type's promises."""
    readings = read(body)
    assert readings
    for reading in readings:
        assert isinstance(reading, UsageRecord | Ignored | Rejected)
        if isinstance(reading, UsageRecord):
            assert all(value is None or 0 <= value <= 10**12 for name, value in reading if name.endswith("_tokens"))
        else:
            assert reading.reason
            assert len(reading.reason) < 100
    assert len(split(body, len(readings))) == len(readings)
    assert readings == read(body), "the same body is always the same records"


@given(st.binary(max_size=400))
@example(b"\xef\xbb\xbf")
@example(b'{"a":"\\ud800"}\n{"promptTokens":1}')
def test_no_bytes_make_read_raise(body: bytes) -> None:
    check(body)


@given(JSON)
@settings(max_examples=400)
def test_no_json_value_makes_read_raise(value: object) -> None:
    check(json.dumps(value).encode())


@given(st.lists(JSON, min_size=2, max_size=4), st.sampled_from(["\n", "", ",\n", "\n{\n"]))
def test_no_sequence_of_json_values_makes_read_raise(values: list[object], separator: str) -> None:
    check(separator.join(json.dumps(value, indent=1) for value in values).encode())


@given(SSE)
@settings(max_examples=300)
def test_no_event_stream_makes_read_raise(stream: str) -> None:
    check(json.dumps({"response": stream}).encode())
    check(stream.encode("utf-8", "surrogatepass"))


NO_KEYS = st.text(min_size=1, max_size=50).filter(lambda text: without_keys(text) == text)
"""Thirty-two hexadecimal digits are a key, wherever they stand, and leave as its fingerprint."""


@given(st.integers(0, 10**12), st.integers(0, 10**12), NO_KEYS)
def test_counts_of_our_own_record_come_through_exactly(prompt: int, completion: int, model: str) -> None:
    body = {"schema": "chargeback.usage/1", "promptTokens": prompt, "completionTokens": completion, "model": model}
    (reading,) = read(orjson.dumps(body | {"totalTokens": 1}))
    assert isinstance(reading, UsageRecord)
    assert (reading.prompt_tokens, reading.completion_tokens, reading.model) == (prompt, completion, model)


def filled(start: bytes, unit: bytes, end: bytes, size: int = MEGABYTE) -> bytes:
    """Return `start`, as many units as fit, and `end`."""
    return start + unit * ((size - len(start) - len(end)) // len(unit)) + end


HEAVY = {
    "empty arrays": (b"[", b"[],", b"[]]"),
    "empty objects": (b"[", b"{},", b"{}]"),
    "small objects": (b"[", b'{"a":0},', b"{}]"),
    "small records": (b'{"records":[', b'{"promptTokens":1},', b"{}]}"),
    "records by line": (b"", b'{"tokens":1}\n', b"{}"),
    "deep arrays": (b"", b"[", b""),
    "deep objects by line": (b"", b'{"a":[\n', b""),
    "open objects by line": (b"", b'\n{"a":1,', b""),
    "empty lines after a broken object": (b'{"a" x', b"\n", b"y"),
    "beginnings of tokens": (b'{"promptTokens":1,"user":"', b"eyJ", b'"}'),
    "open strings": (b"", b'\n{"a":"', b""),
    "objects below the limit": (b"[", b'{"aaaa":0},', b"{}]"),
    "objects in an answer": (b'{"response":{"choices":[', b'{"aaaa":0},', b"{}]}}"),
    "objects in an answer's text": (b'{"response":"[', b'{\\"aaa\\":0},', b'{}]"}'),
    "lists in an answer": (b'{"response":{"choices":[', b"[0.1234567],", b"[]]}}"),
    "floats": (b'{"response":{"data":[', b"0.12345678,", b"1]}}"),
    "short strings": (b"[", b'"ab",', b'""]'),
    "long text": (b'{"request":"', b"prompt ", b'"}'),
    "escapes": (b'{"response":"', b"\\u00e9", b'"}'),
    "many names": (b'{"promptTokens":1', b',"a":1', b"}"),
    "stream of chunks": (b'{"response":"', b"data: {}\\n\\n", b'"}'),
    "stream without blank lines": (b'{"response":"', b"data: {}\\n", b'"}'),
    "stream of line ends": (b'{"response":"data:', b"\\n", b'"}'),
    "digits": (b'{"promptTokens":', b"9", b"}"),
    "digits in text": (b'{"promptTokens":"', b"9", b'"}'),
    "spaces": (b"{", b" ", b"}"),
    "spaces in a time": (b'{"promptTokens":1,"time":"', b" ", b'"}'),
    "rubbish": (b"", b"\x00\xff", b""),
    "commas": (b"", b"5,", b""),
    "hex": (b'{"promptTokens":1,"subscriptionId":"', b"0123456789abcdef0", b'"}'),
}


def seconds(body: bytes) -> float:
    """Time reading alone; a collection would walk through all that the other tests have left behind."""
    best = float("inf")
    gc.disable()
    try:
        for _ in range(3):
            start = time.process_time()
            read(body)
            best = min(best, time.process_time() - start)
    finally:
        gc.enable()
    return best


@pytest.mark.parametrize("kind", HEAVY)
def test_four_times_the_body_takes_about_four_times_as_long(kind: str) -> None:
    """A ratio within one run; quadratic reading would be sixteen times."""
    small, large = (seconds(filled(*HEAVY[kind], size=size)) for size in (MEGABYTE // 4, MEGABYTE))
    assert large < 10 * small + 0.02, f"{kind}: {small:.4f} s, then {large:.4f} s"


MEASURE = """
import sys
from pathlib import Path
from chargeback.shapes import read
def status(name):
    return int(next(line for line in Path("/proc/self/status").read_text().splitlines() if name in line).split()[1])
body = sys.stdin.buffer.read()
read(b"[]"), read(b'{"promptTokens":1}'), read(b"{"), read(b'{"response":"data: {}"}')
before = status("VmRSS")
read(body)
print(status("VmHWM") - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of its memory from /proc")
@pytest.mark.parametrize("kind", HEAVY)
def test_a_body_of_one_megabyte_takes_at_most_48_more(kind: str) -> None:
    """Measured in a process of its own, body already there."""
    body = filled(*HEAVY[kind])
    result = subprocess.run([sys.executable, "-c", MEASURE], input=body, capture_output=True, check=True)
    assert int(result.stdout) <= 48 * 1024, f"{kind}: {int(result.stdout) / 1024:.1f} MB"
