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
_AZURE = (
    *(".applicationinsights.azure.com", ".applicationinsights.azure.us", ".applicationinsights.azure.cn"),
    *(".monitor.azure.com", ".monitor.azure.us", ".monitor.azure.cn", ".services.visualstudio.com"),
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
    def doubtful(self) -> bool:
        """Whether the item was called bad in words that nobody has seen: perhaps for good, perhaps not."""
        return self.status == 400 and not self.final


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
        DeliveryError: the answer does not say of every item whether it was accepted.
    """
    wait = seconds_of(retry_after, now)
    if status in FOR_NOW:
        return Answer({}, wait, f"the service answered {status}")
    if status in _QUOTA:
        raise DeliveryError(f"{_QUOTA[status]} of the Application Insights resource is used up ({status}): raise it")
    if status not in _WITH_ITEMS:
        raise DeliveryError(f"the service answered {status}: check the connection string and the identity's role")
    errors = _errors(body, sent)
    if errors is None:
        raise DeliveryError(f"the service answered {status} without accounting for the {sent} events of the POST")
    return Answer(errors, wait)


def _errors(body: object, sent: int) -> dict[int, ItemError] | None:
    """Return the refused items, or `None` when received, accepted and refused do not add up to what was sent."""
    if not isinstance(body, dict):
        return None
    received, accepted, errors = (body.get(name) for name in ("itemsReceived", "itemsAccepted", "errors"))
    if received != sent or not isinstance(accepted, int) or not isinstance(errors, list | None):
        return None
    refused: dict[int, ItemError] = {}
    for error in errors or ():
        if not isinstance(error, dict) or not isinstance(index := error.get("index"), int) or not 0 <= index < sent:
            return None
        status = error.get("statusCode")
        refused[index] = ItemError(status if isinstance(status, int) else 0, str(error.get("message") or "")[:256])
    return refused if accepted + len(refused) == sent else None


def seconds_of(retry_after: str | None, now: datetime) -> float | None:
    """Read a `Retry-After` header: seconds, or a date."""
    if not retry_after:
        return None
    if re.fullmatch(r"\d{1,6}", retry_after.strip()):
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after)
    except ValueError:
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
    target = urljoin(address, location or "")
    try:
        there, here = urlsplit(target), urlsplit(address)
        same = (there.scheme, there.netloc) == (here.scheme, here.netloc)
        azure = there.scheme == "https" and there.port in (None, 443) and (there.hostname or "").endswith(_AZURE)
    except ValueError:
        same = azure = False
    if not location or there.username or not (same or azure):
        raise DeliveryError("the service redirects to a host outside Azure: check IngestionEndpoint and any proxy")
    return target
