"""The dead letter, against a real Azurite and in a folder: durable, merged, never overwritten."""

from __future__ import annotations

import hashlib
import itertools
import json
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from chargeback.deadletter import FolderDeadLetter, connect
from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.deadletter.lines import line_of, merge, path_of
from chargeback.errors import DeadLetterError, DeliveryError
from chargeback.events import CustomEvent, DeadLetter, Keep, Position, Refusal
from chargeback.pipeline import Message, run
from chargeback.settings import Storage
from tests.faults.azurite import Azurite, blobs, connection_string, ids

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
LATE = datetime(2026, 11, 20, 23, 59, 59, tzinfo=UTC)
PATH = "rejected/2026/11/20/contoso.servicebus.windows.net/usage/3-4711.jsonl"
CONTAINER = "chargeback-rejected"


def at(
    namespace: str = "contoso.servicebus.windows.net",
    hub: str = "usage",
    partition_id: str | None = "3",
    sequence_number: int = 4711,
    offset: str | None = None,
) -> Position:
    return Position(namespace, hub, partition_id, sequence_number, LATE, offset)


FIRST = at()


def letter(identity: str, body: bytes = b'{"promptTokens":-1}') -> DeadLetter:
    digest = hashlib.sha256(body).hexdigest()
    return DeadLetter(identity, "flat", "promptTokens is no count", "InvalidCount", FIRST, body, len(body), digest)


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture
def box(azurite: Azurite) -> Iterator[Azurite]:
    """The running Azurite, without a container."""
    container = azurite.container()
    if container.exists():
        container.delete_container()
    yield azurite
    container.close()


needs_azurite = pytest.mark.needs_node("azurite")


# What a line and a path are.


def test_the_path_is_the_batchs_first_event() -> None:
    assert path_of(FIRST, [letter("a")]) == PATH


@pytest.mark.parametrize(
    ("first", "path"),
    [
        (at(partition_id=None), "rejected/2026/11/20/contoso.servicebus.windows.net/usage/--4711.jsonl"),
        (at(namespace="../a b", hub="x/y"), "rejected/2026/11/20/_a_b/x_y/3-4711.jsonl"),
        (at(namespace="-", hub=".."), "rejected/2026/11/20/-/-/3-4711.jsonl"),
        (Position(file_id="00ff00ff00ff00ff", line=7), "rejected/file/00ff00ff00ff00ff/7.jsonl"),
        (at(sequence_number=0), "rejected/2026/11/20/contoso.servicebus.windows.net/usage/3-0.jsonl"),
    ],
)
def test_the_path_stays_one_path_below_rejected(first: Position, path: str) -> None:
    assert path_of(first, [letter("a")]) == path


def test_without_any_position_the_letters_name_the_file() -> None:
    digest = hashlib.sha256(b"a\nb").hexdigest()[:16]
    assert path_of(Position(), [letter("a"), letter("b")]) == f"rejected/unknown/{digest}.jsonl"


def test_a_line_tells_who_what_why_and_where_and_holds_the_cleaned_body() -> None:
    body = b'{"appSubscriptionKey":"0123456789abcdef0123456789abcdef","promptTokens":-1,"prompt":"hello"}'
    fingerprint = hashlib.sha256(b"0123456789abcdef0123456789abcdef").hexdigest()[:16]
    assert json.loads(line_of(replace(letter("call-1", body), position=at(offset="8589934592")))) == {
        "id": "call-1",
        "recordShape": "flat",
        "reason": "promptTokens is no count",
        "errorType": "InvalidCount",
        "replayable": True,
        "bytes": 92,
        "sha256": hashlib.sha256(body).hexdigest(),
        "namespace": "contoso.servicebus.windows.net",
        "hub": "usage",
        "partitionId": "3",
        "sequenceNumber": 4711,
        "offset": "8589934592",
        "enqueuedTime": "2026-11-20T23:59:59.000Z",
        "body": {
            "appSubscriptionKey": f"key-{fingerprint}",
            "promptTokens": -1,
            "prompt": "<removed 5 characters>",
        },
    }


def test_a_line_is_one_line_whatever_the_body_holds() -> None:
    """U+2028 and carriage returns are line ends to some readers."""
    body = json.dumps({"model": "a\r\nb\u2028c\u0085d"}, ensure_ascii=False).encode()
    for line in (line_of(letter("a", body)), line_of(letter("a", b"not\r\njson\n\x0b"))):
        assert line.endswith(b"\n")
        assert len(line.splitlines()) == 1


# Merging.


def test_merging_adds_what_is_missing_and_leaves_what_is_there_byte_for_byte() -> None:
    existing = line_of(letter("a")).replace(b'"recordShape"', b'"written":"by another version" , "recordShape"')
    assert merge(existing, [letter("a"), letter("b")]) == existing + line_of(letter("b"))
    assert merge(existing, [letter("a")]) is None


def test_two_different_records_of_one_id_are_two_lines() -> None:
    """A gateway may give two calls one request id: what the second one used must not be lost."""
    other = letter("a", b'{"promptTokens":-2}')
    both = line_of(letter("a")) + line_of(other)
    assert merge(b"", [letter("a"), other]) == both
    assert merge(line_of(letter("a")), [other]) == both
    assert merge(both, [other, letter("a")]) is None


def test_two_different_records_of_one_id_in_one_body_are_two_lines() -> None:
    """They have the body's hash in common."""
    other = replace(letter("a"), body=b'{"promptTokens":-2}')
    assert merge(b"", [letter("a"), other]) == line_of(letter("a")) + line_of(other)


def test_two_bodies_that_differ_in_what_is_removed_are_two_lines() -> None:
    bodies = [b'{"promptTokens":-1,"prompt":"%s"}' % word for word in (b"zebra", b"quartz"[:5])]
    lines = merge(b"", [letter("a", body) for body in bodies])
    assert lines is not None
    assert [json.loads(line)["sha256"] for line in lines.splitlines()] == [
        hashlib.sha256(body).hexdigest() for body in bodies
    ]


def test_the_same_record_twice_in_one_batch_is_one_line() -> None:
    """A gateway that sends a broken record twice gives both the same request id."""
    again = replace(letter("a"), position=at(sequence_number=4712))
    assert merge(b"", [letter("a"), again, letter("b")]) == line_of(letter("a")) + line_of(letter("b"))


def test_a_record_that_is_refused_in_other_words_the_next_time_is_one_line() -> None:
    refused = [
        replace(letter("a"), reason=f"refused by Application Insights: {words}", error_type=kind)
        for words, kind in (("now - 172800001ms", "Refused:400"), ("now - 172800002ms", "Refused:413"))
    ]
    once = merge(b"", refused[:1])
    assert once == line_of(refused[0])
    assert merge(once, refused[1:]) is None


@pytest.mark.parametrize("body", [b'{"x":1e999}', b'{"x":18446744073709551616,"y":-0.0,"z":1E2}', b"\xff\x00", b""])
def test_a_line_is_known_again_whatever_numbers_and_texts_it_holds(body: bytes) -> None:
    assert merge(line_of(letter("a", body)), [letter("a", body)]) is None


@pytest.mark.parametrize("torn", [b'{"id":"b","rea', b"\xff\xfe\x00", b'"text"', b"[1]", b"null", b'{"id":null}'])
def test_a_torn_line_is_kept_and_what_follows_stands_on_a_line_of_its_own(torn: bytes) -> None:
    existing = line_of(letter("a")) + torn
    assert merge(existing, [letter("a"), letter("b")]) == existing + b"\n" + line_of(letter("b"))


def test_a_whole_last_line_that_only_lacks_its_end_counts() -> None:
    assert merge(line_of(letter("a")).rstrip(b"\n"), [letter("a")]) is None


# The two implementations keep the same promise.


@pytest.fixture(params=[pytest.param("blobs", marks=needs_azurite), "folder"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Keep, Callable[[], dict[str, bytes]]]]:
    """A way to keep letters, and a way to see what was kept."""
    if request.param == "folder":
        yield FolderDeadLetter(tmp_path / "day.rejected").keep, lambda: files(tmp_path / "day.rejected")
        return
    with request.getfixturevalue("box").container() as container:
        yield BlobDeadLetter(container).keep, lambda: blobs(container)


def files(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


Kept = tuple[Keep, Callable[[], dict[str, bytes]]]


def test_the_first_letter_makes_all_that_is_missing(kept: Kept) -> None:
    keep, seen = kept
    assert seen() == {}
    assert keep(FIRST, [letter("a")]) == PATH
    assert seen() == {PATH: line_of(letter("a"))}


def test_a_batch_that_comes_again_changes_nothing(kept: Kept) -> None:
    keep, seen = kept
    keep(FIRST, [letter("a"), letter("b")])
    once = seen()
    assert keep(FIRST, [letter("a"), letter("b")]) == PATH
    assert seen() == once == {PATH: line_of(letter("a")) + line_of(letter("b"))}


def test_a_second_body_of_one_id_is_kept_too_and_once(kept: Kept) -> None:
    keep, seen = kept
    other = letter("a", b'{"promptTokens":-2}')
    for batch in ([letter("a")], [letter("a"), other], [other]):
        keep(FIRST, batch)
    assert seen() == {PATH: line_of(letter("a")) + line_of(other)}


def test_a_batch_that_was_cut_differently_adds_to_the_file_of_its_first_event(kept: Kept) -> None:
    keep, seen = kept
    keep(FIRST, [letter("a"), letter("b")])
    keep(FIRST, [letter("a"), letter("b"), letter("c")])
    keep(at(sequence_number=4712), [letter("b"), letter("c")])
    assert ids({PATH: seen()[PATH]}) == ["a", "b", "c"]
    assert set(ids(seen())) == {"a", "b", "c"}, "readers count distinct ids"


def test_both_write_the_same_files_byte_for_byte(kept: Kept) -> None:
    keep, seen = kept
    hard = [letter(f"n/{index}", body) for index, body in enumerate((b"\xff\x00", b"", b"{" * 9, b'{"a":' * 300))]
    positions = [FIRST, at(namespace="../x", hub="a b"), Position(file_id="ab", line=1), Position()]
    for position in positions:
        keep(position, hard[:2])
        keep(position, hard)
    lines = b"".join(map(line_of, hard))
    assert {name: content for name, content in seen().items() if "unknown" not in name} == {
        path_of(position, hard): lines for position in positions[:3]
    }


def test_a_run_that_ended_between_keeping_and_delivering_leaves_one_line(kept: Kept) -> None:
    keep, seen = kept
    batch = [Message(b"no json", FIRST), Message(b'{"promptTokens":1}', at(sequence_number=4712))]

    def down(_: object) -> list[Refusal]:
        raise DeliveryError("down")

    for _ in range(2):
        with pytest.raises(DeliveryError):
            run(batch, down, keep, lambda: NOON)
    delivered: list[CustomEvent] = []

    def deliver(events: object) -> list[Refusal]:
        assert isinstance(events, list)
        delivered.extend(events)
        return []

    run(batch, deliver, keep, lambda: NOON)
    identity = "contoso.servicebus.windows.net/usage/3/4711@1795219199000"
    assert ids(seen()) == [identity]
    assert [event.properties.get("deadLetter") for event in delivered] == [PATH, None]


# Blobs.


@needs_azurite
def test_connect_keeps_in_the_settings_storage_account(box: Azurite) -> None:
    dead_letter = connect(Storage(connection_string=box.connection_string, container="another-box"))
    assert dead_letter.keep(FIRST, [letter("a")]) == PATH
    with box.container("another-box") as container:
        assert blobs(container) == {PATH: line_of(letter("a"))}
        container.delete_container()


@needs_azurite
def test_writers_that_race_for_one_blob_lose_no_line(box: Azurite) -> None:
    """Two instances hold a partition for a moment after a rebalance; each must see the other's lines."""
    rounds, together = 10, threading.Barrier(2)

    def writer(name: str) -> None:
        with box.container() as container:
            keep = BlobDeadLetter(container).keep
            for turn in range(rounds):
                together.wait(30)
                keep(FIRST, [letter(f"{name}{turn}"), letter(f"both{turn}")])

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(writer, name) for name in ("left", "right")]:
            done.result(60)
    with box.container() as container:
        found = ids(blobs(container))
    expected = {f"{name}{turn}" for name in ("left", "right", "both") for turn in range(rounds)}
    assert (set(found), len(found)) == (expected, 3 * rounds)


@needs_azurite
def test_one_dead_letter_serves_several_threads(box: Azurite) -> None:
    with box.container() as container, ThreadPoolExecutor(8) as pool:
        keep = BlobDeadLetter(container).keep
        positions = [at(sequence_number=number) for number in range(40)]
        list(pool.map(lambda position: keep(position, [letter(str(position.sequence_number))]), positions))
        assert sorted(map(int, ids(blobs(container)))) == list(range(40))


class Slow(RequestsTransport):  # type: ignore[misc]  # imported lazily by azure-core, so its type is lost
    """Does something before each upload, as if another instance had been quicker."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    def send(self, request: Any, **options: Any) -> Any:  # the signature is azure-core's
        if request.method == "PUT" and "restype" not in request.url:
            self._meanwhile()
        return super().send(request, **options)


@needs_azurite
@pytest.mark.parametrize("changes", [1, 2, 7])
def test_a_blob_that_changes_after_it_was_read_is_read_again(box: Azurite, changes: int) -> None:
    names = iter(["made", *map(str, range(1, changes))])
    with box.container() as other:

        def meanwhile() -> None:
            if name := next(names, None):
                BlobDeadLetter(other).keep(FIRST, [letter(name)])

        other.create_container()
        with box.container(transport=Slow(meanwhile)) as container:
            BlobDeadLetter(container).keep(FIRST, [letter("mine")])
        assert ids(blobs(other)) == ["made", *map(str, range(1, changes)), "mine"]


@needs_azurite
def test_a_blob_that_changes_all_the_time_raises(box: Azurite) -> None:
    numbers = itertools.count()
    with box.container() as other:
        other.create_container()
        keep = BlobDeadLetter(other).keep
        slow = Slow(lambda: [keep(FIRST, [letter(f"other{next(numbers)}")])].clear())
        with box.container(transport=slow) as container, pytest.raises(DeadLetterError, match="all the time"):
            BlobDeadLetter(container).keep(FIRST, [letter("mine")])
        assert "mine" not in ids(blobs(other))


@needs_azurite
def test_a_blob_that_exists_is_never_overwritten(box: Azurite) -> None:
    with box.container() as container:
        container.create_container()
        container.upload_blob(PATH, b"somebody's notes")
        BlobDeadLetter(container).keep(FIRST, [letter("a")])
        assert blobs(container) == {PATH: b"somebody's notes\n" + line_of(letter("a"))}


def test_storage_that_is_down_raises_and_does_so_quickly() -> None:
    dead_letter = connect(Storage(connection_string=connection_string(1)))
    started = time.monotonic()
    with pytest.raises(DeadLetterError, match="AzureWebJobsStorage"):
        dead_letter.keep(FIRST, [letter("a", b"words of somebody")])
    assert time.monotonic() - started < 30


def test_an_account_key_that_is_none_raises_a_dead_letter_error() -> None:
    text = connection_string(1).replace("==", "")
    with pytest.raises(DeadLetterError, match="AzureWebJobsStorage"):
        connect(Storage(connection_string=text)).keep(FIRST, [letter("a")])


@pytest.mark.parametrize("text", ["UseDevelopmentStorage", "BlobEndpoint", "AccountName"])
def test_a_connection_string_that_the_storage_library_refuses_is_a_dead_letter_error(text: str) -> None:
    with pytest.raises(DeadLetterError, match="AzureWebJobsStorage"):
        connect(Storage(connection_string=text))


def test_without_storage_the_error_says_what_to_set() -> None:
    with pytest.raises(DeadLetterError, match="AzureWebJobsStorage__accountName"):
        connect(Storage())


# Folders.


def test_a_folder_that_cannot_be_written_raises(tmp_path: Path) -> None:
    (tmp_path / "day.rejected").write_text("a file stands here")
    with pytest.raises(DeadLetterError, match="cannot be stored"):
        FolderDeadLetter(tmp_path / "day.rejected").keep(FIRST, [letter("a")])


def test_a_draft_that_the_disk_has_no_room_for_leaves_nothing_behind(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        with pytest.raises(DeadLetterError, match="cannot be stored"):
            FolderDeadLetter(tmp_path).keep(FIRST, [letter("a")])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert files(tmp_path) == {}
