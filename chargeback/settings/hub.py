"""The usage hub, from the settings by which the host reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chargeback.errors import SettingsError

HUB = "EventHubConnection"
HUB_NAME = "EVENT_HUB_NAME"
_NAMESPACE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+", re.IGNORECASE)
_WHERE = "in this shell as it stands in the function app's settings"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where the hub is, and as whom it is reached: by a connection string, or a namespace and an identity."""

    name: str
    connection_string: str | None = field(default=None, repr=False)
    namespace: str | None = None
    client_id: str | None = None
    """User-assigned managed identity; `None` is whoever is signed in."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Hub:
        """Read and check the settings.

        Raises:
            SettingsError: one is missing or malformed; the message names it and never quotes it.
        """
        env = os.environ if environ is None else environ
        text, namespace = env.get(HUB, "").strip(), env.get(f"{HUB}__fullyQualifiedNamespace", "").strip()
        if not text and not namespace:
            raise SettingsError(
                f"set {HUB} {_WHERE} (or {HUB}__fullyQualifiedNamespace, and sign in): it says which hub to send to"
            )
        if text and not re.search(r"(?:^|;)\s*Endpoint\s*=\s*sb://[^;]+;", f"{text};", re.IGNORECASE):
            raise SettingsError(f"{HUB} is no connection string of Event Hubs: copy it whole from the portal")
        if not text and not _NAMESPACE.fullmatch(namespace):
            raise SettingsError(f"{HUB}__fullyQualifiedNamespace must be like <name>.servicebus.windows.net")
        entity = re.search(r"(?:^|;)\s*EntityPath\s*=\s*([^;]+)", text, re.IGNORECASE)
        name = env.get(HUB_NAME, "").strip() or (entity[1].strip() if entity else "")
        if not name:
            raise SettingsError(f"set {HUB_NAME} {_WHERE}: it names the hub to send to")
        return cls(name, text or None, namespace or None, env.get(f"{HUB}__clientId") or None)
