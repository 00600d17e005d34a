"""What can be made to go wrong: where, how, how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class At(StrEnum):
    """The points that a fault can wait at."""

    AUTHENTICATE = "authenticate"
    ATTACH = "attach"
    SEND = "send"
    """Before an event is kept."""
    STORED = "stored"
    """It is kept, and not acknowledged yet."""
    DELIVER = "deliver"


class Do(StrEnum):
    """What happens there."""

    REJECT = "reject"
    DETACH = "detach"
    CLOSE = "close"
    """The connection, as AMQP closes one."""
    DROP = "drop"
    """The socket, without a word."""
    DELAY = "delay"
    IGNORE = "ignore"
    """No answer at all."""


SERVER_BUSY = "com.microsoft:server-busy"


@dataclass(slots=True)
class Fault:
    at: At
    do: Do
    condition: str = "amqp:internal-error"
    seconds: float = 0.0
    times: int = 1
    """How many more times it happens."""
