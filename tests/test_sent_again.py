"""What is sent to the hub again brings its identity and its time along, as application properties of its event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from chargeback.events import CustomEvent, DeadLetter, Refusal
from chargeback.pipeline import Message, Position, run, sent_again

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def again(message: Message, **properties: object) -> list[CustomEvent]:
    """Take one message with application properties through; return its events."""
    taken: list[CustomEvent] = []

    def deliver(events: Sequence[CustomEvent]) -> Sequence[Refusal]:
        taken.extend(event for event in events if event not in taken)
        return []

    run([sent_again(message, properties)], deliver, lambda *_: "path", lambda: NOON)
    return taken


HERE = Position("contoso", "usage", "3", 9, NOON)
TIMELESS = Message(b'{"promptTokens":1,"completionTokens":2,"requestId":"call-1"}', HERE)


def test_an_identity_that_an_event_brings_along_wins_over_the_records_own() -> None:
    assert [event.properties["recordId"] for event in again(TIMELESS, recordId="contoso/usage/3/4@5")] == [
        "contoso/usage/3/4@5"
    ]


def test_several_records_of_one_body_share_the_identity_and_are_told_apart_by_their_places() -> None:
    body = (
        b'[{"promptTokens":1,"completionTokens":2,"requestId":"a"},{"promptTokens":-1},{"targetService":"AI-Search"}]'
    )

    found = again(Message(body, HERE), recordId="x")

    assert [event.properties["recordId"] for event in found] == ["x/0", "x/1", "x/2"]


@pytest.mark.parametrize("value", ["", "a" * 1025, "a\nb", "a\x1b[2J", 5, None, b"x", ["x"]])
def test_what_is_no_identity_is_as_if_it_were_not_there(value: object) -> None:
    assert [event.properties["recordId"] for event in again(TIMELESS, recordId=value)] == ["call-1"]


def test_a_record_without_a_time_has_the_one_at_which_a_hub_took_it_first() -> None:
    (event,) = again(TIMELESS, enqueuedTime="2026-11-19T08:00:00.250Z")

    assert (event.properties["eventTime"], event.properties["note"]) == ("2026-11-19T08:00:00.250Z", "time-from-hub")
    assert event.properties["enqueuedTime"] == "2026-11-19T08:00:00.250Z"
    assert event.properties["sequenceNumber"] == "9"


@pytest.mark.parametrize(
    "value",
    [
        *("", "yesterday", "2026-11-19T08:00:00", "2100-01-01T00:00:00Z", 1795168807, None),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
def test_what_is_no_earlier_time_is_as_if_it_were_not_there(value: object) -> None:
    (event,) = again(TIMELESS, enqueuedTime=value)

    assert event.properties["eventTime"] == "2026-11-20T12:00:00.000Z"


def test_a_record_that_is_rejected_again_keeps_its_identity_its_first_time_and_its_new_place() -> None:
    kept: list[DeadLetter] = []
    message = sent_again(
        Message(b'{"promptTokens":-1}', HERE), {"recordId": "x", "enqueuedTime": "2026-11-19T08:00:00Z"}
    )

    def keep(first: Position, letters: Sequence[DeadLetter]) -> str:
        kept.extend(letters)
        return f"of {first.sequence_number}"

    outcome = run([message], lambda _: [], keep, lambda: NOON)

    (letter,) = kept
    assert (letter.record_id, letter.position.sequence_number) == ("x", 9)
    assert letter.position.enqueued_time == datetime(2026, 11, 19, 8, 0, tzinfo=UTC)
    assert outcome.lag == timedelta(), "how far behind the function is does not depend on how old a record is"
