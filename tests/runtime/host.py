"""Batches as the Functions host hands them to a Python worker.

The shapes follow the host's and the Event Hubs extension's public sources, for a trigger with `dataType` binary and
cardinality many, and a payload that was once recorded from a real host.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from tests.runtime.messages import Collection, TypedData


@dataclass(frozen=True, slots=True)
class HubEvent:
    """One event as it lies in the hub."""

    body: bytes
    sequence_number: int = 0
    offset: str = "0"
    """A number, or something like `7:128:-1:4` where the namespace is replicated over regions."""
    enqueued: str = "2026-11-20T10:00:00.25"
    """As .NET writes a time without a zone: the fraction's trailing zeros are cut."""
    partition_key: str | None = None
    properties: Mapping[str, object] = field(default_factory=dict)
    """Application properties, as its sender set them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One invocation to be."""

    events: Sequence[HubEvent]
    namespace: str = "contoso.servicebus.windows.net"
    hub: str = "usage"
    partition: str = "3"
    trace_parent: str = ""
    retries: int = 0
    """How often the host has delivered this batch before."""
    without: Sequence[str] = field(default=())
    """Metadata that an older extension, or another host, does not send."""


def numbered(bodies: Sequence[bytes], first: int = 1000) -> list[HubEvent]:
    """Lay bodies one after another into a partition."""
    return [
        HubEvent(body, first + place, str(4096 + 512 * place), f"2026-11-20T10:00:00.{place % 900 + 1:03}")
        for place, body in enumerate(bodies)
    ]


def bodies_of(batch: Batch) -> TypedData:
    """Return the trigger's value."""
    return TypedData("collection_bytes", Collection([event.body for event in batch.events]))


def metadata_of(batch: Batch) -> dict[str, TypedData]:
    """Return the trigger's metadata: the batch's place, and one array per property of its events.

    Arrays of strings lose their empty entries on the way, so keys are not aligned with events.
    """
    events = batch.events
    place = {
        "IsCheckpointingAfterInvocation": True,
        "FullyQualifiedNamespace": batch.namespace,
        "EventHubName": batch.hub,
        "ConsumerGroup": "$Default",
        "PartitionId": batch.partition,
    }
    metadata = {
        "TriggerPartitionContext": _json(place),
        "PartitionContext": _json(place),
        "PartitionKeyArray": _strings([event.partition_key for event in events]),
        "OffsetArray": _strings([str(_number_of(event.offset)) for event in events]),
        "OffsetStringArray": _strings([event.offset for event in events]),
        "SequenceNumberArray": TypedData("collection_sint64", Collection([event.sequence_number for event in events])),
        "EnqueuedTimeUtcArray": _json([event.enqueued for event in events]),
        "PropertiesArray": _json([event.properties for event in events]),
        "SystemPropertiesArray": _json([_system_properties(event, batch.without) for event in events]),
    }
    return {name: value for name, value in metadata.items() if name not in batch.without}


def _system_properties(event: HubEvent, without: Sequence[str]) -> Mapping[str, object]:
    known = {
        "x-opt-sequence-number": event.sequence_number,
        "x-opt-offset": event.offset,
        "x-opt-enqueued-time": f"{event.enqueued}+00:00",
        "SequenceNumber": event.sequence_number,
        "Offset": _number_of(event.offset),
        "OffsetString": event.offset,
        "PartitionKey": event.partition_key,
        "EnqueuedTimeUtc": event.enqueued,
    }
    return {name: value for name, value in known.items() if name not in without}


def _number_of(offset: str) -> int:
    """Return what the host makes of an offset that is no number: -1."""
    return int(offset) if re.fullmatch(r"-?\d+", offset) else -1


def _json(value: object) -> TypedData:
    return TypedData("json", json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def _strings(values: Sequence[str | None]) -> TypedData:
    return TypedData("collection_string", Collection([value for value in values if value]))


def to_line(function: str, batch: Batch) -> bytes:
    """Write an invocation as one line of JSON, for a worker in another process."""
    plain = asdict(batch) | {"events": [asdict(event) | {"body": event.body.hex()} for event in batch.events]}
    return json.dumps({"function": function, "batch": plain}).encode() + b"\n"


def from_line(line: bytes) -> tuple[str, Batch]:
    """Read what `to_line` wrote: the function's name and its batch."""
    parsed = json.loads(line)
    plain = parsed["batch"]
    events = [HubEvent(**event | {"body": bytes.fromhex(event["body"])}) for event in plain["events"]]
    return parsed["function"], Batch(**plain | {"events": events})
