"""A letter read with today's code: under which identity each of its records goes, or why none does."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chargeback.cli.rejected.rereading import Sendable, Unsendable, reread
from chargeback.deadletter import FolderDeadLetter
from chargeback.deadletter.stored import letters_of
from chargeback.deadletter.stored_folder import StoredFolder
from chargeback.events import CustomEvent, DeadLetter, Position, Refusal
from chargeback.pipeline import Message, run
from tests.faults.records import NOON, hub_of
from tests.rejected.letters import DAY, at, letter, stored, usage
from tests.rejected.refused import refuse_all

PLACE = "contoso.servicebus.windows.net/usage/2/7@1795168807000"
"""2026-11-20T10:00:07Z is 1,795,168,807 seconds after 1970."""


def sent(kept: DeadLetter) -> list[Sendable]:
    found = reread(stored(kept))
    assert not isinstance(found, Unsendable), found
    return list(found)


def computed(body: bytes, position: Position) -> list[str]:
    """The identities that the function gives the records of a body today."""
    taken: list[CustomEvent] = []

    def deliver(events: Sequence[CustomEvent]) -> list[Refusal]:
        taken.extend(events)
        return []

    run([Message(body, position)], deliver, lambda *_: "nowhere", lambda: DAY)
    return [event.properties["recordId"] for event in taken]


def test_the_place_is_what_the_function_computes() -> None:
    assert computed(b'{"promptTokens":1,"completionTokens":1}', at(7)) == [PLACE]


def test_a_record_goes_as_it_was_kept_under_the_letters_id() -> None:
    (record,) = sent(letter("call-1", usage("call-1"), at(7)))

    assert (record.record_id, json.loads(record.body)) == ("call-1", json.loads(usage("call-1")))
    assert (record.enqueued_time, record.timeless) == (None, False)


@pytest.mark.parametrize("identity", [PLACE, f"{PLACE}/3"])
def test_a_record_without_an_id_keeps_its_place_and_its_index(identity: str) -> None:
    body = b'{"promptTokens":1,"completionTokens":1,"timestamp":"2026-11-20T10:00:00Z"}'

    assert [record.record_id for record in sent(letter(identity, body, at(7)))] == [identity]


def test_an_id_that_today_is_found_in_a_record_wins_over_its_place() -> None:
    """Such a letter is one that could not be read at all: under its place it would be a call beside its own."""
    (record,) = sent(letter(PLACE, usage("call-1"), at(7), "a bug in reading it"))

    assert record.record_id == "call-1" == computed(usage("call-1"), at(7))[0]


def test_the_letters_id_wins_over_another_in_the_record() -> None:
    (record,) = sent(letter("call-1", usage("call-2"), at(7)))

    assert record.record_id == "call-1"


@pytest.mark.parametrize("identity", ["file/00ff00ff00ff00ff/12", "body/" + "0f" * 32 + "/1"])
def test_an_id_from_a_file_is_but_a_place(identity: str) -> None:
    assert [it.record_id for it in sent(letter(identity, usage("call-1"), Position()))] == ["call-1"]


def test_a_body_of_several_that_was_rejected_whole_goes_record_by_record_as_the_function_would_name_them() -> None:
    records = [
        json.loads(usage("call-1")),
        {"promptTokens": 2, "completionTokens": 1, "timestamp": "2026-11-20T10:00:00Z"},
        {"promptTokens": -2, "completionTokens": 1},
        {"targetService": "AI-Search", "promptTokens": 1},
        {"promptTokens": 3, "completionTokens": 1},
    ]
    body = json.dumps({"records": records}).encode()

    found = sent(letter(PLACE, body, at(7), "more than 10,000 records in one body"))

    assert [record.record_id for record in found] == ["call-1", f"{PLACE}/1", f"{PLACE}/2", f"{PLACE}/4"]
    assert computed(body, at(7)) == ["call-1", f"{PLACE}/1", f"{PLACE}/2", f"{PLACE}/3", f"{PLACE}/4"]
    assert [json.loads(record.body) for record in found] == [records[0], records[1], records[2], records[4]]
    assert [record.enqueued_time for record in found] == [None, None, None, at(7).enqueued_time]


def test_a_record_without_a_time_takes_the_hubs_along() -> None:
    (record,) = sent(letter(PLACE, b'{"promptTokens":1,"completionTokens":1}', at(7)))

    assert record.enqueued_time == datetime(2026, 11, 20, 10, 0, 7, tzinfo=UTC)
    assert not record.timeless


def test_a_record_without_a_time_from_no_hub_is_known_to_be_timeless() -> None:
    (record,) = sent(letter("file/00ff00ff00ff00ff/12", b'{"promptTokens":1,"completionTokens":1}', Position()))

    assert (record.enqueued_time, record.timeless) == (None, True)


@pytest.mark.parametrize(
    ("body", "outcome", "reason"),
    [
        (b"no json", "not replayable", "no known token counts in it"),
        (b'{"promptTokens":-1}', "still rejected", "promptTokens is not a whole number from 0 to 10^12"),
        (b'"text"', "still rejected", "not a JSON object"),
        (b'{"targetService":"AI-Search","promptTokens":1}', "ignored now", "AI Search call"),
        (b"[]", "ignored now", "no records in the body"),
    ],
)
def test_what_cannot_be_sent_says_why(body: bytes, outcome: str, reason: str) -> None:
    assert reread(stored(letter(PLACE, body, at(7)))) == Unsendable(outcome, reason)


def test_whatever_was_refused_tells_the_same_once_it_is_sent_again(tmp_path: Path) -> None:
    """Records of every shape, alone and several in a body: identity, consumer, counts, time and all else."""
    messages, ledger = hub_of(1000)
    refused = refuse_all(messages, FolderDeadLetter(tmp_path).keep, 53)
    assert refused.keys() == ledger.billed.keys()

    again = {record.record_id: told_of(record) for record in sendable(tmp_path)}

    assert again.keys() == refused.keys()
    for identity, event in refused.items():
        assert lasting(again[identity]) == lasting(event), identity


def sendable(folder: Path) -> Iterator[Sendable]:
    place = StoredFolder(folder)
    for file in place.files():
        content = place.read(file.path)
        assert content is not None
        for kept in letters_of(content.text)[0]:
            if not isinstance(found := reread(kept), Unsendable):
                yield from found


def told_of(record: Sendable) -> CustomEvent:
    """What the function tells of a record that it takes again, much later, at another place of the hub."""
    taken: list[CustomEvent] = []

    def deliver(events: Sequence[CustomEvent]) -> list[Refusal]:
        taken.extend(events)
        return []

    again = record.enqueued_time or NOON
    run([Message(record.body, Position("x", "y", "9", 1, again))], deliver, lambda *_: "nowhere", lambda: NOON)
    (event,) = taken
    return event


def lasting(event: CustomEvent) -> tuple[object, ...]:
    """What may not change: all but the place. The identity travels beside the record, and is compared by itself."""
    place = ("recordId", "partitionId", "sequenceNumber", "enqueuedTime")
    told = {name: value for name, value in event.properties.items() if name not in place}
    return event.name, event.time, event.operation_id, told
