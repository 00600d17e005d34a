"""Whether an identity gets a token for each service that it is used for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from azure.core.exceptions import ClientAuthenticationError

from chargeback.cloud import sign_in
from chargeback.doctor.configuration import Configured
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok

_ADVICE = "in Azure assign the identity, and name it in <connection>__clientId; on this machine run az login"
_HUBS, _STORAGE = "https://eventhubs.azure.net", "https://storage.azure.com"


class _Use(NamedTuple):
    name: str
    audience: str
    """The service's; empty where no identity is used for it."""
    client_id: str | None = None


def identities(told: Configured, management: str) -> Iterator[Finding]:
    """Ask for a token for each service that is reached by an identity; `management` is empty if it is not asked."""
    for use in _uses(told, management):
        if use.audience:
            yield looked_at(use.name, partial(_token, use), _ADVICE)
        else:
            yield not_checked(use.name, "no identity is used for it")


def _uses(told: Configured, management: str) -> tuple[_Use, ...]:
    hub, log, storage, ingestion = told.hub, told.gateway_log, told.settings.storage, told.settings.ingestion
    by_identity = bool(storage.account_url) and not storage.folder
    return (
        _Use("identity: Event Hubs", _HUBS if hub and hub.by_identity else "", hub.client_id if hub else None),
        _Use("identity: gateway log", _HUBS if log and log.by_identity else "", log.client_id if log else None),
        _Use("identity: storage", _STORAGE if by_identity else "", storage.client_id),
        _Use(
            "identity: Application Insights",
            # As delivery asks: the audience ends in a slash, and its scope has two.
            f"{ingestion.audience.rstrip('/')}/" if ingestion and ingestion.entra else "",
            ingestion.client_id if ingestion else None,
        ),
        _Use("identity: Azure management", management),
    )


def _token(use: _Use) -> Finding:
    try:
        sign_in(use.client_id).get_token(f"{use.audience}/.default")
    except ClientAuthenticationError:
        return bad(use.name, "there is no token for it", _ADVICE)
    return ok(use.name, "it gets a token")
