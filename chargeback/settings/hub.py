"""The usage hub, from the settings by which the host reads it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from chargeback.errors import SettingsError
from chargeback.settings import parse_pairs

HUB = "EventHubConnection"
HUB_NAME = "EVENT_HUB_NAME"
GROUP = "EVENT_HUB_CONSUMER_GROUP"
GATEWAY_LOG_NAME = "GATEWAY_LOG_HUB_NAME"
GATEWAY_LOG = ("GatewayLogConnection", GATEWAY_LOG_NAME)
_NAMESPACE = re.compile(r"(?:[a-z0-9-]+\.)+[a-z0-9-]+", re.IGNORECASE)
_ADDRESS = re.compile(r"sb://([a-z0-9][a-z0-9.-]*)(:\d+)?/*$", re.IGNORECASE)
_WHERE = "in this shell as it stands in the function app's settings"


@dataclass(frozen=True, slots=True)
class Hub:
    """Where the hub is, and as whom it is reached: by a connection string, or a namespace and an identity."""

    name: str
    connection_string: str | None = field(default=None, repr=False)
    namespace: str | None = None
    client_id: str | None = None
    """User-assigned managed identity; `None` is whoever is signed in."""
    setting: str = HUB
    """Which one says where it is."""
    name_setting: str = HUB_NAME

    @classmethod
    def from_environment(
        cls, environ: Mapping[str, str] | None = None, connection: str = HUB, named: str = HUB_NAME
    ) -> Hub:
        """Read and check the settings, of the usage hub or of another one.

        Raises:
            SettingsError: one is missing or malformed; the message names it and never quotes it.
        """
        env = os.environ if environ is None else environ
        text, namespace = env.get(connection, "").strip(), env.get(f"{connection}__fullyQualifiedNamespace", "").strip()
        if not text and not namespace:
            raise SettingsError(
                f"set {connection} {_WHERE} (or {connection}__fullyQualifiedNamespace, and sign in): where the hub is"
            )
        if text and not _is_whole(parse_pairs(text, connection)):
            raise SettingsError(f"{connection} is no connection string of Event Hubs: copy it whole from the portal")
        if not text and not _NAMESPACE.fullmatch(namespace):
            raise SettingsError(f"{connection}__fullyQualifiedNamespace must be like <name>.servicebus.windows.net")
        setting = connection if text else f"{connection}__fullyQualifiedNamespace"
        name = _name(env.get(named, "").strip(), text, connection, named)
        return cls(name, text or None, namespace or None, env.get(f"{connection}__clientId") or None, setting, named)

    @property
    def by_identity(self) -> bool:
        """Whether an identity reaches it: a connection string, where both are set, has a key of its own."""
        return not self.connection_string

    @property
    def address(self) -> str:
        """Return the host name of its namespace."""
        if self.namespace:
            return self.namespace
        found = _ADDRESS.match(parse_pairs(self.connection_string or "", HUB).get("endpoint", ""))
        return found[1] if found else ""


def _name(name: str, text: str, connection: str, named: str) -> str:
    """Return the hub's name; the host's library follows the one that stands in the connection string."""
    entity = re.search(r"(?:^|;)\s*EntityPath\s*=\s*([^;]+)", text, re.IGNORECASE)
    inside = entity[1].strip() if entity else ""
    if not name and not inside:
        raise SettingsError(f"set {named} {_WHERE}: it names the hub")
    if name and inside and name.lower() != inside.lower():
        raise SettingsError(
            f"{named} names one hub and the EntityPath in {connection} another, which is the one that the function "
            f"would read: take EntityPath out of {connection}, or set {named} to the same"
        )
    return name or inside


def _is_whole(pairs: Mapping[str, str]) -> bool:
    """Tell whether a connection string has an address, and a key with its name or a signature."""
    signed = pairs.get("sharedaccesssignature") or (pairs.get("sharedaccesskeyname") and pairs.get("sharedaccesskey"))
    return bool(_ADDRESS.match(pairs.get("endpoint", ""))) and bool(signed)
