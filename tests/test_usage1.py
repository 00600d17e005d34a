"""The project's own records have a way of their own through the code, and it must come to the same result."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chargeback.records import SCHEMA, UsageRecord
from chargeback.shapes import usage1
from chargeback.shapes.envelope import entries

KEY = "0123456789abcdef0123456789abcdef"
EXACT: dict[str, object] = {
    "schema": SCHEMA,
    "requestId": "r-1",
    "timestamp": "2026-11-20T10:00:00.123Z",
    "subscriptionId": "retail",
    "statusCode": 200,
    "forwarded": True,
    "promptTokens": 12,
    "completionTokens": 3,
    "totalTokens": 15,
}
TEXTS = st.sampled_from(
    [
        *("", "retail", "NA", KEY, f" {KEY} ", f"x{KEY}", "x" * 100, "11115293-844b-456f-8dbc-0c2d78e3e307"),
        *("\u2028é", "\ud83d", "four words and a little more in all", "east us 2"),
    ]
)
COUNTS = st.sampled_from([None, 0, 1, 12, 10**12, 10**12 + 1, 2**63, 2**64, -(2**64), -1, 1.0, 1.5, "12", "", True])
CHANGES = st.dictionaries(
    st.sampled_from(
        sorted(
            {*EXACT, "keyId", "shape", "costCenter", "appId", "userId", "productId", "model", "cachedTokens"}
            | {"deploymentId", "note", "traceId", "region", "durationMs"}
        )
    ),
    st.one_of(
        TEXTS,
        COUNTS,
        st.sampled_from(
            ["2026-11-20T10:00:00.000Z", "2026-02-30T10:00:00.000Z", "2026-11-20", "5", "2026-11-20T10:00:00+02:00"]
        ),
        st.sampled_from([None, [], {}, [SCHEMA], {"timestamp": "2026-11-20T10:00:00.123Z"}]),
    ),
    max_size=4,
)


def compact(record: dict[str, object]) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode()


def test_a_record_as_the_policy_writes_it_takes_the_short_way() -> None:
    """Else the comparison below would compare nothing."""
    assert usage1.read_exact(compact(EXACT)) is not None
    assert usage1.read_exact(json.dumps(EXACT).encode()) is not None


@given(CHANGES)
@example({"timestamp": "5", "model": '"timestamp":"2026-11-20T10:00:00.123Z"'})
@example({"statusCode": 2**64})
@example({"durationMs": -(2**70)})
@settings(max_examples=1500)
def test_the_short_way_and_the_long_way_come_to_the_same_record(changes: dict[str, object]) -> None:
    body = compact(EXACT | changes)
    short = usage1.read_exact(body)
    if short is not None:
        (long_way,) = entries(body)
        assert isinstance(long_way, dict)
        assert short.model_dump() == usage1.read(long_way).model_dump()


@pytest.mark.parametrize(
    "change",
    [
        {"subscriptionId": KEY},
        {"costCenter": "x" * 65},
        {"keyId": "mine"},
        {"shape": "seed"},
        {"totalTokens": None},
        {"totalTokens": 16},
        {"promptTokens": "12"},
        {"timestamp": None},
        {"timestamp": "2026-11-20T12:00:00+02:00"},
        {"timestamp": "11/20/2026 10:00:00"},
        {"schema": "chargeback.usage/2"},
    ],
)
def test_whatever_has_to_be_changed_or_refused_takes_the_long_way(change: dict[str, object]) -> None:
    assert usage1.read_exact(compact(EXACT | change)) is None


def test_a_body_that_only_mentions_the_schema_takes_the_long_way() -> None:
    assert usage1.read_exact(compact({"x": EXACT})) is None
    assert usage1.read_exact(compact(EXACT) + b"\n" + compact(EXACT)) is None
    nested: dict[str, object] = {"schema": SCHEMA, "x": {"timestamp": EXACT["timestamp"]}, "timestamp": "5"}
    assert usage1.read_exact(compact(nested)) is None
    assert isinstance(usage1.read(dict(EXACT)), UsageRecord)


@pytest.mark.parametrize("nobody", ["", "NA", " unknown "])
def test_a_placeholder_identifies_no_call(nobody: str) -> None:
    """Calls would be billed as one, or each delivery as a call."""
    body = compact(EXACT | {"requestId": nobody})
    assert usage1.read_exact(body) is None
    assert usage1.read(json.loads(body)).request_id is None


def test_a_second_schema_or_time_takes_the_long_way() -> None:
    head = compact(EXACT)[:-1]
    assert usage1.read_exact(head + b',"schema":"chargeback.usage/2"}') is None
    assert usage1.read_exact(head + b',"timestamp":"2026-11-20T10:00:00"}') is None


@pytest.mark.parametrize(
    "second", [rb'"\u0073chema":"chargeback.usage/9"', rb'"\u0074imestamp":"2026-11-20T10:00:00+02:00"']
)
def test_a_second_name_in_disguise_takes_the_long_way(second: bytes) -> None:
    """The last of two names counts, however it is spelt."""
    assert usage1.read_exact(compact(EXACT)[:-1] + b"," + second + b"}") is None
