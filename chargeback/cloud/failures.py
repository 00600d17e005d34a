"""What a failed request to Azure means, in one sentence that says what to do."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from azure.core.exceptions import AzureError, ClientAuthenticationError

from chargeback.errors import CloudError

_LONGEST = 300
_NO_ADVICE: Mapping[int, str] = MappingProxyType({})
_ADVICE: Mapping[int, str] = MappingProxyType(
    {
        401: "sign in again (az login), or check the identity",
        403: "the identity has no role there that lets it read: ask for one",
        404: "there is no such thing: check the id",
        429: "too many requests: try again in some minutes",
        504: "it took too long: try again, or ask for less",
    }
)


def refused(what: str, status: int, said: str = "", advice: Mapping[int, str] = _NO_ADVICE) -> CloudError:
    """Return the error for an answer with a status; `said` is the service's own sentence, `advice` beats the usual."""
    usual = "Azure is in trouble: try again later" if status >= 500 else "that is not what was asked for"
    do_this = advice.get(status) or _ADVICE.get(status) or usual
    own = f" ({short(said)})" if said else ""
    return CloudError(f"{what} answered {status}{own}: {do_this}")


def unanswered(what: str, error: AzureError) -> CloudError:
    """Return the error for a request that has no answer."""
    if isinstance(error, ClientAuthenticationError):
        return CloudError(f"no token for {what}: sign in (az login), or give the identity to this machine")
    return CloudError(f"no answer from {what} ({type(error).__name__}): check the network and the address, try again")


def misshapen(what: str) -> CloudError:
    """Return the error for an answer that is not of the API's shape."""
    return CloudError(f"{what} answered in a form that nobody knows: check the address, there may be something between")


def short(said: str) -> str:
    """Return a service's words in one line of bounded length."""
    line = re.sub(r"\s+", " ", said).strip().rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
