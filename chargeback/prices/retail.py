"""The Azure Retail Prices API: public list prices of every meter, page after page, without a key.

Source: Microsoft Learn, "Azure Retail Prices overview". It answers an unknown service name with 200 and no items, so an
empty answer is an error here: `Cognitive Services` was renamed to `Foundry Models` that way.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote, urlsplit

from azure.core import PipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import PipelineResponse, policies
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest, HttpResponse

from chargeback import __version__
from chargeback.errors import PriceError
from chargeback.prices.items import Page, RetailPrice, read_page

URL = "https://prices.azure.com/api/retail/prices"
SERVICE = "Foundry Models"
_VERSION = "2023-01-01-preview"
_CURRENCY = "USD"
_MOST_PAGES = 1000
_CONNECT_SECONDS = 10.0
_LONGEST_WAIT_SECONDS = 60.0
_PORTS = {"https": 443, "http": 80}
_NOWHERE = ("", None, None, None)
_EVERYWHERE = ("Global", "")
"""What stands for a region where a meter has none."""

Progress: TypeAlias = Callable[[int, int], None]
"""Is told the pages and meters so far."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for the service, and how often to ask again."""

    read_seconds: float = 60.0
    retries: int = 4
    """Of one page: after 429, 5xx and lost connections, as long as `Retry-After` says, else with back-off."""
    backoff_seconds: float = 0.8
    most_pages: int = _MOST_PAGES


def fetch(
    regions: Sequence[str] = (), *, url: str = URL, progress: Progress | None = None, patience: Patience | None = None
) -> list[RetailPrice]:
    """Return what the API lists for Foundry's models: in USD, pay as you go.

    `regions` limits the answer to these and to what has none; without it every region's prices come, some 70 pages.

    Raises:
        PriceError: there is no answer, an empty one, one that is no price list, or one that leads to another host.
    """
    asked = patience or Patience()
    found: list[RetailPrice] = []
    client = _client(url, asked)
    try:
        for number, page in enumerate(_pages(client, _first(url, regions), asked), start=1):
            found.extend(page.items)
            if progress is not None:
                progress(number, len(found))
    finally:
        client.close()
    if not found:
        raise PriceError(
            f"{_place(url)} has no prices of the service {SERVICE}: it may have been renamed, or the regions are "
            "misspelt; look for its name in the Azure Retail Prices API and update this program"
        )
    _check_currency(found, url)
    return found


class _Retries(policies.RetryPolicy[HttpRequest, HttpResponse]):
    """Waits as long as it is told, within reason: a service that says tomorrow has not answered."""

    def get_retry_after(self, response: PipelineResponse[Any, Any]) -> float | None:
        """Return the seconds to wait that the answer names."""
        told = super().get_retry_after(response)
        return min(told, _LONGEST_WAIT_SECONDS) if told else told


def _client(url: str, asked: Patience) -> PipelineClient[HttpRequest, HttpResponse]:
    # What breaks off is said by the sentence that follows; without a handler, Python would print the library's as well.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    host = urlsplit(url).hostname or ""
    retry = _Retries(
        retry_total=asked.retries,
        retry_connect=asked.retries,
        retry_read=asked.retries,
        retry_status=asked.retries,
        retry_backoff_factor=asked.backoff_seconds,
    )
    # No redirect policy: prices come from the host that was asked, or not at all.
    chain: list[object] = [policies.UserAgentPolicy(f"chargeback/{__version__}"), policies.ProxyPolicy(), retry]
    # A proxy stands between this machine and others; this machine itself must not be looked for behind it.
    transport = RequestsTransport(use_env_settings=host not in ("127.0.0.1", "localhost", "::1"))
    return PipelineClient(url, policies=chain, transport=transport)


def _first(url: str, regions: Sequence[str]) -> str:
    wanted = f"serviceName eq '{SERVICE}' and priceType eq 'Consumption'"
    if regions:
        names = " or ".join(f"armRegionName eq '{_quoted(name)}'" for name in (*regions, *_EVERYWHERE))
        wanted += f" and ({names})"
    return f"{url}?api-version={_VERSION}&currencyCode='{_CURRENCY}'&$filter={quote(wanted)}"


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _pages(client: PipelineClient[HttpRequest, HttpResponse], first: str, asked: Patience) -> Iterator[Page]:
    address: str | None = first
    seen: set[str] = set()
    while address:
        if address in seen or len(seen) >= asked.most_pages:
            raise PriceError(
                f"{_place(first)} leads from page to page without an end ({len(seen)} so far): try again later, "
                "or name regions"
            )
        seen.add(address)
        page = _page(client, address, asked)
        yield page
        address = page.next_page_link or None
        if address:
            _check_same_place(address, first)


def _page(client: PipelineClient[HttpRequest, HttpResponse], address: str, asked: Patience) -> Page:
    request = HttpRequest("GET", address, headers={"Accept": "application/json"})
    try:
        response = client.send_request(request, connection_timeout=_CONNECT_SECONDS, read_timeout=asked.read_seconds)
        text = response.read()
    except AzureError as error:
        raise PriceError(
            f"no answer from {_place(address)} ({type(error).__name__}): check the network, and try again"
        ) from error
    if response.status_code != 200:
        raise PriceError(f"{_place(address)} answered {response.status_code}: check the address, and try again later")
    return read_page(text, _place(address))


def same_origin(address: str, other: str) -> bool:
    """Tell whether two addresses are of one scheme, host, port and user; a port may be written out or left away."""
    return _origin(address) == _origin(other) != _NOWHERE


def _check_same_place(address: str, first: str) -> None:
    if not same_origin(address, first):
        raise PriceError(f"the price list of {_place(first)} goes on at another host: check the address and any proxy")


def _origin(address: str) -> tuple[str, str | None, int | None, str | None]:
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme), parts.username
    except ValueError:
        return _NOWHERE


def _place(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _check_currency(found: Sequence[RetailPrice], url: str) -> None:
    other = next((price.currency_code for price in found if price.currency_code != _CURRENCY), None)
    if other is not None:
        raise PriceError(f"{_place(url)} answered in {other}, but prices are kept in {_CURRENCY}: check the address")
