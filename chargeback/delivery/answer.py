"""What the ingestion service's answer says about each item: accepted, refused for now, refused for good, or not said.

Sources: Microsoft's ingestion protocol as its SDKs speak it; refusal texts as public SDK tests and logs show them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urljoin, urlsplit

from chargeback.errors import DeliveryError

FOR_NOW = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses, of an answer or of an item, after which the same items may be sent again."""

_FINAL = re.compile(r"1\d\d: Field '|Telemetry item length must not exceed|Telemetry sampled out\.", re.IGNORECASE)
_WITH_ITEMS = frozenset({200, 206, 400})
_QUOTA = {402: "the daily quota", 439: "the daily cap"}
_REDIRECTS = frozenset({307, 308})
# The whole authority, in plain letters: HTTP clients do not agree on where a host ends at a backslash, say.
_AZURE = re.compile(
    r"[a-z0-9.-]+\.(?:(?:applicationinsights|monitor)\.azure\.(?:com|us|cn)|services\.visualstudio\.com)(?::443)?"
)


@dataclass(frozen=True, slots=True)
class ItemError:
    """Why one item was not accepted."""

    status: int
    message: str

    @property
    def final(self) -> bool:
        """Whether the words are known to mean that the item will never be taken."""
        return _FINAL.match(self.message) is not None

    @property
    def for_now(self) -> bool:
        """Whether the same item may be sent again. Neither this nor final: refused in a way that nobody has seen."""
        return not self.final and (self.status in FOR_NOW or self.status >= 500)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose accounts add up."""

    errors: Mapping[int, ItemError]
    """Place in the POST -> why it was refused; every other item is accepted."""
    retry_after: float | None = None
    """Seconds."""
    for_now: str | None = None
    """Why nothing was accepted this time, when the whole POST may be sent again."""


def read_answer(status: int, body: object, sent: int, retry_after: str | None, now: datetime) -> Answer:
    """Account for every item of a POST.

    `body` is the parsed answer, or `None` when it is no JSON.

    Raises:
        DeliveryError: the answer does not say of every item whether it was accepted, or a quota is used up.
    """
    wait = seconds_of(retry_after, now)
    if status in FOR_NOW:
        return Answer({}, wait, f"the service answered {status}")
    _check_quota(status)
    if status not in _WITH_ITEMS:
        raise DeliveryError(f"the service answered {status}: check the connection string and the identity's role")
    errors = _errors(body, sent)
    if errors is None:
        raise DeliveryError(f"the service answered {status} without accounting for the {sent} events of the POST")
    for error in errors.values():
        # A quota may be used up in the middle of a POST. Nothing is wrong with the items: they wait on the hub.
        if not error.final:
            _check_quota(error.status)
    return Answer(errors, wait)


def _check_quota(status: int) -> None:
    if status in _QUOTA:
        raise DeliveryError(f"{_QUOTA[status]} of the Application Insights resource is used up ({status}): raise it")


def _errors(body: object, sent: int) -> dict[int, ItemError] | None:
    """Return the refused items, or `None` when received, accepted and refused do not add up to what was sent."""
    if not isinstance(body, dict):
        return None
    received, accepted, errors = (body.get(name) for name in ("itemsReceived", "itemsAccepted", "errors"))
    accepted = _whole(accepted)
    if _whole(received) != sent or accepted is None or not isinstance(errors, list | None):
        return None
    refused: dict[int, ItemError] = {}
    for error in errors or ():
        if not isinstance(error, dict) or (index := _whole(error.get("index"))) is None or index >= sent:
            return None
        found = ItemError(_whole(error.get("statusCode")) or 0, _words(error.get("message")))
        refused[index] = max(refused.get(index, found), found, key=_weight)
    return refused if accepted + len(refused) == sent else None


def _weight(error: ItemError) -> tuple[bool, bool]:
    """Say which counts when an item is refused twice over: what is for good, then a quota, then what came first."""
    return error.final, error.status in _QUOTA


def _whole(value: object) -> int | None:
    """Return a whole number from 0; true and 1.0 are none, although Python thinks so."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _words(message: object) -> str:
    """Return the service's words, short and fit to be written as UTF-8."""
    return str(message or "")[:256].encode("utf-8", "replace").decode()


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds, or a date."""
    if not retry_after:
        return None
    if re.fullmatch(r"[0-9]+", digits := retry_after.strip()):
        return float(digits)
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, OverflowError):
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())


def redirect_target(status: int, location: str | None, address: str) -> str | None:
    """Return where to POST instead, if the service said so.

    Raises:
        DeliveryError: it points to a stranger; events and tokens go to Azure hosts, or stay where they were sent, only.
    """
    if status not in _REDIRECTS:
        return None
    try:
        target = urljoin(address, location or "")
        there, here = urlsplit(target), urlsplit(address)
        same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
        azure = there.scheme == "https" and _AZURE.fullmatch(there.netloc.lower())
    except ValueError:
        same, azure, target = False, None, ""
    if not location or not (same or azure):
        raise DeliveryError("the service redirects to a host outside Azure: check IngestionEndpoint and any proxy")
    return target
