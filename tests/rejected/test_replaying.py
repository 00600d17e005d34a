"""A replay behind its ports: what is sent, in which order, what is marked and when, whatever breaks in between."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.order import in_order
from chargeback.cli.rejected.replaying import GROUP, Replay
from chargeback.deadletter.stored import Content, File, letters_of, marks_of
from chargeback.deadletter.stored_folder import StoredFolder
from chargeback.errors import ChargebackError, DeadLetterError
from tests.rejected.letters import DAY, Notes, at, keep, letter, stored, usage

ALL = Choice()


@dataclass(slots=True)
class Watched:
    """A folder that remembers what is settled, and may refuse marks."""

    folder: StoredFolder
    settled: list[str] = field(default_factory=list)
    marks_left: int = 10**9
    """Writes of marks after which there is no more room."""

    @property
    def where(self) -> str:
        return self.folder.where

    def check(self) -> None:
        self.folder.check()

    def files(self) -> list[File]:
        return self.folder.files()

    def read(self, path: str) -> Content | None:
        found = self.folder.read(path)
        return found._replace(settled=path in self.settled) if found else None

    def marks(self, path: str) -> bytes:
        return self.folder.marks(path)

    def mark(self, path: str, marks: Sequence[bytes]) -> None:
        if self.marks_left <= 0:
            raise DeadLetterError("there is no room for marks")
        self.marks_left -= 1
        self.folder.mark(path, marks)

    def settle(self, path: str, content: Content) -> bool:
        assert letters_of(content.text)[0]
        self.settled.append(path)
        return True


@pytest.fixture
def place(tmp_path: Path) -> Watched:
    return Watched(StoredFolder(tmp_path))


def fill(folder: Path, count: int, a_file: int = 10, partition: str = "2") -> list[str]:
    """Keep readable letters, some in each file; return their ids in order."""
    numbers = range(1, count + 1)
    for start in range(0, count, a_file):
        batch = [
            letter(f"{partition}-{it}", usage(f"{partition}-{it}", it), at(it, partition))
            for it in numbers[start : start + a_file]
        ]
        keep(folder, *batch)
    return [f"{partition}-{number}" for number in numbers]


def replay(place: Watched, notes: Notes, choice: Choice = ALL, again: bool = False) -> Replay:
    made = Replay(place, choice, notes.send, again)
    made.run()
    return made


def outcomes(done: Replay) -> dict[str, int]:
    return {outcome: number for (outcome, _), number in done.tally.outcomes.items()}


def test_everything_is_sent_in_order_marked_and_settled(place: Watched, tmp_path: Path) -> None:
    wanted = fill(tmp_path, 120) + fill(tmp_path, 25, partition="3")
    notes = Notes()

    done = replay(place, notes)

    assert notes.ids == wanted
    assert outcomes(done) == {"sent": 145}
    assert len(place.settled) == 15
    assert all(len(marks_of(place.marks(path))) in (5, 10) for path in place.settled)


def test_a_second_run_sends_nothing(place: Watched, tmp_path: Path) -> None:
    fill(tmp_path, 30)
    replay(place, Notes())
    notes = Notes()

    done = replay(place, notes)

    assert (notes.sent, outcomes(done)) == ([], {"sent before": 30})
    assert len(place.settled) == 3, "what is settled is not written once more"


def test_what_is_marked_in_a_later_file_alone_is_not_sent_of_an_earlier_one(place: Watched, tmp_path: Path) -> None:
    twice = letter("call-2", usage("call-2"), at(2))
    keep(tmp_path, letter("call-1", usage("call-1"), at(1)), twice)
    later = keep(tmp_path, twice).relative_to(tmp_path).as_posix()
    place.mark(later, [stored(twice).mark])
    notes = Notes()

    replay(place, notes)

    assert notes.ids == ["call-1"]


def test_again_sends_them_under_the_same_identities(place: Watched, tmp_path: Path) -> None:
    fill(tmp_path, 30)
    first, second = Notes(), Notes()
    replay(place, first)

    replay(place, second, again=True)

    assert first.sent == second.sent


def test_a_dry_run_sends_and_marks_nothing(place: Watched, tmp_path: Path) -> None:
    fill(tmp_path, 30)
    keep(tmp_path, letter("bad", b"no json", at(99)))
    before = {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()}
    done = Replay(place, Choice(), None)

    done.run()

    assert outcomes(done) == {"would be sent": 30, "not replayable": 1}
    assert {file: file.read_bytes() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert place.settled == []


@pytest.mark.parametrize(
    "body", [b"no json", b'{"promptTokens":-1}', b'{"targetService":"AI-Search","promptTokens":1}']
)
def test_a_file_with_a_line_that_was_not_sent_is_never_settled(place: Watched, tmp_path: Path, body: bytes) -> None:
    keep(tmp_path, letter("good", usage("good"), at(1)), letter("bad", body, at(2)))
    notes = Notes()

    done = replay(place, notes)
    replay(place, notes)

    assert notes.ids == ["good"]
    assert done.tally.kept_back == 1
    assert [identity for identity, _, _ in done.tally.left] == ["bad"]
    assert place.settled == []


def test_a_file_with_a_torn_line_is_never_settled(place: Watched, tmp_path: Path) -> None:
    file = keep(tmp_path, letter("good", usage("good"), at(1)))
    file.write_bytes(file.read_bytes() + b'{"id": "torn')

    done = replay(place, Notes())

    assert (outcomes(done), done.tally.torn, place.settled) == ({"sent": 1}, 1, [])


def test_a_file_that_the_choice_takes_half_of_is_not_settled_until_the_other_half_is_sent(
    place: Watched, tmp_path: Path
) -> None:
    keep(tmp_path, letter("one", usage("one"), at(1)), letter("two", usage("two"), at(2)))

    replay(place, Notes(), Choice(ids=frozenset({"one"})))
    assert place.settled == []
    replay(place, Notes(), Choice(ids=frozenset({"two"})))

    assert len(place.settled) == 1


def test_a_letter_that_stands_in_two_files_is_sent_once_and_marked_in_both(place: Watched, tmp_path: Path) -> None:
    """After a rebalance the other instance cuts batches differently."""
    letters = [letter(f"call-{number}", usage(f"call-{number}"), at(number)) for number in range(1, 5)]
    keep(tmp_path, *letters[:3])
    keep(tmp_path, *letters[1:])
    notes = Notes()

    done = replay(place, notes)

    assert notes.ids == ["call-1", "call-2", "call-3", "call-4"]
    assert outcomes(done) == {"sent": 4}
    assert sorted(len(marks_of(place.marks(path))) for path in place.settled) == [3, 3]


def test_a_record_that_was_rejected_again_after_it_was_sent_is_sent_again(place: Watched, tmp_path: Path) -> None:
    keep(tmp_path, letter("call-1", usage("call-1"), at(1)))
    replay(place, Notes())
    keep(tmp_path, letter("call-1", usage("call-1"), at(500)))
    notes = Notes()

    done = replay(place, notes)

    assert notes.ids == ["call-1"]
    assert outcomes(done) == {"sent before": 1, "sent": 1}


def test_two_records_of_one_id_are_both_sent(place: Watched, tmp_path: Path) -> None:
    keep(tmp_path, letter("call-1", usage("call-1", 1), at(1)), letter("call-1", usage("call-1", 2), at(2)))
    notes = Notes()

    replay(place, notes)

    assert notes.ids == ["call-1", "call-1"]


@pytest.mark.parametrize("fails_after", [0, 1, 2])
def test_what_the_hub_did_not_acknowledge_is_not_marked(place: Watched, tmp_path: Path, fails_after: int) -> None:
    wanted = fill(tmp_path, 3 * GROUP, a_file=3 * GROUP)
    notes, rest = Notes(fails_after=fails_after), Notes()

    with pytest.raises(ChargebackError, match="the hub does not answer"):
        replay(place, notes)
    (file,) = place.files()
    assert len(marks_of(place.marks(file.path))) == len(notes.sent) == fails_after * GROUP
    assert place.settled == []
    replay(place, rest)

    assert notes.ids + rest.ids == wanted
    assert len(place.settled) == 1


@pytest.mark.parametrize("marks_left", [0, 1, 2])
def test_what_could_not_be_marked_is_sent_again(place: Watched, tmp_path: Path, marks_left: int) -> None:
    wanted = fill(tmp_path, 3 * GROUP, a_file=3 * GROUP)
    notes, rest = Notes(), Notes()
    place.marks_left = marks_left

    with pytest.raises(DeadLetterError, match="no room for marks"):
        replay(place, notes)
    place.marks_left = 100
    replay(place, rest)

    assert notes.ids == wanted[: (marks_left + 1) * GROUP]
    assert rest.ids == wanted[marks_left * GROUP :]


def test_a_record_that_is_too_large_is_told_and_the_others_go_on(place: Watched, tmp_path: Path) -> None:
    fill(tmp_path, 20)

    done = replay(place, Notes(too_large=frozenset({"2-3"})))

    assert outcomes(done) == {"sent": 19, "not sent": 1}
    assert done.tally.left[0][:2] == ("2-3", "not sent: larger than the hub takes")
    assert len(place.settled) == 1


def test_what_another_operator_sent_meanwhile_is_not_sent_again(place: Watched, tmp_path: Path) -> None:
    fill(tmp_path, 2 * GROUP, a_file=GROUP)
    for file in place.files():
        place.mark(file.path, [])  # their file of marks is there, and empty, as this run begins
    notes, other = Notes(), Notes()
    notes.before = lambda: None if other.sent else replay(place, other)

    done = replay(place, notes)

    assert len(other.sent) == 2 * GROUP
    assert notes.ids == [f"2-{number}" for number in range(1, GROUP + 1)], "which was read before the other began"
    assert outcomes(done) == {"sent": GROUP, "sent before": GROUP}


@pytest.mark.parametrize(
    ("choice", "ids"),
    [
        (Choice(reasons=("known token",)), ["a"]),
        (Choice(reasons=("not a whole number", "bug in")), ["b", "c"]),
        (Choice(since=DAY + timedelta(seconds=2)), ["b", "c"]),
        (Choice(since=DAY + timedelta(seconds=2), reasons=("bug",)), ["c"]),
        (Choice(ids=frozenset({"a", "c"})), ["a", "c"]),
        (Choice(since=datetime(2100, 1, 1, tzinfo=UTC)), []),
    ],
)
def test_the_choice_is_kept_to(place: Watched, tmp_path: Path, choice: Choice, ids: list[str]) -> None:
    reasons = (
        "no known token counts in it",
        "promptTokens is not a whole number from 0 to 10^12",
        "a bug in reading it",
    )
    places = zip("abc", (1, 2, 3), reasons, strict=True)
    keep(tmp_path, *(letter(name, usage(name), at(number), reason) for name, number, reason in places))
    notes = Notes()

    replay(place, notes, choice)

    assert notes.ids == ids


def test_files_come_in_the_order_of_the_hub() -> None:
    names = [
        "rejected/file/00ff00ff00ff00ff/1001.jsonl",
        "rejected/2026/11/19/contoso/usage/2-900.jsonl",
        "rejected/2026/11/19/contoso/usage/2-1000.jsonl",
        "rejected/2026/11/20/contoso/usage/2-7.jsonl",
        "rejected/2026/11/20/contoso/usage/3-8.jsonl",
    ]
    for order in itertools.permutations(names):
        assert [file.path for file in in_order([File(name, DAY, False) for name in order])] == names


def test_letters_are_the_same_whatever_words_the_service_chose() -> None:
    """A refused record may be kept twice, with other words; it is sent once."""
    kept = letter("call-1", usage("call-1"), at(1), "refused by Application Insights: a")

    assert stored(kept).mark == stored(replace(kept, reason="refused by Application Insights: b")).mark
