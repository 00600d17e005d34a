"""What only Azure knows: logs, metrics, names, and the blobs that closed months are kept in. Not deployed."""

from __future__ import annotations

import logging

from azure.core.credentials import TokenCredential


def sign_in(client_id: str | None = None) -> TokenCredential:
    """Return whoever the environment says we are: a service, a managed identity, or the user of Azure's tools.

    Of several managed identities `client_id` names one. Nothing is asked before the first token is needed.
    """
    # Late: it takes longer to load than most commands run.
    from azure.identity import DefaultAzureCredential

    # Without a handler Python prints the library's warnings: a page of them where nobody is signed in.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    return DefaultAzureCredential(managed_identity_client_id=client_id)
