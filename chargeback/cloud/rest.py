"""Requests to Azure's management API and to Microsoft Graph, for what no client library of ours covers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any
from urllib.parse import urljoin, urlsplit

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RetryPolicy, UserAgentPolicy
from azure.core.rest import HttpRequest, HttpResponse

from chargeback.cloud.failures import misshapen, refused, unanswered
from chargeback.errors import CloudError

MANAGEMENT = "https://management.azure.com"
GRAPH = "https://graph.microsoft.com"
_NOTHING: Mapping[str, str] = MappingProxyType({})
_NO_ADVICE: Mapping[int, str] = MappingProxyType({})
_PORTS = {"https": 443, "http": 80}
_MOST_PAGES = 1000


class Rest:
    """One of Azure's APIs, asked as somebody; a context manager. Tokens go to its own address alone."""

    def __init__(self, endpoint: str, credential: TokenCredential) -> None:
        """Name the API; nothing is sent yet."""
        self._endpoint = endpoint.rstrip("/")
        self._name = urlsplit(self._endpoint).hostname or self._endpoint
        self._client: PipelineClient[HttpRequest, HttpResponse] = PipelineClient(
            self._endpoint,
            # No redirect policy: a token does not follow a redirect.
            policies=[
                UserAgentPolicy("chargeback"),
                RetryPolicy(retry_total=3, retry_connect=1),
                BearerTokenCredentialPolicy(credential, f"{self._endpoint}/.default"),
            ],
        )

    def get(
        self, path: str, parameters: Mapping[str, str] = _NOTHING, advice: Mapping[int, str] = _NO_ADVICE
    ) -> dict[str, Any]:
        """Return an object; numbers with a fraction are Decimal. `advice` is what to do about a status.

        Raises:
            CloudError: there is no answer, another status than 200, or no object.
        """
        return self._object(HttpRequest("GET", self._endpoint + path, params=dict(parameters)), advice)

    def post(self, path: str, body: object, advice: Mapping[int, str] = _NO_ADVICE) -> dict[str, Any]:
        """Send JSON; return the object that is the answer.

        Raises:
            CloudError: as `get`.
        """
        return self._object(HttpRequest("POST", self._endpoint + path, json=body), advice)

    def values(
        self, path: str, parameters: Mapping[str, str], advice: Mapping[int, str] = _NO_ADVICE
    ) -> Iterator[dict[str, Any]]:
        """Yield the objects of a list, over all its pages.

        Raises:
            CloudError: as `get`; or a page points to another server, or there is no end of pages.
        """
        page = self.get(path, parameters, advice)
        for _ in range(_MOST_PAGES):
            items = page.get("value")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise misshapen(self._name)
            yield from items
            following = page.get("nextLink") or page.get("@odata.nextLink")
            if not following:
                return
            page = self._object(HttpRequest("GET", self._own(str(following))), advice)
        raise CloudError(f"{self._name} has no end of pages: try again later")

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def __enter__(self) -> Rest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _own(self, address: str) -> str:
        whole = urljoin(f"{self._endpoint}/", address)
        if _origin(whole) != _origin(self._endpoint):
            raise CloudError(f"{self._name} sends us to another server for the next page: try again later")
        return whole

    def _object(self, request: HttpRequest, advice: Mapping[int, str]) -> dict[str, Any]:
        try:
            response = self._client.send_request(request)
            response.read()
        except AzureError as error:
            raise unanswered(self._name, error) from error
        if response.status_code != 200:
            raise refused(self._name, response.status_code, _said(response), advice)
        answer = _json(response)
        if not isinstance(answer, dict):
            raise misshapen(self._name)
        return answer


def _json(response: HttpResponse) -> object:
    try:
        return json.loads(response.content, parse_float=Decimal)
    except ValueError:
        return None


def _said(response: HttpResponse) -> str:
    answer = _json(response)
    error = answer.get("error", answer) if isinstance(answer, dict) else None
    message = error.get("message") if isinstance(error, dict) else None
    return message if isinstance(message, str) else ""


def _origin(address: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(address)
        return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)
    except ValueError:  # a port that is no number
        return "", None, None
