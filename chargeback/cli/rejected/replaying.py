"""Dead letters read again, sent to the hub, and marked once the hub has them.

A letter is marked only after the hub acknowledged it. Whatever happens in between, it is sent again the next time,
under the same identity, and billed once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.order import in_order
from chargeback.cli.rejected.reading import all_marks, contents
from chargeback.cli.rejected.rereading import Sendable, Unsendable, reread
from chargeback.cli.rejected.told import BEFORE, SENT, WOULD, Tally
from chargeback.deadletter.stored import Content, File, Letter, Stored, letters_of, marks_of
from chargeback.errors import ForbiddenError

GROUP = 50
"""Letters after which the hub is asked to acknowledge, and marks are written."""
_MOST_FILES = 200

Send: TypeAlias = Callable[[Sequence[Sendable]], Sequence[int]]
"""Returns when the hub has all but those that it will never take, by their place in the sequence; raises otherwise."""


class _Outgoing(NamedTuple):
    """A letter on its way."""

    path: str
    letter: Letter
    records: tuple[Sendable, ...]


@dataclass(slots=True)
class _Waiting:
    """A file that is looked at, until what is sent of it is marked."""

    path: str
    content: Content
    lines: set[bytes]
    """Marks of all its letters."""
    beside: set[bytes]
    """Marks that stand beside it."""
    whole: bool
    """Whether there are letters in it, and nothing else."""


@dataclass(slots=True)
class Replay:
    """One run over the dead letters."""

    stored: Stored
    choice: Choice
    send: Send | None
    """`None` sends and marks nothing."""
    again: bool = False
    """Whether letters that were sent before are sent once more."""
    tally: Tally = field(default_factory=Tally)
    _done: set[bytes] = field(default_factory=set)
    """Marks of letters that the hub has."""
    _looked: set[bytes] = field(default_factory=set)
    """Marks of letters that are counted."""
    _files: list[_Waiting] = field(default_factory=list)
    _letters: list[_Outgoing] = field(default_factory=list)

    def run(self) -> None:
        """Send what is meant, file after file.

        Raises:
            ChargebackError: something cannot be read, sent or marked; what is marked was sent.
        """
        files = self.stored.files()
        self._done = all_marks(self.stored, files)
        meant = in_order([file for file in files if self.choice.may_hold(file)])
        for file, content in contents(self.stored, meant, "replay"):
            self._take(file, content)
            if len(self._letters) >= GROUP or len(self._files) >= _MOST_FILES:
                self._flush()
        self._flush()

    def _take(self, file: File, content: Content) -> None:
        letters, torn = letters_of(content.text)
        self.tally.torn += torn
        beside = marks_of(self.stored.marks(file.path)) if file.marked else set()
        self._done |= beside  # somebody else may be at it too
        for letter in letters:
            if self.choice.takes(letter, file) and letter.mark not in self._looked:
                self._looked.add(letter.mark)
                self._consider(file.path, letter)
        whole = bool(letters) and not torn
        self._files.append(_Waiting(file.path, content, {letter.mark for letter in letters}, beside, whole))

    def _consider(self, path: str, letter: Letter) -> None:
        if letter.mark in self._done and not self.again:
            self.tally.count(BEFORE)
            return
        found = reread(letter)
        if isinstance(found, Unsendable):
            self.tally.keep_back(letter, found.outcome, found.reason)
            return
        self.tally.timeless += any(record.timeless for record in found)
        self._letters.append(_Outgoing(path, letter, found))

    def _flush(self) -> None:
        """Send what was found, note it, and let go of the files."""
        if self.send is None:
            for _ in self._letters:
                self.tally.count(WOULD)
        else:
            beside = {waiting.path: waiting.beside for waiting in self._files}
            for start in range(0, len(self._letters), GROUP):
                self._deliver(self.send, self._letters[start : start + GROUP], beside)
            for waiting in self._files:
                self._finish(waiting)
        self._letters.clear()
        self._files.clear()

    def _deliver(self, send: Send, letters: Sequence[_Outgoing], beside: dict[str, set[bytes]]) -> None:
        owners = [outgoing for outgoing in letters for _ in outgoing.records]
        refused = {owners[index].letter.mark for index in send([record for it in letters for record in it.records])}
        sent: dict[str, list[bytes]] = defaultdict(list)
        for path, letter, _ in letters:
            if letter.mark in refused:
                self.tally.keep_back(letter, "not sent", "larger than the hub takes")
            else:
                sent[path].append(letter.mark)
        if sent:  # the hub has them, whatever becomes of the marks
            self.tally.count(SENT, number=sum(map(len, sent.values())))
        for path, marks in sent.items():
            self.stored.mark(path, marks)
            beside[path].update(marks)
            self._done.update(marks)

    def _finish(self, waiting: _Waiting) -> None:
        """Mark letters of a file that were sent as another file's; settle it if that was all."""
        if elsewhere := (waiting.lines & self._done) - waiting.beside:
            self.stored.mark(waiting.path, sorted(elsewhere))
        if not waiting.whole or waiting.content.settled or not waiting.lines <= self._done:
            return
        try:
            self.stored.settle(waiting.path, waiting.content)
        except ForbiddenError as error:
            self.tally.untagged[str(error)] += 1
