"""What leaves for Application Insights: names, times, consumers, identities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from chargeback.events import (
    PROPERTY_NAMES,
    DeadLetter,
    Position,
    acceptable_time,
    consumer_of,
    ignored_event,
    iso,
    rejection_event,
    usage_event,
)
from chargeback.records import UsageRecord, record_id

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
TAKEN = datetime(2026, 11, 20, 11, 59, 58, 250000, tzinfo=UTC)
ON_HUB = Position("ns.example", "usage", "3", 1042, TAKEN, "616008")


def record(**fields: object) -> UsageRecord:
    return UsageRecord.model_validate({"shape": "usage/1", "timestamp": NOW - timedelta(minutes=1)} | fields)


def test_an_event_carries_what_is_known_as_text_and_nothing_else() -> None:
    known = record(
        requestId="r-1", subscriptionId="retail", promptTokens=0, forwarded=True, streamed=False, traceId="t" * 32
    )
    event = usage_event(known, "r-1", ON_HUB, NOW)
    assert event.properties == {
        "recordId": "r-1",
        "recordShape": "usage/1",
        "eventTime": "2026-11-20T11:59:00.000Z",
        "consumerId": "retail",
        "consumerType": "subscription",
        "appSubscriptionKey": "retail",
        "requestId": "r-1",
        "subscriptionId": "retail",
        "promptTokens": "0",
        "forwarded": "true",
        "streamed": "false",
        "traceId": "t" * 32,
        "partitionId": "3",
        "sequenceNumber": "1042",
        "enqueuedTime": "2026-11-20T11:59:58.250Z",
    }
    assert (event.name, event.time, event.operation_id) == (
        "Function called with Chargeback Data",
        NOW - timedelta(minutes=1),
        "t" * 32,
    )


def test_every_field_of_the_contract_has_its_own_name() -> None:
    """Written down here once more: a name is a promise."""
    fields = (
        "requestId subscriptionId productId apiId operationId userId appId costCenter deploymentId servedDeployment"
        " spilloverFrom modelRegion backendId backendHost model serviceTier region statusCode forwarded streamed"
        " durationMs usageSource note traceId promptTokens completionTokens totalTokens cachedTokens cacheWriteTokens"
        " cacheWrite1hTokens audioPromptTokens imagePromptTokens reasoningTokens audioCompletionTokens"
    )
    ours = (
        "recordId recordShape eventTime eventTimeAdjusted consumerId consumerType appSubscriptionKey partitionId"
        " sequenceNumber enqueuedTime reason errorType offset bytes sha256 deadLetter"
    )
    budgets = "businessUnit month currency spent budget forecast usedPercent"
    letters = "letters olderThan7Days"
    assert {*fields.split(), *ours.split(), *budgets.split(), *letters.split()} == PROPERTY_NAMES
    values: dict[str, object] = dict.fromkeys(fields.split(), "x")
    values |= {name: 7 for name in values if name.endswith("Tokens") or name in ("statusCode", "durationMs")}
    values |= {"forwarded": True, "streamed": True}
    written = usage_event(record(**values), "id", Position(), NOW).properties
    assert {name: written[name] for name in fields.split()} == {
        name: "true" if value is True else str(value) for name, value in values.items()
    }


@pytest.mark.parametrize(
    ("age", "adjusted"),
    [
        (timedelta(hours=47), False),
        (timedelta(hours=47, seconds=1), True),
        (timedelta(seconds=-60), False),
        (timedelta(seconds=-61), True),
        (timedelta(days=900), True),
    ],
)
def test_a_time_that_the_service_would_refuse_is_adjusted_and_marked(age: timedelta, adjusted: bool) -> None:
    event = usage_event(record(timestamp=NOW - age), "id", ON_HUB, NOW)
    assert event.time == (NOW if adjusted else NOW - age)
    assert event.properties.get("eventTimeAdjusted") == ("true" if adjusted else None)
    assert event.properties["eventTime"] == iso(NOW - age)


def test_without_a_time_of_its_own_a_record_has_the_hubs() -> None:
    event = usage_event(record(timestamp=None, note="no-body"), "id", ON_HUB, NOW)
    assert event.time == TAKEN
    assert event.properties["eventTime"] == "2026-11-20T11:59:58.250Z"
    assert event.properties["note"] == "no-body, time-from-hub"


def test_without_any_time_nothing_is_made_up() -> None:
    event = usage_event(record(timestamp=None), "id", Position(), NOW)
    assert (event.time, event.properties["note"]) == (NOW, "time-unknown")
    assert not {"eventTime", "eventTimeAdjusted", "enqueuedTime"} & set(event.properties)


def test_a_time_keeps_the_microseconds_it_came_with() -> None:
    assert iso(datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)) == "2026-01-02T03:04:05.123456Z"
    assert iso(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)) == "2026-01-02T03:04:05.000Z"
    assert acceptable_time(None, NOW) == NOW


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"subscriptionId": "s", "appId": "a", "keyId": "key-0123456789abcdef", "userId": "u"}, ("s", "subscription")),
        ({"appId": "a", "keyId": "key-0123456789abcdef", "userId": "u"}, ("a", "application")),
        ({"keyId": "key-0123456789abcdef", "userId": "u"}, ("key-0123456789abcdef", "key")),
        ({"userId": "u"}, ("u", "user")),
        ({"subscriptionId": "Portal-Admin", "appId": "NA", "userId": "u"}, ("u", "user")),
        ({"subscriptionId": "key-0123456789abcdef"}, ("key-0123456789abcdef", "key")),
        ({"costCenter": "4711"}, (None, "unknown")),
        ({"userId": "anonymous"}, (None, "unknown")),
    ],
)
def test_the_consumer_is_the_first_that_is_named(fields: dict[str, object], expected: tuple[str | None, str]) -> None:
    assert consumer_of(record(**fields)) == expected


def test_an_unknown_consumer_has_no_name() -> None:
    properties = usage_event(record(), "id", ON_HUB, NOW).properties
    assert properties["consumerType"] == "unknown"
    assert not {"consumerId", "appSubscriptionKey"} & set(properties)


def test_the_gateways_id_is_the_identity() -> None:
    assert record_id("r-1", ON_HUB, b"body", 3) == "r-1"


def test_else_the_place_on_the_hub_is() -> None:
    where = "ns.example/usage/3/1042@1795175998250"
    assert record_id(None, ON_HUB, b"body", None) == where
    assert record_id(None, ON_HUB, b"body", 2) == f"{where}/2"


def test_else_the_line_in_the_file() -> None:
    assert record_id(None, Position(file_id="0123456789abcdef", line=7), b"body", None) == "file/0123456789abcdef/7"
    assert record_id(None, Position(file_id="0123456789abcdef", line=7), b"body", 0) == "file/0123456789abcdef/7/0"


def test_else_the_body_itself() -> None:
    digest = "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"
    assert record_id(None, Position(), b"body", None) == f"body/{digest}"


def test_a_hub_that_is_made_again_does_not_repeat_identities() -> None:
    again = ON_HUB._replace(enqueued_time=TAKEN + timedelta(days=1))
    assert record_id(None, ON_HUB, b"", None) != record_id(None, again, b"", None)


def test_times_in_other_zones_are_the_same_place() -> None:
    elsewhere = ON_HUB._replace(enqueued_time=TAKEN.astimezone(timezone(timedelta(hours=5))))
    assert record_id(None, ON_HUB, b"", None) == record_id(None, elsewhere, b"", None)


def test_an_ignored_record_is_told_of_without_payload() -> None:
    event = ignored_event("llm-log", "empty gateway log row", "call-9", ON_HUB, NOW)
    assert (event.name, event.time) == ("Chargeback record ignored", TAKEN)
    assert event.properties == {
        "recordId": "call-9",
        "recordShape": "llm-log",
        "reason": "empty gateway log row",
        "partitionId": "3",
        "sequenceNumber": "1042",
        "enqueuedTime": "2026-11-20T11:59:58.250Z",
    }


def test_a_rejected_record_is_told_of_without_payload() -> None:
    letter = DeadLetter("id-1", "unknown", "not JSON", "NotJson", ON_HUB, b"secret prompt", 13, "ab" * 32)
    event = rejection_event(letter, "rejected/2026/11/20/x.jsonl", NOW)
    assert event.name == "Chargeback record rejected"
    assert event.properties == {
        "recordId": "id-1",
        "recordShape": "unknown",
        "reason": "not JSON",
        "errorType": "NotJson",
        "offset": "616008",
        "bytes": "13",
        "sha256": "ab" * 32,
        "deadLetter": "rejected/2026/11/20/x.jsonl",
        "partitionId": "3",
        "sequenceNumber": "1042",
        "enqueuedTime": "2026-11-20T11:59:58.250Z",
    }
