"""The settings: all that is missing or malformed, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from chargeback.doctor.finding import Finding, bad, not_checked, ok
from chargeback.errors import SettingsError
from chargeback.settings import AUTHENTICATION_STRING, CONNECTION_STRING, STORAGE, Settings
from chargeback.settings.hub import GATEWAY_LOG, GATEWAY_LOG_NAME, GROUP, Hub

_WHERE = "set it in this shell as it stands in the function app's settings"


@dataclass(frozen=True, slots=True)
class Configured:
    """What the settings say, as far as they can be read."""

    settings: Settings | None
    hub: Hub | None
    gateway_log: Hub | None
    group: str
    findings: tuple[Finding, ...]


def configured(told: Mapping[str, str]) -> Configured:
    """Read every setting, each by itself, so that one that is wrong hides no other."""
    settings, about_settings = _settings(told)
    hub, about_hub = _hub("settings: Event Hubs", lambda: Hub.from_environment(told))
    log: Hub | None = None
    about_log = not_checked("settings: gateway log", f"{GATEWAY_LOG_NAME} is not set: live streams stay pending")
    if told.get(GATEWAY_LOG_NAME, "").strip():
        log, about_log = _hub("settings: gateway log", lambda: Hub.from_environment(told, *GATEWAY_LOG))
    group = told.get(GROUP, "").strip()
    about_group = (
        ok("settings: consumer group", group)
        if group
        else bad("settings: consumer group", f"{GROUP} is not set", f"{_WHERE}: the function's own group")
    )
    findings = (*about_settings, about_hub, about_group, about_log)
    return Configured(settings, hub, log, group, findings)


def _settings(told: Mapping[str, str]) -> tuple[Settings | None, tuple[Finding, ...]]:
    insights, storage = "settings: Application Insights", "settings: storage"
    try:
        settings = Settings.from_environment(told)
    except SettingsError as error:
        return None, (bad("settings: function", str(error), "correct it: the app does not start with it"),)
    found = [ok("settings: function", "all of them are well-formed")]
    if settings.ingestion is None:
        found.append(bad(insights, f"{CONNECTION_STRING} is not set", _WHERE))
    else:
        who = "an identity" if settings.ingestion.entra else f"no identity ({AUTHENTICATION_STRING} is empty)"
        found.append(ok(insights, f"events are sent with {who}"))
    kept = settings.storage.folder or settings.storage.account_url or settings.storage.connection_string
    found.append(
        ok(storage, f"dead letters go to {settings.storage.folder or settings.storage.container}")
        if kept
        else bad(storage, f"{STORAGE} is not set", f"{_WHERE}, or {STORAGE}__accountName")
    )
    return settings, tuple(found)


def _hub(name: str, read: Callable[[], Hub]) -> tuple[Hub | None, Finding]:
    try:
        hub = read()
    except SettingsError as error:
        return None, bad(name, str(error), "correct it")
    return hub, ok(name, f"hub {hub.name}, by {'a connection string' if hub.connection_string else 'an identity'}")
