"""The Functions host, as far as it matters here: it delivers a batch until the function returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from chargeback.errors import ChargebackError
from chargeback.pipeline import Message

Function: TypeAlias = Callable[[Sequence[Message], int], object]
"""Takes a batch, and how often the host has delivered it before."""


@dataclass(slots=True)
class Host:
    """Reads one partition. The real one retries for ever; this one stops, so that a test can end."""

    hub: Sequence[Message]
    size: int = 1000
    """Events in a batch."""
    checkpoint: int = 0
    """How many events are acknowledged."""
    raised: list[ChargebackError] = field(default_factory=list)
    _retries: int = 0

    def run(self, function: Function, tries: int) -> bool:
        """Deliver until everything is acknowledged (true), or one batch has raised `tries` times in a row (false).

        Only our own errors are caught: anything else is a bug that a test must see.
        """
        left = tries
        while self.checkpoint < len(self.hub):
            batch = self.hub[self.checkpoint : self.checkpoint + self.size]
            try:
                function(batch, self._retries)
            except ChargebackError as error:
                self.raised.append(error)
                self._retries += 1
                left -= 1
                if not left:
                    return False
                continue
            self.checkpoint += len(batch)
            self._retries, left = 0, tries
        return True

    def rebalance(self, size: int, back: int = 0) -> None:
        """Let another instance take over: it cuts batches differently, and counts retries from nought.

        It may also begin `back` events before the checkpoint, when the last checkpoint was lost with the instance.
        """
        self.size, self._retries = size, 0
        self.checkpoint = max(0, self.checkpoint - back)
