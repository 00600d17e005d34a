"""Dead letters in a real container (Azurite): marks that several append, and the tag that nobody sets too early."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.pipeline.transport import RequestsTransport

from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.replaying import Replay
from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.deadletter.stored import REPLAYED, letters_of, marks_of
from chargeback.deadletter.stored_blobs import StoredBlobs, _begin
from chargeback.errors import DeadLetterError, ForbiddenError
from chargeback.events import DeadLetter
from tests.faults.azurite import Azurite, connection_string, container_of
from tests.rejected.letters import Notes, at, keep_by, letter, usage

pytestmark = pytest.mark.needs_node("azurite")


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@dataclass(frozen=True, slots=True)
class Box:
    """A container, as the function and as an operator see it."""

    function: BlobDeadLetter
    operator: StoredBlobs
    azurite: Azurite

    def keep(self, *letters: DeadLetter) -> str:
        return keep_by(self.function.keep, *letters)

    def tags(self, path: str) -> dict[str, str]:
        with self.azurite.container() as container:
            return dict(container.get_blob_client(path).get_blob_tags())


@pytest.fixture
def box(azurite: Azurite) -> Iterator[Box]:
    with azurite.container() as one, azurite.container() as other:
        if one.exists():
            one.delete_container()
        yield Box(BlobDeadLetter(one), StoredBlobs(other), azurite)


LETTERS = [letter(f"call-{number}", usage(f"call-{number}"), at(number)) for number in range(1, 4)]
PATH = "rejected/2026/11/20/contoso.servicebus.windows.net/usage/2-1.jsonl"


def test_a_container_that_is_not_there_holds_nothing(box: Box) -> None:
    assert box.operator.files() == []
    assert box.operator.read(PATH) is None
    assert box.operator.marks(PATH) == b""


def test_what_the_function_kept_is_read_back(box: Box) -> None:
    path = box.keep(*LETTERS)

    (file,) = box.operator.files()
    content = box.operator.read(path)

    assert (file.path, file.marked) == (PATH, False)
    assert content is not None
    assert not content.settled
    assert [found.record_id for found in letters_of(content.text)[0]] == ["call-1", "call-2", "call-3"]


def test_marks_of_many_who_begin_at_once_are_all_kept(box: Box) -> None:
    """Whoever makes the blob of marks may not empty another's."""
    box.keep(*LETTERS)
    marks = [bytes([number]) * 32 for number in range(40)]

    with ThreadPoolExecutor(8) as operators:
        list(operators.map(lambda mark: box.operator.mark(PATH, [mark]), marks))

    assert marks_of(box.operator.marks(PATH)) == set(marks)
    (file,) = box.operator.files()
    assert (file.path, file.marked) == (PATH, True)


def test_whoever_begins_a_second_too_late_empties_nothing(box: Box) -> None:
    box.keep(*LETTERS)
    box.operator.mark(PATH, [b"1" * 32])
    with box.azurite.container() as container:
        _begin(container.get_blob_client(PATH + REPLAYED))

    assert marks_of(box.operator.marks(PATH)) == {b"1" * 32}


def test_a_blob_is_tagged_as_it_was_read(box: Box) -> None:
    box.keep(*LETTERS)
    content = box.operator.read(PATH)
    assert content is not None

    assert box.operator.settle(PATH, content)

    after = box.operator.read(PATH)
    assert after is not None
    assert (after.text, after.settled) == (content.text, True)
    assert box.tags(PATH) == {"replayed": "true"}


def test_a_blob_that_the_function_added_to_is_not_tagged(box: Box) -> None:
    box.keep(*LETTERS[:2])
    content = box.operator.read(PATH)
    assert content is not None
    box.keep(LETTERS[0], LETTERS[2])

    assert not box.operator.settle(PATH, content)

    assert box.tags(PATH) == {}
    after = box.operator.read(PATH)
    assert after is not None
    assert len(letters_of(after.text)[0]) == 3


def test_a_letter_that_is_added_later_takes_the_tag_away(box: Box) -> None:
    box.keep(*LETTERS[:2])
    content = box.operator.read(PATH)
    assert content is not None
    box.operator.settle(PATH, content)

    box.keep(LETTERS[0], LETTERS[2])

    assert box.tags(PATH) == {}


def test_a_blob_that_is_gone_is_not_made_again_by_tagging_it(box: Box) -> None:
    box.keep(*LETTERS)
    content = box.operator.read(PATH)
    assert content is not None
    with box.azurite.container() as container:
        container.delete_blob(PATH)

    assert not box.operator.settle(PATH, content)

    assert box.operator.files() == []


def test_a_replay_marks_and_tags_what_it_sent(box: Box) -> None:
    box.keep(*LETTERS)
    other = box.keep(letter("call-9", usage("call-9"), at(9)), letter("bad", b"no json", at(10)))
    notes = Notes()

    Replay(box.operator, Choice(), notes.send).run()

    assert notes.ids == ["call-1", "call-2", "call-3", "call-9"]
    assert (box.tags(PATH), box.tags(other)) == ({"replayed": "true"}, {})
    assert len(marks_of(box.operator.marks(PATH))) == 3
    assert len(marks_of(box.operator.marks(other))) == 1


def test_a_replay_that_ended_before_the_tag_sets_it_the_next_time(box: Box) -> None:
    box.keep(*LETTERS)
    content = box.operator.read(PATH)
    assert content is not None
    box.operator.mark(PATH, [found.mark for found in letters_of(content.text)[0]])
    notes = Notes()

    Replay(box.operator, Choice(), notes.send).run()

    assert notes.sent == []
    assert box.tags(PATH) == {"replayed": "true"}


def test_a_letter_that_comes_while_the_others_are_sent_waits_for_the_next_run(box: Box) -> None:
    box.keep(*LETTERS[:2])
    notes, rest = Notes(), Notes()
    notes.before = lambda: box.keep(LETTERS[0], LETTERS[2])

    Replay(box.operator, Choice(), notes.send).run()
    assert box.tags(PATH) == {}
    Replay(box.operator, Choice(), rest.send).run()

    assert (notes.ids, rest.ids) == (["call-1", "call-2"], ["call-3"])
    assert box.tags(PATH) == {"replayed": "true"}


class WithoutOwner(RequestsTransport):  # type: ignore[misc]  # imported lazily by azure-core, so its type is lost
    """Answers as the service does to somebody who may write blobs and no tags; all else goes on to Azurite."""

    def send(self, request: Any, **options: Any) -> Any:  # the signature is azure-core's
        if request.headers.pop("x-ms-tags", None):
            # To write under a signature that is none is refused with the very status that is wanted here.
            request.headers["Authorization"] = "SharedKey devstoreaccount1:bm9ib2R5"
        return super().send(request, **options)


def test_whoever_may_not_tag_is_told_and_what_is_sent_stays_marked(box: Box) -> None:
    box.keep(*LETTERS)
    with container_of(box.azurite.connection_string, transport=WithoutOwner()) as container:
        operator = StoredBlobs(container)
        content = operator.read(PATH)
        assert content is not None
        with pytest.raises(ForbiddenError, match="only the role Storage Blob Data Owner may write index tags"):
            operator.settle(PATH, content)
        done = Replay(operator, Choice(), Notes().send)

        done.run()

    assert done.tally.outcomes == {("sent", ""): 3}
    assert sum(done.tally.untagged.values()) == 1
    assert (len(marks_of(box.operator.marks(PATH))), box.tags(PATH)) == (3, {})


def test_marks_that_cannot_be_read_are_not_taken_for_none() -> None:
    """Whatever was sent before would be sent again."""
    with (
        closing(container_of(connection_string(9))) as container,
        pytest.raises(DeadLetterError, match="cannot be read"),
    ):
        StoredBlobs(container).marks(PATH)


def test_a_service_that_cannot_be_reached_is_said_without_a_key() -> None:
    with closing(container_of(connection_string(9))) as container, pytest.raises(DeadLetterError) as failed:
        StoredBlobs(container).files()

    assert str(failed.value) == (
        "the container chargeback-rejected cannot be read (ServiceRequestError): check the account's name in "
        "AzureWebJobsStorage, and that this machine may reach it"
    )
