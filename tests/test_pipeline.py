"""What happens to a batch, with lists in the place of the service and the storage."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from chargeback import pipeline
from chargeback.errors import AllRefusedError, DeadLetterError, DeliveryError
from chargeback.events import CustomEvent, DeadLetter, Refusal
from chargeback.pipeline import Message, Position, run

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
GOOD = {"schema": "chargeback.usage/1", "requestId": "r-1", "promptTokens": 10, "completionTokens": 2}


@dataclass
class Ends:
    """Both ends of the pipeline, and the order in which they were reached."""

    refuse: dict[str, str] = field(default_factory=dict)
    """recordId of a usage event -> the service's words."""
    refuse_rejections: bool = False
    steps: list[str] = field(default_factory=list)
    events: list[CustomEvent] = field(default_factory=list)
    letters: list[DeadLetter] = field(default_factory=list)

    def deliver(self, events: Sequence[CustomEvent]) -> list[Refusal]:
        self.steps.append("deliver")
        refusals = []
        for index, event in enumerate(events):
            rejection = event.name == "Chargeback record rejected"
            words = self.refuse.get(event.properties["recordId"]) if not rejection else None
            if rejection and self.refuse_rejections:
                words = "Telemetry sampled out."
            if words is None:
                self.events.append(event)
            else:
                refusals.append(Refusal(index, 400, words))
        return refusals

    def keep(self, first: Position, letters: Sequence[DeadLetter]) -> str:
        self.steps.append("keep")
        self.letters += letters
        return f"rejected/{first.sequence_number}.jsonl"


def messages(*bodies: object) -> list[Message]:
    return [
        Message(
            body if isinstance(body, bytes) else json.dumps(body).encode(),
            Position("ns", "hub", "0", 100 + index, NOW - timedelta(seconds=9 - index), str(index)),
        )
        for index, body in enumerate(bodies)
    ]


def go(ends: Ends, *bodies: object) -> pipeline.Outcome:
    return run(messages(*bodies), ends.deliver, ends.keep, lambda: NOW)


def test_a_batch_of_usage_is_delivered_and_nothing_is_kept() -> None:
    ends = Ends()
    outcome = go(ends, GOOD, GOOD | {"requestId": "r-2"})
    assert [event.properties["recordId"] for event in ends.events] == ["r-1", "r-2"]
    assert ends.steps == ["deliver"]
    assert outcome.records == {("usage", "usage/1"): 2}
    assert outcome.tokens == {"prompt": 20, "completion": 4}
    assert outcome.lag == timedelta(seconds=9)


def test_an_empty_batch_reaches_nobody() -> None:
    ends = Ends()
    assert go(ends) == pipeline.Outcome()
    assert ends.steps == []


def test_a_bad_record_is_stored_before_anything_is_delivered_and_costs_no_other() -> None:
    ends = Ends()
    outcome = go(ends, GOOD, b"rubbish", b"")
    assert ends.steps == ["keep", "deliver"]
    assert [event.name for event in ends.events] == [
        "Function called with Chargeback Data",
        "Chargeback record rejected",
        "Chargeback record ignored",
    ]
    (letter,) = ends.letters
    assert (letter.record_id, letter.reason, letter.body) == ("ns/hub/0/101@1795175992000", "not JSON", b"rubbish")
    assert (letter.original_bytes, letter.position.sequence_number) == (7, 101)
    assert ends.events[1].properties["deadLetter"] == "rejected/100.jsonl"
    assert outcome.records == {("usage", "usage/1"): 1, ("rejected", "unknown"): 1, ("ignored", "unknown"): 1}


def test_of_several_records_in_a_body_the_bad_one_alone_is_kept() -> None:
    ends = Ends()
    go(ends, [{"promptTokens": 1}, {"promptTokens": -1}, {"promptTokens": 3}])
    (letter,) = ends.letters
    assert letter.body == b'{"promptTokens":-1}'
    assert letter.record_id.endswith("/1")
    assert [event.properties["recordId"][-2:] for event in ends.events] == ["/0", "/1", "/2"]


def test_what_the_service_refuses_for_good_is_kept_with_its_words_and_told_of() -> None:
    ends = Ends(refuse={"r-2": "103: Field 'time' is older"})
    outcome = go(ends, GOOD, GOOD | {"requestId": "r-2"})
    assert ends.steps == ["deliver", "keep", "deliver"]
    (letter,) = ends.letters
    assert (letter.record_id, letter.error_type) == ("r-2", "Refused:400")
    assert letter.reason == "refused by Application Insights: 103: Field 'time' is older"
    assert json.loads(letter.body)["requestId"] == "r-2"
    assert ends.events[-1].name == "Chargeback record rejected"
    assert outcome.records == {("usage", "usage/1"): 1, ("refused", "usage/1"): 1}
    assert outcome.tokens == {"prompt": 10, "completion": 2}, "refused tokens are not counted as delivered"


def test_a_refused_record_out_of_several_is_kept_alone() -> None:
    ends = Ends(refuse={"r-2": "no"})
    go(ends, [GOOD, GOOD | {"requestId": "r-2"}])
    (letter,) = ends.letters
    assert json.loads(letter.body)["requestId"] == "r-2"


def test_a_body_of_many_refused_records_takes_linear_time() -> None:
    """Each letter holds the whole body's hash: taken anew for each of 1,000 it would be sixteen times that of 250."""
    spent = {}
    for size in (250, 1000):
        (message,) = messages([GOOD | {"requestId": f"r-{number}", "note": "n" * 900} for number in range(size)])
        ends = Ends(refuse={f"r-{number}": "no" for number in range(size)})
        started = time.process_time()
        run([message], ends.deliver, ends.keep, lambda: NOW)
        spent[size] = time.process_time() - started
        assert {letter.original_sha256 for letter in ends.letters} == {hashlib.sha256(message.body).hexdigest()}
        assert [letter.record_id for letter in ends.letters] == [f"r-{number}" for number in range(size)]
    assert spent[1000] < 10 * spent[250]


def test_a_rejection_event_that_is_refused_too_does_not_block(caplog: pytest.LogCaptureFixture) -> None:
    ends = Ends(refuse={"r-1": "no"}, refuse_rejections=True)
    with caplog.at_level(logging.ERROR):
        go(ends, GOOD)
    assert [letter.record_id for letter in ends.letters] == ["r-1"]
    assert "the service refused even the rejection event" in caplog.text


@pytest.mark.parametrize("others", [1, 0])
def test_rejection_events_that_are_refused_in_unknown_words_do_not_block_unless_nothing_is_accepted(
    others: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Alone in its POST such an event would raise for ever, and the batch's good events be stored each time."""

    class Service(Ends):
        def deliver(self, events: Sequence[CustomEvent]) -> list[Refusal]:
            if all(event.name == "Chargeback record rejected" for event in events):
                raise AllRefusedError("all events are refused: we do not like it")
            return super().deliver(events)

    ends = Service(refuse={"r-1": "no"})
    sources = [GOOD, *[GOOD | {"requestId": "r-2"}] * others]
    if others:
        go(ends, *sources)
        assert "the service refused even the rejection event" in caplog.text
    else:
        with pytest.raises(AllRefusedError):
            go(ends, *sources)
    assert [letter.record_id for letter in ends.letters] == ["r-1"]


def test_a_request_id_of_any_length_identifies_and_can_be_told_of() -> None:
    ends = Ends()
    go(ends, GOOD | {"requestId": "x" * 9000}, GOOD | {"requestId": "x" * 9001}, GOOD | {"requestId": "x" * 9000})
    first, second, again = (event.properties["recordId"] for event in ends.events)
    assert first == again != second
    assert first == f"request/{hashlib.sha256(b'x' * 9000).hexdigest()}"


def test_a_sink_that_is_down_raises() -> None:
    def down(_: Sequence[CustomEvent]) -> list[Refusal]:
        raise DeliveryError("down")

    with pytest.raises(DeliveryError):
        run(messages(GOOD), down, Ends().keep, lambda: NOW)


def test_storage_that_is_down_raises_before_anything_is_delivered() -> None:
    ends = Ends()

    def down(_: Position, __: Sequence[DeadLetter]) -> str:
        raise DeadLetterError("down")

    with pytest.raises(DeadLetterError):
        run(messages(GOOD, b"rubbish"), ends.deliver, down, lambda: NOW)
    assert ends.steps == []


def test_two_rejected_records_of_one_id_are_both_kept() -> None:
    ends = Ends()
    bad = GOOD | {"promptTokens": -1}
    go(ends, [bad, bad | {"completionTokens": 7}], bad)
    assert [json.loads(letter.body)["completionTokens"] for letter in ends.letters] == [2, 7, 2]
    assert {letter.record_id for letter in ends.letters} == {"r-1"}


class Broken(bytes):
    """A body on which our own code stumbles, as a bug would make it."""

    def startswith(self, *_: object) -> bool:
        """Fail, quoting the body, as exceptions do."""
        raise KeyError(bytes(self))


def test_a_bug_in_reading_costs_one_record_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    ends = Ends()
    with caplog.at_level(logging.DEBUG):
        outcome = go(ends, GOOD, Broken(b"the caller's secret"))
    assert outcome.records == {("usage", "usage/1"): 1, ("rejected", "unknown"): 1}
    (letter,) = ends.letters
    assert (letter.reason, letter.error_type) == ("a bug in reading it", "Bug:KeyError")
    assert "KeyError at startswith" in caplog.text
    assert "secret" not in caplog.text


def test_the_same_batch_gives_the_same_identities_again() -> None:
    first, again = Ends(), Ends()
    bodies = (GOOD, b"rubbish", {"promptTokens": 5}, [{"promptTokens": 1}, {"promptTokens": 2}])
    go(first, *bodies)
    go(again, *bodies)
    ids = [event.properties["recordId"] for event in first.events]
    assert ids == [event.properties["recordId"] for event in again.events]
    assert len(set(ids)) == 5


def test_a_record_that_is_nested_too_deeply_costs_no_other_and_no_time() -> None:
    """The JSON library reads deeper nesting than it writes."""
    deep = b'{"promptTokens": -1, "x": ' + b"[" * 500 + b"]" * 500 + b"}"
    ends = Ends(refuse={"ns/hub/0/100@1795175991000/1": "no"})
    outcome = go(ends, b'[{"promptTokens": 1}, ' + deep.replace(b"-1", b"1") + b", " + deep + b"]")
    assert outcome.records == {("usage", "flat"): 1, ("refused", "flat"): 1, ("rejected", "flat"): 1}
    assert [letter.error_type for letter in ends.letters] == ["InvalidCount", "Refused:400"]


class Timeless(datetime):
    """A present that cannot be compared, so that mapping fails where reading does not."""

    def __sub__(self, _: object) -> timedelta:  # type: ignore[override]  # it only ever fails
        raise TypeError


def test_a_bug_in_mapping_is_fenced_like_one_in_reading() -> None:
    """It would block the partition for ever."""
    (entry,) = pipeline._fenced(
        messages(GOOD | {"timestamp": "2026-11-20T10:00:00.123Z"})[0], Timeless(2026, 11, 20), "x"
    )
    assert isinstance(entry.told, DeadLetter)
    assert entry.told.error_type == "Bug:TypeError"
