"""The settings: all that is missing or malformed, at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from chargeback.doctor.finding import Finding, bad, not_checked, ok
from chargeback.errors import SettingsError
from chargeback.settings import AUTHENTICATION_STRING, CONNECTION_STRING, STORAGE, Settings, Storage
from chargeback.settings.hub import GATEWAY_LOG, GATEWAY_LOG_NAME, GROUP, HUB, HUB_NAME, Hub

_FUNCTION, _INSIGHTS, _STORAGE = "settings: function", "settings: Application Insights", "settings: storage"
_WHERE = "set it in this shell as it stands in the function app's settings"
_CORRECT = "correct it: the app does not start with it"
_ANY = "InstrumentationKey=00000000-0000-0000-0000-000000000000"
"""A well-formed connection string: without one, how to sign in is not looked at."""
_OF_THE_PLATFORM = "WEBSITE_"
"""What Azure tells an instance; other settings are read in its light."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What the settings say; what is malformed is left out."""

    settings: Settings
    hub: Hub | None
    gateway_log: Hub | None
    group: str
    findings: tuple[Finding, ...]


def configured(told: Mapping[str, str]) -> Configured:
    """Read every setting, each by itself, so that one that is wrong hides no other."""
    problems = _problems(told)
    settings = _usable(told, problems)
    hub, about_hub = _hub("settings: Event Hubs", told, HUB, HUB_NAME)
    log: Hub | None = None
    about_log = not_checked("settings: gateway log", f"{GATEWAY_LOG_NAME} is not set: live streams stay pending")
    if told.get(GATEWAY_LOG_NAME, "").strip():
        log, about_log = _hub("settings: gateway log", told, *GATEWAY_LOG)
    group = told.get(GROUP, "").strip()
    about_group = (
        ok("settings: consumer group", group)
        if group
        else bad("settings: consumer group", f"{GROUP} is not set", f"{_WHERE}: the function's own group")
    )
    findings = (
        _malformed(_FUNCTION, problems) or ok(_FUNCTION, "all others are well-formed"),
        _malformed(_INSIGHTS, problems) or _insights(settings),
        _malformed(_STORAGE, problems) or _storage(settings.storage),
        *(about_hub, about_group, about_log),
    )
    return Configured(settings, hub, log, group, findings)


def _problems(told: Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with each setting that is malformed."""
    beside = {CONNECTION_STRING: _ANY} | {
        name: value for name, value in told.items() if name.startswith(_OF_THE_PLATFORM)
    }
    found = {}
    for name, value in told.items():
        try:
            Settings.from_environment(beside | {name: value})
        except SettingsError as error:
            found[name] = str(error)
    return found


def _usable(told: Mapping[str, str], problems: Mapping[str, str]) -> Settings:
    """Return what can be read; nothing is sent or stored by half of what belongs together."""
    settings = Settings.from_environment({name: value for name, value in told.items() if name not in problems})
    about = {_line_of(name) for name in problems}
    if _INSIGHTS in about:
        settings = replace(settings, ingestion=None, connection_string=None)
    return replace(settings, storage=Storage()) if _STORAGE in about else settings


def _line_of(setting: str) -> str:
    if setting in (CONNECTION_STRING, AUTHENTICATION_STRING):
        return _INSIGHTS
    return _STORAGE if setting.startswith((STORAGE, "CHARGEBACK_DEAD_LETTER_")) else _FUNCTION


def _malformed(line: str, problems: Mapping[str, str]) -> Finding | None:
    ours = [problem for setting, problem in problems.items() if _line_of(setting) == line]
    return bad(line, "; ".join(ours), _CORRECT) if ours else None


def _insights(settings: Settings) -> Finding:
    if settings.ingestion is None:
        return bad(_INSIGHTS, f"{CONNECTION_STRING} is not set", _WHERE)
    who = "an identity" if settings.ingestion.entra else f"no identity ({AUTHENTICATION_STRING} is empty)"
    return ok(_INSIGHTS, f"events are sent with {who}")


def _storage(storage: Storage) -> Finding:
    if storage.folder or storage.account_url or storage.connection_string:
        return ok(_STORAGE, f"dead letters go to {storage.folder or storage.container}")
    return bad(_STORAGE, f"{STORAGE} is not set", f"{_WHERE}, or {STORAGE}__accountName")


def _hub(line: str, told: Mapping[str, str], connection: str, name: str) -> tuple[Hub | None, Finding]:
    named = bool(told.get(name, "").strip())
    try:
        hub = Hub.from_environment(told, connection, name)
    except SettingsError as error:
        problems, there = [str(error)], bool(told.get(connection, "").strip())
        if not there:  # else the name may stand in it
            problems += _about_name(told, connection, name)
        missing = not (there or told.get(f"{connection}__fullyQualifiedNamespace", "").strip()) or not named
        return None, bad(line, "; ".join(dict.fromkeys(problems)), _WHERE if missing else "correct it")
    if not named:
        # The trigger is bound to the setting, whatever the connection string says.
        return hub, bad(line, f"{name} is not set: the app does not start without it", f"{_WHERE}: it names the hub")
    return hub, ok(line, f"hub {hub.name}, by {'a connection string' if hub.connection_string else 'an identity'}")


def _about_name(told: Mapping[str, str], connection: str, name: str) -> list[str]:
    """Return what is wrong with a hub's name, whatever its connection is."""
    try:
        Hub.from_environment(
            {f"{connection}__fullyQualifiedNamespace": "a.b", name: told.get(name, "")}, connection, name
        )
    except SettingsError as error:
        return [str(error)]
    return []
