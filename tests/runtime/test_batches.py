"""Host-shaped batches through the real runtime: what arrives for each kind of event a hub can hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chargeback.local.faults import Fault
from chargeback.local.server import LocalApplicationInsights
from tests.runtime.host import Batch, HubEvent, numbered
from tests.runtime.process import WorkerProcess

USAGE = "ChargebackEventHubTrigger"
GATEWAY_LOG = "ChargebackGatewayLogTrigger"


@pytest.fixture
def partition(request: pytest.FixtureRequest) -> str:
    """A partition for this test alone."""
    return str(request.node.name).replace("[", "-").replace("]", "")


def record(call: str, prompt: int = 10, completion: int = 5) -> bytes:
    fields = {"schema": "chargeback.usage/1", "requestId": call, "promptTokens": prompt, "completionTokens": completion}
    return json.dumps(fields).encode()


def nameless(prompt: int) -> bytes:
    """A record without an id of its own: its place in the hub names it."""
    return json.dumps({"appSubscriptionKey": "retail", "promptTokens": str(prompt), "totalTokens": "9"}).encode()


def rows(
    insights: LocalApplicationInsights, partition: str, *properties: str, table: str = "usage"
) -> list[tuple[object, ...]]:
    """Return properties of a partition's events, in the hub's order; what is not there is an empty text."""
    names = {
        "usage": "Function called with Chargeback Data",
        "ignored": "Chargeback record ignored",
        "rejected": "Chargeback record rejected",
    }
    columns = ", ".join(f"{name} = tostring(customDimensions.{name})" for name in properties)
    query = (
        f"customEvents | where name == '{names[table]}' | where tostring(customDimensions.partitionId) == '{partition}'"
        f" | extend number = tolong(customDimensions.sequenceNumber) | sort by number asc | project {columns}"
    )
    return list(insights.store.query(query).rows)


@pytest.mark.parametrize("size", [1, 64, 1000])
def test_every_event_of_a_batch_arrives_once_with_its_place(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str, size: int
) -> None:
    events = numbered([record(f"{partition}-{number}", prompt=number) for number in range(size)], first=5000)
    assert worker.invoke(USAGE, Batch(events, partition=partition)).ok
    found = rows(insights, partition, "recordId", "promptTokens", "sequenceNumber")
    assert found == [(f"{partition}-{number}", str(number), str(5000 + number)) for number in range(size)]


def test_an_empty_body_is_ignored_and_its_neighbours_are_not(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    events = numbered([record("before-empty"), b"", b" \r\n", record("after-empty")])
    assert worker.invoke(USAGE, Batch(events, partition=partition)).ok
    assert rows(insights, partition, "recordId") == [("before-empty",), ("after-empty",)]
    found = rows(insights, partition, "sequenceNumber", "reason", table="ignored")
    assert found == [("1001", "empty body"), ("1002", "empty body")]


def test_a_body_that_is_not_utf_8_is_rejected_and_its_neighbours_are_not(
    worker: WorkerProcess, insights: LocalApplicationInsights, letters: Path, partition: str
) -> None:
    events = numbered([record("before-latin"), b'{"model": "caf\xe9"}', record("after-latin")])
    assert worker.invoke(USAGE, Batch(events, partition=partition)).ok
    assert rows(insights, partition, "recordId") == [("before-latin",), ("after-latin",)]
    [(number, kind, length, path)] = rows(
        insights, partition, "sequenceNumber", "errorType", "bytes", "deadLetter", table="rejected"
    )
    assert (number, kind, length) == ("1001", "NotUtf8", "17")
    [line] = (letters / str(path)).read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["sequenceNumber"] == 1001


def geo_replicated(partition: str) -> Batch:
    """A batch of rubbish from a namespace that is replicated over regions: its offsets are no numbers."""
    events = [replace(event, offset=f"1:{event.sequence_number}:-1:7") for event in numbered([b"x", b"y"])]
    return Batch(events, partition=partition)


def test_an_offset_that_is_no_number_reaches_the_rejection_event(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    assert worker.invoke(USAGE, geo_replicated(partition)).ok
    assert rows(insights, partition, "offset", table="rejected") == [("1:1000:-1:7",), ("1:1001:-1:7",)]


def test_an_offset_that_an_older_host_cannot_tell_is_left_out(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    """It says -1 for every event then, which would be somewhere else in the hub."""
    batch = replace(geo_replicated(partition), without=("OffsetStringArray", "OffsetString"))
    assert worker.invoke(USAGE, batch).ok
    assert rows(insights, partition, "offset", table="rejected") == [("",), ("",)]


def test_an_offset_that_is_a_number_needs_no_newer_host(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    batch = Batch(numbered([b"x"]), partition=partition, without=("OffsetStringArray", "OffsetString"))
    assert worker.invoke(USAGE, batch).ok
    assert rows(insights, partition, "offset", table="rejected") == [("4096",)]


def test_no_offset_at_all_is_left_out(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    batch = Batch(numbered([b"x"]), partition=partition, without=("OffsetStringArray", "OffsetString", "Offset"))
    assert worker.invoke(USAGE, batch).ok
    assert rows(insights, partition, "offset", table="rejected") == [("",)]


def test_the_place_in_the_hub_names_a_record_that_has_no_id(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    """2026-11-20T10:00:00.25Z is 1,795,168,800,250 milliseconds after 1970; the host sends it without a zone."""
    batch = Batch([HubEvent(nameless(4), 77, "0", "2026-11-20T10:00:00.25")], partition=partition)
    assert worker.invoke(USAGE, batch).ok
    identity = f"contoso.servicebus.windows.net/usage/{partition}/77@1795168800250"
    assert rows(insights, partition, "recordId", "enqueuedTime") == [(identity, "2026-11-20T10:00:00.250Z")]


@pytest.mark.parametrize(
    ("enqueued", "read"),
    [
        ("2026-11-20T10:00:00", "2026-11-20T10:00:00.000Z"),
        ("2026-11-20T10:00:00.25Z", "2026-11-20T10:00:00.250Z"),
        ("2026-11-20T10:00:00.1234567", "2026-11-20T10:00:00.123456Z"),
    ],
    ids=["no fraction", "a zone", "seven digits"],
)
def test_a_time_is_read_in_every_form_a_host_may_send(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str, enqueued: str, read: str
) -> None:
    assert worker.invoke(USAGE, Batch([HubEvent(nameless(4), 1, "0", enqueued)], partition=partition)).ok
    assert rows(insights, partition, "enqueuedTime") == [(read,)]


def test_one_of_the_two_partition_contexts_is_enough(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    batch = Batch(numbered([record("one-context")]), partition=partition, without=("PartitionContext",))
    assert worker.invoke(USAGE, batch).ok
    assert rows(insights, partition, "recordId") == [("one-context",)]


def test_without_a_partition_context_the_record_still_arrives(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    missing = ("PartitionContext", "TriggerPartitionContext", "PartitionKeyArray", "OffsetArray", "OffsetStringArray")
    assert worker.invoke(USAGE, Batch(numbered([record(f"no-context-{partition}")]), without=missing)).ok
    query = f"customEvents | where tostring(customDimensions.recordId) == 'no-context-{partition}'"
    [(number, place)] = insights.store.query(
        f"{query} | project tostring(customDimensions.sequenceNumber), tostring(customDimensions.partitionId)"
    ).rows
    assert (number, place) == ("1000", "")


def test_keys_that_only_some_events_have_shift_nothing(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    """The host drops the empty ones, so its array of keys is shorter than the batch."""
    events = numbered([record("k0"), record("k1"), record("k2")])
    keyed = [events[0], replace(events[1], partition_key="tenant-7"), events[2]]
    assert worker.invoke(USAGE, Batch(keyed, partition=partition)).ok
    found = rows(insights, partition, "recordId", "sequenceNumber")
    assert found == [("k0", "1000"), ("k1", "1001"), ("k2", "1002")]


def test_a_batch_that_cannot_be_delivered_fails_and_arrives_when_it_comes_again(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    batch = Batch(numbered([record("again-0"), record("again-1")]), partition=partition)
    insights.faults.switch_on(Fault("status", status=503))
    try:
        failed = worker.invoke(USAGE, batch)
    finally:
        insights.faults.switch_off()
    assert not failed.ok
    assert failed.error.startswith("DeliveryError: ")
    assert rows(insights, partition, "recordId") == []
    assert worker.invoke(USAGE, replace(batch, retries=1)).ok
    assert rows(insights, partition, "recordId") == [("again-0",), ("again-1",)]


@pytest.mark.parametrize(("retries", "given_up"), [(4, False), (5, True)])
def test_the_hosts_count_of_retries_decides_about_items_refused_in_unknown_words(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str, retries: int, given_up: bool
) -> None:
    batch = Batch(numbered([record("odd-0"), record("odd-1")]), partition=partition, retries=retries)
    insights.faults.switch_on(Fault("refuse_items", share=0.5, times=1, item_status=400, message="What?"))
    try:
        assert worker.invoke(USAGE, batch).ok is given_up
    finally:
        insights.faults.switch_off()
    assert len(rows(insights, partition, "recordId", table="rejected")) == given_up


def test_the_gateways_own_log_goes_through_the_second_trigger(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    row = {
        "time": "2026-11-20T10:00:00Z",
        "category": "GatewayLlmLogs",
        "correlationId": "llm-call",
        "properties": {"modelName": "gpt-4o", "promptTokens": 7, "completionTokens": 2, "totalTokens": 9},
    }
    body = json.dumps({"records": [row]}).encode()
    assert worker.invoke(GATEWAY_LOG, Batch(numbered([body]), hub="gateway-log", partition=partition)).ok
    assert rows(insights, partition, "recordId", "recordShape", "promptTokens") == [("llm-call", "llm-log", "7")]


def test_metadata_that_every_host_sends_cannot_be_done_without(worker: WorkerProcess) -> None:
    """Microsoft's decoder fails the batch before our code is asked; the retry policy keeps it."""
    result = worker.invoke(USAGE, Batch(numbered([record("a")]), without=("SystemPropertiesArray",)))
    assert not result.ok
    assert "DeliveryError" not in result.error


def test_what_is_sent_again_keeps_the_identity_and_the_time_that_its_event_brings_along(
    worker: WorkerProcess, insights: LocalApplicationInsights, partition: str
) -> None:
    """Only some events of a batch have application properties, and some of these are of somebody else."""
    again = {"recordId": f"{partition}/again", "enqueuedTime": "2026-11-19T08:00:00.250Z"}
    events = [
        HubEvent(record(f"{partition}-1"), 1),
        HubEvent(nameless(10), 2, properties=again),
        HubEvent(record(f"{partition}-3"), 3, properties={"source": "somebody", "recordId": 5}),
    ]
    assert worker.invoke(USAGE, Batch(events, partition=partition)).ok

    found = rows(insights, partition, "recordId", "eventTime")

    place = "2026-11-20T10:00:00.250Z"
    assert found == [
        (f"{partition}-1", place),
        (f"{partition}/again", "2026-11-19T08:00:00.250Z"),
        (f"{partition}-3", place),
    ]
