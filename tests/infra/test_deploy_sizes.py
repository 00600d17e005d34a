"""The bytes and limits of docs/deploy.md, measured again: a record of the policy, and a row of the gateway's log."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime

import orjson
import pytest

from chargeback import pipeline
from chargeback.delivery.envelope import Sealer, chunks
from chargeback.events import CustomEvent, DeadLetter, Refusal
from chargeback.pipeline import Message, Position
from chargeback.settings import Ingestion
from tests.bench.records import bodies
from tests.infra.deployed import ROOT

PAGE = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
OTHER_COLUMNS = 350
"""Of AppEvents: the event's name, trace, three keys of the resource, role, instance, version, place and time."""
ROW = {
    "time": "2026-11-20T10:00:00.1234567Z",
    "category": "GatewayLlmLogs",
    "correlationId": "0c9a4b76-5e5f-4c87-9b2d-000000000000",
    "properties": {
        "modelName": "gpt-4o-2024-11-20",
        "deploymentName": "gpt-4o",
        "promptTokens": 1200,
        "promptCachedTokens": 1024,
        "completionTokens": 300,
        "totalTokens": 1500,
        "isStreamCompletion": False,
    },
}


def record() -> bytes:
    """Return a record of the policy, a second old."""
    return json.dumps(
        json.loads(bodies(1)[0]) | {"timestamp": "2026-11-20T09:59:59.123Z"}, separators=(",", ":")
    ).encode()


def event_of(body: bytes) -> CustomEvent:
    """Return the event of one body, at a place on a hub that has seen a million of them."""
    sent: list[CustomEvent] = []

    def deliver(events: Sequence[CustomEvent]) -> list[Refusal]:
        sent.extend(events)
        return []

    def keep(_where: Position, letters: Sequence[DeadLetter]) -> str:
        raise AssertionError(letters)

    where = Position("chargeback-abcdefghijklm.servicebus.windows.net", "chargeback", "3", 1_234_567, NOW, "1")
    pipeline.run([Message(body, where)], deliver, keep, lambda: NOW)
    (event,) = sent
    return event


def told(row: str) -> tuple[float, int]:
    """Return the kilobytes of an event that the page counts with, and the bytes of its properties that it tells."""
    ((kilobytes, measured),) = re.findall(rf"(?m)^\| {row} \| ([\d.]+) KB \|.* have ([\d,]+) bytes", PAGE)
    return float(kilobytes), int(measured.replace(",", ""))


def test_a_record_has_as_many_bytes_as_the_page_says() -> None:
    assert f"| a record | {len(record())} bytes on the hub |" in PAGE
    assert len(record()) < 1000, "so that a throughput unit is used up by events before it is by bytes"


@pytest.mark.parametrize(
    ("row", "body"),
    [("a usage event", record()), ("an event of the log", json.dumps({"records": [ROW]}).encode())],
    ids=["usage", "log"],
)
def test_an_event_has_as_many_bytes_as_the_page_says_and_room_for_its_other_columns(row: str, body: bytes) -> None:
    kilobytes, measured = told(row)
    assert len(orjson.dumps(event_of(body).properties)) == measured
    assert measured + OTHER_COLUMNS < kilobytes * 1000 < 1.2 * (measured + OTHER_COLUMNS)
    assert f"about {OTHER_COLUMNS} for the other columns" in PAGE


def test_a_whole_batch_is_two_posts() -> None:
    sealer = Sealer(
        Ingestion("0" * 36, "https://westeurope-5.in.applicationinsights.azure.com"), "chargeback", "0" * 40
    )
    items, refused = sealer.seal([event_of(record())] * 1000)
    assert (len(list(chunks(items))), refused) == (2, [])
    assert "a thousand of our events are two POSTs" in PAGE
