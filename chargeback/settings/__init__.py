"""Settings from the environment: read once, checked, frozen. The only room that sees `os.environ`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from chargeback.errors import SettingsError

CONNECTION_STRING = "APPLICATIONINSIGHTS_CONNECTION_STRING"
AUTHENTICATION_STRING = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING"
STORAGE = "AzureWebJobsStorage"

_GLOBAL_ENDPOINT = "https://dc.services.visualstudio.com"
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_CONTAINER = re.compile(r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
_ACCOUNT = re.compile("usedevelopmentstorage|accountname|blobendpoint", re.IGNORECASE)
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})")
_AUDIENCE = "https://monitor.azure.com/"
_INSTANCE = ("WEBSITE_INSTANCE_ID", "WEBSITE_POD_NAME")
"""What Azure tells an instance of itself; the second in Flex Consumption."""


@dataclass(frozen=True, slots=True)
class Ingestion:
    """Where Application Insights takes events, and as whom they are sent."""

    instrumentation_key: str
    endpoint: str
    """Without a slash at the end."""
    audience: str = _AUDIENCE
    entra: bool = False
    """Authenticate with Microsoft Entra ID (a resource without local authentication refuses anything else)."""
    client_id: str | None = None
    """User-assigned managed identity; `None` is the system-assigned one."""

    @property
    def on_this_machine(self) -> bool:
        """Whether the endpoint is a stand-in on the loopback interface."""
        return urlsplit(self.endpoint).hostname in _LOOPBACK


@dataclass(frozen=True, slots=True)
class Storage:
    """Where dead letters are kept: a connection string, or an account that an identity may write to."""

    connection_string: str | None = field(default=None, repr=False)
    account_url: str | None = None
    client_id: str | None = None
    container: str = "chargeback-rejected"
    folder: str | None = None
    """A folder of this machine instead, for trials; refused in Azure, where an instance's disk is gone with it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the function can be told; docs/operations.md lists the variables."""

    ingestion: Ingestion | None = None
    connection_string: str | None = None
    """As it was given; the app's own telemetry goes there too."""
    storage: Storage = Storage()
    event_name: str = "Function called with Chargeback Data"
    delivery_seconds: float = 120.0
    """Time within which one batch is delivered or handed back to the host."""
    gzip: bool = True
    role: str = "chargeback"
    """`cloud_RoleName` of the events."""
    instance: str = ""
    gateway_log: bool = False
    """Whether the gateway's own log export is read too."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read and check the settings.

        Raises:
            SettingsError: a setting is malformed; the message names it. Its value is never quoted: it may be secret.
        """
        env = os.environ if environ is None else environ
        text = env.get(CONNECTION_STRING, "").strip()
        return cls(
            ingestion=_ingestion(text, env.get(AUTHENTICATION_STRING, "")) if text else None,
            connection_string=text or None,
            storage=_storage(env),
            event_name=_event_name(env),
            delivery_seconds=_seconds(env, "CHARGEBACK_DELIVERY_SECONDS", 120.0),
            gzip=_flag(env, "CHARGEBACK_GZIP", default=True),
            role=env.get("WEBSITE_SITE_NAME") or "chargeback",
            instance=next((env[name] for name in _INSTANCE if env.get(name)), "")[:64],
            gateway_log=bool(env.get("GATEWAY_LOG_HUB_NAME", "").strip()),
        )


def parse_pairs(text: str, setting: str) -> dict[str, str]:
    """Read `Name=value;Name=value`; names in lower case.

    Raises:
        SettingsError: a part has no `=`, or a name stands twice.
    """
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        name, equals, value = part.partition("=")
        if not equals or name.strip().lower() in pairs:
            raise SettingsError(f"{setting} is not of the form Name=value;Name=value: copy it whole from the portal")
        pairs[name.strip().lower()] = value.strip()
    return pairs


def _ingestion(text: str, authentication: str) -> Ingestion:
    pairs = parse_pairs(text, CONNECTION_STRING)
    key = pairs.get("instrumentationkey", "")
    if not re.fullmatch(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}", key):
        raise SettingsError(
            f"{CONNECTION_STRING} has no InstrumentationKey in the form of a GUID: copy it from the portal"
        )
    endpoint = pairs.get("ingestionendpoint") or _endpoint_of(pairs)
    _check_endpoint(endpoint)
    entra, client = _authentication(authentication)
    return Ingestion(key.lower(), endpoint.rstrip("/"), pairs.get("aadaudience") or _AUDIENCE, entra, client)


def _endpoint_of(pairs: Mapping[str, str]) -> str:
    """Build the address from the older form: a suffix, and perhaps a region before it."""
    suffix, location = pairs.get("endpointsuffix"), pairs.get("location")
    if not suffix:
        return _GLOBAL_ENDPOINT
    return f"https://{location + '.' if location else ''}dc.{suffix}"


def _check_endpoint(endpoint: str) -> None:
    try:
        address = urlsplit(endpoint)
        safe = address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK)
    except ValueError:
        safe = False
    if not safe or not address.hostname:
        raise SettingsError(
            f"{CONNECTION_STRING} has an IngestionEndpoint that is no https address: copy it from the portal"
        )


def _authentication(text: str) -> tuple[bool, str | None]:
    pairs = parse_pairs(text, AUTHENTICATION_STRING)
    if not pairs:
        return False, None
    if pairs.get("authorization", "").upper() != "AAD":
        raise SettingsError(f"{AUTHENTICATION_STRING} must be Authorization=AAD, perhaps with ;ClientId=<client id>")
    return True, pairs.get("clientid") or None


def _storage(env: Mapping[str, str]) -> Storage:
    container = env.get("CHARGEBACK_DEAD_LETTER_CONTAINER") or "chargeback-rejected"
    if not _CONTAINER.fullmatch(container):
        raise SettingsError("CHARGEBACK_DEAD_LETTER_CONTAINER must be 3 to 63 lower-case letters, digits and hyphens")
    account = env.get(f"{STORAGE}__accountName")
    url = env.get(f"{STORAGE}__blobServiceUri") or (f"https://{account}.blob.core.windows.net" if account else None)
    text = env.get(STORAGE) or None
    if text and not _is_account(text):
        raise SettingsError(
            f"{STORAGE} is no storage connection string, or is in quotes, or its AccountKey is not whole: copy it "
            f"whole from the portal, or set {STORAGE}__accountName for an identity"
        )
    folder = env.get("CHARGEBACK_DEAD_LETTER_FOLDER") or None
    if folder and any(env.get(name) for name in _INSTANCE):
        raise SettingsError("CHARGEBACK_DEAD_LETTER_FOLDER is for trials on one machine: remove it from the app")
    return Storage(text, url, env.get(f"{STORAGE}__clientId") or None, container, folder)


def _is_account(text: str) -> bool:
    """Tell whether it names an account, and whether its key, if it has one, is in base64."""
    key = re.search(r"accountkey\s*=([^;]*)", text, re.IGNORECASE)
    whole = key is None or _BASE64.fullmatch(key[1].strip())
    return bool(whole and text[0] not in "\"'" and _ACCOUNT.search(text))


def _event_name(env: Mapping[str, str]) -> str:
    name = env.get("CHARGEBACK_EVENT_NAME") or "Function called with Chargeback Data"
    if len(name) > 512:
        raise SettingsError("CHARGEBACK_EVENT_NAME is longer than the 512 characters that Application Insights takes")
    return name


def _seconds(env: Mapping[str, str], name: str, default: float) -> float:
    text = env.get(name) or str(default)
    if not re.fullmatch(r"\d{1,3}(\.\d+)?", text) or not 1 <= float(text) <= 200:
        # A batch may deliver twice (rejection events come last), and store letters between: functionTimeout is 600.
        raise SettingsError(f"{name} must be a number of seconds from 1 to 200 (host.json's functionTimeout is 600)")
    return float(text)


def _flag(env: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = (env.get(name) or str(default)).lower()
    if text not in ("true", "false"):
        raise SettingsError(f"{name} must be true or false")
    return text == "true"
