"""Whether an identity gets a token for each service that it is used for."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from azure.core.exceptions import ClientAuthenticationError

from chargeback.doctor.configuration import Configured
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok

_SCOPES = {
    "identity: Event Hubs": "https://eventhubs.azure.net/.default",
    "identity: storage": "https://storage.azure.com/.default",
    "identity: Application Insights": "https://monitor.azure.com/.default",
}
_ADVICE = "in Azure assign the identity, and name it in <connection>__clientId; on this machine run az login"


def identities(told: Configured) -> Iterator[Finding]:
    """Ask for a token for each service that is reached by an identity."""
    for name, scope in _SCOPES.items():
        used, client = _who(name, told)
        if used:
            yield looked_at(name, partial(_token, name, scope, client), _ADVICE)
        else:
            yield not_checked(name, "no identity is used for it")


def _who(name: str, told: Configured) -> tuple[bool, str | None]:
    if name == "identity: Event Hubs":
        return bool(told.hub and told.hub.namespace), told.hub.client_id if told.hub else None
    if told.settings is None:
        return False, None
    if name == "identity: storage":
        return bool(told.settings.storage.account_url), told.settings.storage.client_id
    ingestion = told.settings.ingestion
    return bool(ingestion and ingestion.entra), ingestion.client_id if ingestion else None


def _token(name: str, scope: str, client_id: str | None) -> Finding:
    from azure.identity import DefaultAzureCredential  # it takes long to load, and is not needed without identities

    try:
        with DefaultAzureCredential(managed_identity_client_id=client_id) as credential:
            credential.get_token(scope)
    except ClientAuthenticationError:
        return bad(name, "there is no token for it", _ADVICE)
    return ok(name, "it gets a token")
