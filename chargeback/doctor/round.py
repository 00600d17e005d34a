"""All families of checks at once: a round takes as long as its slowest one, and is told in order."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from queue import SimpleQueue
from typing import TypeAlias

from chargeback.doctor.finding import Finding

Look: TypeAlias = Callable[[], Iterable[Finding]]
_Told: TypeAlias = "SimpleQueue[Finding | BaseException | None]"


def at_once(families: Mapping[str, Look], waiting: Callable[[str], None]) -> Iterator[Finding]:
    """Yield what every family finds, in their order; `waiting` is told whose next line is waited for.

    Raises:
        BaseException: whatever a family raised.
    """
    told = {name: _start(look) for name, look in families.items()}
    for name, lines in told.items():
        waiting(name)
        while (line := lines.get()) is not None:
            if isinstance(line, BaseException):
                raise line
            yield line
            waiting(name)


def _start(look: Look) -> _Told:
    told: _Told = SimpleQueue()

    def take() -> None:
        try:
            for finding in look():
                told.put(finding)
            told.put(None)
        except BaseException as error:  # noqa: BLE001  (raised again, where somebody waits for it)
            told.put(error)

    # A daemon: who interrupts a round does not wait for what it asked.
    threading.Thread(target=take, daemon=True).start()
    return told
