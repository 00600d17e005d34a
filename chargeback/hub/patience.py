"""Waiting for a library, for so long and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

_Done = TypeVar("_Done")


def within(seconds: float, step: Callable[[], _Done]) -> _Done:
    """Take a step in a thread of its own, which is left to itself when the time is over.

    Raises:
        TimeoutError: it is not done by then.
    """
    done: list[_Done] = []
    failed: list[BaseException] = []

    def take() -> None:
        try:
            done.append(step())
        except BaseException as error:  # noqa: BLE001  (raised again, where somebody waits for it)
            failed.append(error)

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not done:
        raise TimeoutError
    return done[0]
