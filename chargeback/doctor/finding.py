"""What one check found."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from azure.core.exceptions import AzureError, HttpResponseError

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


def looked_at(name: str, look: Callable[[], Finding], advice: str, seconds: float | None = None) -> Finding:
    """Take a look, for so long (else SECONDS); what it raises is a finding, and so is no answer."""
    patience = SECONDS if seconds is None else seconds
    try:
        return within(patience, look)
    except TimeoutError:
        return bad(name, f"no answer within {patience:g} seconds", advice)
    except ChargebackError as error:
        return bad(name, str(error), advice)
    except AzureError as error:
        return bad(name, _in_short(error), advice)
    except (OSError, ValueError) as error:  # Azure's libraries raise them for what they cannot read
        return bad(name, f"it cannot be looked at ({type(error).__name__})", advice)


def _in_short(error: AzureError) -> str:
    """Return what the service answered, without its message: that may quote a request, which may hold a key."""
    if not isinstance(error, HttpResponseError) or error.status_code is None:
        return f"no answer ({type(error).__name__})"
    code = getattr(error, "error_code", None)  # Azure Storage has one, an enumeration or a text
    return f"it answered {error.status_code}" + (f" ({getattr(code, 'value', code)})" if code else "")
