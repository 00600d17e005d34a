"""Records of policies in the wild, line by line, against outcomes worked out by hand (tests/data/wild/)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.events import Position, usage_event
from chargeback.records import Ignored, Reading, Rejected
from chargeback.shapes import read

WILD = Path(__file__).parent / "data" / "wild"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
IDENTITY = {"recordId", "appSubscriptionKey", "eventTimeAdjusted"}
UNKNOWN_TIME = "time-unknown"

EXPECTED: dict[str, list[list[dict[str, object]]]] = json.loads((WILD / "expected.json").read_text())


def bodies(name: str) -> list[bytes]:
    """Return the bodies as they would stand on a hub."""
    lines = [json.loads(line) for line in (WILD / name).read_text().splitlines()]
    return [(line["raw"] if "raw" in line else json.dumps(line["record"])).encode() for line in lines]


def described(reading: Reading) -> dict[str, object]:
    """Return what the function would say of a record, in the words of expected.json."""
    if isinstance(reading, Rejected):
        return {"outcome": "rejected", "recordShape": reading.shape, "reason": reading.reason}
    if isinstance(reading, Ignored):
        return {"outcome": "ignored", "recordShape": reading.shape, "reason": reading.reason}
    properties = usage_event(reading, "id", Position(), NOW).properties
    return {"outcome": "usage", **{name: value for name, value in properties.items() if name not in IDENTITY}}


def as_properties(expected: dict[str, object]) -> dict[str, object]:
    """Write an expectation as custom dimensions: text, booleans in lower case."""
    written: dict[str, object] = {
        name: str(value).lower() if isinstance(value, bool) else str(value) for name, value in expected.items()
    }
    if expected["outcome"] == "usage":
        written.setdefault("consumerType", "unknown")
        if "eventTime" not in expected:
            written["note"] = UNKNOWN_TIME
    return written


CASES = [
    pytest.param(body, expected, id=f"{name}:{line}")
    for name, outcomes in EXPECTED.items()
    for line, (body, expected) in enumerate(zip(bodies(name), outcomes, strict=True), start=1)
]


@pytest.mark.parametrize(("body", "expected"), CASES)
def test_every_wild_record_becomes_what_was_worked_out_by_hand(body: bytes, expected: list[dict[str, object]]) -> None:
    assert [described(reading) for reading in read(body)] == [as_properties(one) for one in expected]
