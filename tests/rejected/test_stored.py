"""What is read back of dead letters, and what marks them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from chargeback.deadletter.lines import line_of
from chargeback.deadletter.stored import letter_of, letters_of, marks_of, written_marks
from chargeback.deadletter.stored_folder import StoredFolder
from tests.rejected.letters import at, keep, letter, stored, usage
from tests.test_cli_main import command


def test_a_line_is_read_back_as_it_was_kept() -> None:
    found = stored(letter("call-1", b'{"promptTokens":-1,"prompt":"hello"}', at(7)))

    assert (found.record_id, found.shape, found.replayable) == ("call-1", "unknown", True)
    assert found.reason == "no known token counts in it"
    assert found.position == at(7)
    assert found.body == {"promptTokens": -1, "prompt": "<removed 5 characters>"}
    assert found.fields["errorType"] == "UnknownShape"


def test_letters_come_by_partition_and_number_and_other_lines_are_counted() -> None:
    lines = [
        line_of(letter(f"call-{number}", b"{}", at(number, partition)))
        for partition, number in [("2", 9), ("10", 4), ("2", 11), ("2", 2)]
    ]  # fmt: skip  (a list of places)
    text = b"".join(lines[:2]) + b'{"id": "torn\n' + b"".join(lines[2:]) + b"[1]\n" + b'{"id": 5, "body": {}}\n\n'

    letters, torn = letters_of(text)

    assert [(it.position.partition_id, it.position.sequence_number) for it in letters] == [
        *(("10", 4), ("2", 2), ("2", 9), ("2", 11))
    ]
    assert torn == 3


@pytest.mark.parametrize("line", [b"", b"null", b"[]", b'"x"', b"{", b'{"id": null, "body": 1}', b'{"id": "a"}'])
def test_what_is_no_dead_letter_is_none(line: bytes) -> None:
    assert letter_of(line) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"partitionId": 3},
        {"sequenceNumber": "7"},
        {"enqueuedTime": "yesterday"},
        {"enqueuedTime": 5},
        {"reason": None},
        {"replayable": "yes"},
        {"namespace": None},
    ],
)
def test_a_line_that_somebody_spoiled_is_read_as_far_as_it_goes(changes: dict[str, object]) -> None:
    spoiled = json.loads(line_of(letter("call-1", b"{}", at(7)))) | changes

    found = letter_of(json.dumps(spoiled).encode())

    assert found is not None
    assert found.record_id == "call-1"
    assert found.replayable is ("replayable" not in changes)


def test_a_line_that_is_nested_deeper_than_any_that_was_kept_is_none() -> None:
    deep = b'{"id": "a", "replayable": true, "body": ' + b"[" * 300 + b"]" * 300 + b"}"
    whole = line_of(letter("call-1", b"{}", at(7)))
    (found,), torn = letters_of(deep + b"\n" + whole)
    assert (found.record_id, torn) == ("call-1", 1)


def test_a_mark_tells_apart_two_records_of_one_id_and_two_places_of_one_record() -> None:
    first = letter("call-1", b'{"promptTokens":-1}', at(7))
    others = [
        replace(first, record_id="call-2"),
        letter("call-1", b'{"promptTokens":-2}', at(7)),
        replace(first, position=at(8)),
        replace(first, position=at(7, "3")),
    ]

    marks = {stored(it).mark for it in [first, *others]}

    assert len(marks) == 5
    assert stored(first).mark == stored(replace(first, reason="in other words")).mark


def test_a_mark_is_what_the_contract_says() -> None:
    body = b'{"promptTokens":-1}'
    parts = ["call-1", hashlib.sha256(body).hexdigest(), {"promptTokens": -1}]
    place = ["contoso.servicebus.windows.net", "usage", "2", 7]
    array = json.dumps([*parts, *place], separators=(",", ":")).encode()

    assert stored(letter("call-1", body, at(7))).mark == hashlib.sha256(array).digest()


def test_a_mark_that_was_torn_marks_nothing_and_spoils_none_after_it() -> None:
    first, second, third = (stored(letter(f"call-{number}", b"{}", at(number))).mark for number in range(3))

    text = written_marks([first]) + written_marks([second])[:40] + written_marks([third])

    assert marks_of(text) == {first, third}


def test_a_folder_gives_its_files_and_keeps_marks_beside_them(tmp_path: Path) -> None:
    file = keep(tmp_path, letter("call-1", usage("call-1"), at(1)), letter("call-2", usage("call-2"), at(2)))
    place = StoredFolder(tmp_path)
    (found,) = place.files()
    mark = stored(letter("call-1", usage("call-1"), at(1))).mark

    place.mark(found.path, [mark])
    place.mark(found.path, [mark])

    assert found.path == file.relative_to(tmp_path).as_posix()
    assert (found.marked, place.files()[0].marked) == (False, True)
    assert marks_of(place.marks(found.path)) == {mark}
    assert file.with_name(file.name + ".replayed").read_text().split() == [mark.hex()] * 2
    assert len(place.files()) == 1


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    place = StoredFolder(tmp_path / "gone")

    assert (place.files(), place.read("a.jsonl"), place.marks("a.jsonl")) == ([], None, b"")


LETTERS, A_FILE = 100_000, 1000


def test_a_hundred_thousand_letters_are_counted_without_being_held(tmp_path: Path) -> None:
    """They are 90 MB. What is held of each are digests, and of each file its name: 43 MB, measured."""
    body = json.dumps({"promptTokens": -1, "note": "n" * 200, "model": "m" * 200, "backend": "b" * 200}).encode()
    line = json.loads(line_of(letter("ID", body, at(1))))
    for start in range(0, LETTERS, A_FILE):
        file = tmp_path / "rejected" / "2026" / "11" / "20" / "contoso" / "usage" / f"2-{start}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(line | {"id": f"call-{start + index}"}) for index in range(A_FILE))
        file.write_text("\n".join(lines) + "\n")

    script = (
        "import sys; sys.argv = ['chargeback', 'rejected', 'list', '--format', 'json']\n"
        "from chargeback.cli.app import app\n"
        "from chargeback.cli.rejected import listing, reading\n"
        "from chargeback.deadletter import stored_folder\n"
        "from tests.memory import peak\n"
        "before = peak()\n"
        "app(standalone_mode=False)\n"
        "print((peak() - before) // 1024, file=sys.stderr)\n"
    )
    finished = command(program=("-c", script), settings={"CHARGEBACK_DEAD_LETTER_FOLDER": str(tmp_path)})

    (group,) = json.loads(finished.stdout)
    assert (group["records"], group["open"]) == (LETTERS, LETTERS)
    assert int(finished.stderr.split()[-1]) < 60
