"""Dead letters to read back, kept by the function's own code; and a hub that only takes notes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chargeback.cli.rejected.rereading import Sendable
from chargeback.deadletter import FolderDeadLetter
from chargeback.deadletter.lines import line_of
from chargeback.deadletter.stored import Letter, letter_of
from chargeback.errors import ChargebackError
from chargeback.events import DeadLetter, Keep, Position

NAMESPACE, HUB = "contoso.servicebus.windows.net", "usage"
DAY = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
NO_COUNTS = "no known token counts in it"


def at(number: int, partition: str = "2", taken: datetime = DAY) -> Position:
    """The place of an event; one a second."""
    return Position(NAMESPACE, HUB, partition, number, taken + timedelta(seconds=number), str(number * 64))


def usage(identity: str, prompt: int = 10, **fields: object) -> bytes:
    """A record that today's code reads."""
    record = {
        "schema": "chargeback.usage/1",
        "requestId": identity,
        "timestamp": "2026-11-20T10:00:00.000Z",
        "subscriptionId": "team-alpha",
        "promptTokens": prompt,
        "completionTokens": 5,
    }
    return json.dumps(record | fields).encode()


def letter(identity: str, body: bytes, position: Position, reason: str = NO_COUNTS) -> DeadLetter:
    """A record that could not be read at the time."""
    digest = hashlib.sha256(body).hexdigest()
    return DeadLetter(identity, "unknown", reason, "UnknownShape", position, body, len(body), digest)


def stored(kept: DeadLetter) -> Letter:
    """The same, written and read back."""
    found = letter_of(line_of(kept))
    assert found is not None
    return found


def keep(folder: Path, *letters: DeadLetter) -> Path:
    """Keep a batch's letters in a folder; return their file."""
    return folder / keep_by(FolderDeadLetter(folder).keep, *letters)


def keep_by(port: Keep, *letters: DeadLetter) -> str:
    return port(letters[0].position, letters)


@dataclass(slots=True)
class Notes:
    """Stands for the hub behind the port `Send`; it may be down, or refuse what is too large."""

    sent: list[Sendable] = field(default_factory=list)
    fails_after: int = 10**9
    """Acknowledgements after which it is down."""
    too_large: frozenset[str] = frozenset()
    before: Callable[[], object] = lambda: None
    """Called when something comes."""

    def send(self, records: Sequence[Sendable]) -> Sequence[int]:
        self.before()
        if self.fails_after <= 0:
            raise ChargebackError("the hub does not answer")
        self.fails_after -= 1
        refused = [index for index, record in enumerate(records) if record.record_id in self.too_large]
        self.sent += [record for index, record in enumerate(records) if index not in refused]
        return refused

    @property
    def ids(self) -> list[str]:
        return [record.record_id for record in self.sent]
