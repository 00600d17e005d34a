"""What a hub keeps: events in partitions, and from where on a reader wants them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from proton import timestamp

from tests.peers.encoding import annotated

_SELECTOR = re.compile(r"amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time) (>=?) '(.*)'")


@dataclass(frozen=True, slots=True)
class Stored:
    """One event."""

    number: int
    """Its sequence number."""
    offset: int
    milliseconds: int
    """When it was taken, since 1970."""
    key: str | None
    raw: bytes
    """As the producer sent it."""
    wire: bytes
    """As readers get it."""


@dataclass(slots=True)
class Partition:
    id: str
    events: list[Stored] = field(default_factory=list)
    size: int = 0

    def append(self, raw: bytes, key: str | None, milliseconds: int) -> None:
        """Keep an event, with the annotations that Event Hubs gives it."""
        number = len(self.events)
        told: dict[str, Any] = {
            "x-opt-sequence-number": number,
            "x-opt-offset": str(self.size),
            "x-opt-enqueued-time": timestamp(milliseconds),
        }
        if key is not None:
            told["x-opt-partition-key"] = key
        wire = annotated(raw, told)
        self.events.append(Stored(number, self.size, milliseconds, key, raw, wire))
        self.size += len(wire)

    def first_for(self, selector: str | None) -> int:
        """Return the place of the first event that a reader with this filter wants."""
        if selector is None:
            return 0
        found = _SELECTOR.fullmatch(selector)
        assert found, f"the peer knows no filter like {selector}"
        name, operator, value = found.groups()
        if value == "@latest":
            return len(self.events)
        wanted = int(value) + (operator == ">")
        said = attrgetter({"offset": "offset", "sequence-number": "number", "enqueued-time": "milliseconds"}[name])
        return next((place for place, one in enumerate(self.events) if said(one) >= wanted), len(self.events))

    @property
    def last(self) -> Stored | None:
        return self.events[-1] if self.events else None
