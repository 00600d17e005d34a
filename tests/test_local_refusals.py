"""What the local endpoint refuses is what the service refuses, in its words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chargeback.local.refusals import refusal
from chargeback.local.store import Store
from tests.test_local_rows import EXCEPTION, REQUEST, envelope
from tests.test_local_store import event

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def without(envelope: dict[str, object], field: str) -> dict[str, object]:
    return {name: value for name, value in envelope.items() if name != field}


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (["no", "object"], "An item is a JSON object."),
        (without(event("call"), "iKey"), "Invalid instrumentation key"),
        (
            without(event("call"), "time"),
            "109: Field 'time' on type 'Envelope' is required but missing or empty. "
            "Expected: string, Actual: undefined",
        ),
        (
            event("call") | {"name": ""},
            "109: Field 'name' on type 'Envelope' is required but missing or empty. Expected: string, Actual: ",
        ),
        (
            event(""),
            "109: Field 'name' on type 'EventData' is required but missing or empty. Expected: string, Actual: ",
        ),
        (
            envelope("ExceptionData", exceptions=[{"typeName": "KeyError"}]),
            "109: Field 'message' on type 'ExceptionDetails' is required but missing or empty. "
            "Expected: string, Actual: undefined",
        ),
        (
            event("call", "yesterday"),
            "102: Field 'time' on type 'Envelope' is not a valid time string. Expected: date, Actual: yesterday",
        ),
        (
            # 48 hours and 1.5 seconds.
            event("call", "2026-11-18T11:59:58.5Z"),
            "103: Field 'time' on type 'Envelope' is older than the allowed min date. "
            "Expected: now - 172800000ms, Actual: now - 172801500ms",
        ),
        (
            event("n" * 513),
            "100: Field 'name' on type 'EventData' is too long. Expected: 512 characters, Actual: 513",
        ),
        (
            event("call", model="m" * 8193),
            "100: Field 'properties' on type 'EventData' is too long. Expected: 8192 characters, Actual: 8193",
        ),
        (
            event("call", **{"k" * 151: "v"}),
            "100: Field 'properties' on type 'EventData' is too long. Expected: 150 characters, Actual: 151",
        ),
        (
            envelope("MessageData", message="m" * 32_769),
            "100: Field 'message' on type 'MessageData' is too long. Expected: 32768 characters, Actual: 32769",
        ),
        (
            event("call") | {"tags": {"ai.operation.name": "o" * 1025}},
            "100: Field 'ai.operation.name' on type 'ContextTagKeys' is too long. "
            "Expected: 1024 characters, Actual: 1025",
        ),
        (event("call", **{f"p{n}": "v" * 8000 for n in range(9)}), "Telemetry item length must not exceed 65536"),
        (envelope("PageViewData", name="home"), "This local Application Insights has no table for PageViewData."),
    ],
    ids=[
        *("no object", "no key", "no time", "empty name", "no event name", "no message", "unreadable time"),
        *("too old", "long name", "long value", "long property name", "long message", "long tag", "long item"),
        "no table",
    ],
)
def test_an_item_is_refused_in_the_services_words(item: object, words: str) -> None:
    assert refusal(item, None, NOW) == words


@pytest.mark.parametrize(
    "item",
    [
        event("n" * 512, "2026-11-18T12:00:00Z", **{"k" * 150: "v" * 8192}),
        envelope("MessageData", message="m" * 32_768),
        event("from next week", "2026-11-27T12:00:00Z"),
        REQUEST,
        EXCEPTION,
    ],
    ids=["longest and oldest event", "longest message", "future", "request", "exception"],
)
def test_an_item_within_the_limits_is_taken(item: object) -> None:
    assert refusal(item, None, NOW) is None


def test_an_item_of_exactly_64_kilobytes_is_taken_and_one_byte_more_is_not() -> None:
    """8 values of 8,000 characters, and a ninth that fills up what the frame leaves; no blanks between."""
    full = {f"p{n}": "v" * 8000 for n in range(8)}
    frame = len(
        '{"name":"Microsoft.ApplicationInsights.Event","time":"2026-11-20T11:00:00Z","iKey":"key-1","data":'
        '{"baseType":"EventData","baseData":{"ver":2,"name":"call","properties":{'
        + ",".join(f'"{name}":"{value}"' for name, value in full.items())
        + ',"p8":""}}}}'
    )
    assert refusal(event("call", **full, p8="v" * (65_536 - frame)), None, NOW) is None
    assert refusal(event("call", **full, p8="v" * (65_537 - frame)), None, NOW) is not None


ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 63), (1 << 64) - 1) | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
DATA = st.fixed_dictionaries(
    {"name": st.just("n") | ANY, "message": st.just("m") | ANY, "metrics": st.just([{"name": "m"}]) | ANY},
    optional=dict.fromkeys(
        ("id", "duration", "responseCode", "success", "severityLevel", "exceptions", "properties", "measurements"), ANY
    ),
)
KINDS = ("EventData", "MessageData", "RequestData", "RemoteDependencyData", "ExceptionData", "MetricData")
METRICS = st.lists(st.fixed_dictionaries({"name": st.just("m")}, optional=dict.fromkeys(("value", "count"), ANY)))


@pytest.fixture(scope="module")
def store() -> Iterator[Store]:
    with Store() as opened:
        yield opened


@given(kind=st.sampled_from(KINDS), data=DATA, metrics=METRICS, tags=ANY, rate=ANY)
@example(kind="MessageData", data={"message": "m", "severityLevel": 1 << 40}, metrics=[], tags=None, rate=None)
@example(kind="MetricData", data={}, metrics=[{"name": "m", "count": 1e300}], tags=None, rate=None)
@example(kind="EventData", data={"name": "n"}, metrics=[], tags=None, rate=1e-300)
@example(kind="EventData", data={"name": "\0", "properties": {"\0": "\0"}}, metrics=[], tags=None, rate=-1)
def test_whatever_is_not_refused_can_be_stored(
    store: Store, kind: str, data: dict[str, object], metrics: list[object], tags: object, rate: object
) -> None:
    """An item that the endpoint takes and the store does not would be answered with 500, for ever."""
    sent = envelope(kind, **({"metrics": metrics} | data)) | {"tags": tags, "sampleRate": rate}
    if refusal(sent, None, NOW) is None:
        store.add([sent])


def test_only_the_key_that_the_server_was_given_is_known() -> None:
    assert refusal(event("call"), "key-1", NOW) is None
    assert refusal(event("call"), "key-2", NOW) == "Invalid instrumentation key"


def test_an_items_age_is_measured_by_the_time_passed_in() -> None:
    item = event("call", "2026-11-20T11:00:00Z")
    assert refusal(item, None, NOW + timedelta(hours=47)) is None
    assert refusal(item, None, NOW + timedelta(hours=47, milliseconds=1)) is not None
