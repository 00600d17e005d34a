"""What one check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from azure.core.exceptions import AzureError

from chargeback.errors import ChargebackError
from chargeback.hub.patience import within

SECONDS = 25.0
"""Time for one check: azure-eventhub alone waits for a minute where nobody answers."""


class State(StrEnum):
    """What is not checked is neither right nor wrong."""

    OK = "ok"
    BAD = "bad"
    NOT_CHECKED = "not checked"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's."""

    name: str
    """As docs/operations.md has it."""
    state: State
    seen: str
    """What was seen, without values of settings."""
    advice: str = ""
    """What to do; of what is not checked, how it would be."""


def ok(name: str, seen: str) -> Finding:
    """Return a line that is right."""
    return Finding(name, State.OK, seen)


def bad(name: str, seen: str, advice: str) -> Finding:
    """Return a line that is wrong, with what to do."""
    return Finding(name, State.BAD, seen, advice)


def not_checked(name: str, why: str, how: str = "") -> Finding:
    """Return a line that was not looked at, with why, and how it would be."""
    return Finding(name, State.NOT_CHECKED, why, how)


def looked_at(name: str, look: Callable[[], Finding], advice: str, seconds: float = SECONDS) -> Finding:
    """Take a look, for so long; an error of ours or of Azure's libraries is a finding, and so is no answer."""
    try:
        return within(seconds, look)
    except TimeoutError:
        return bad(name, f"no answer within {seconds:g} seconds", advice)
    except ChargebackError as error:
        return bad(name, str(error), advice)
    except AzureError as error:
        # Its message may quote a request, and a request may hold a key.
        return bad(name, type(error).__name__, advice)
