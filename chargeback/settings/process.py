"""The environment of this process, where others than us read it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from chargeback.settings import AUTHENTICATION_STRING, Settings


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with changes, for a process that it starts."""
    return {**os.environ, **changes}


def quiet_telemetry(settings: Settings) -> None:
    """Keep azure-monitor-opentelemetry from calling anywhere but the resource it was given, unless told otherwise.

    It reads how to authenticate by itself, and stumbles over spellings that these settings take.
    """
    os.environ.pop(AUTHENTICATION_STRING, None)
    if settings.ingestion is not None and settings.ingestion.entra:
        client = settings.ingestion.client_id
        os.environ[AUTHENTICATION_STRING] = f"Authorization=AAD;ClientId={client}" if client else "Authorization=AAD"
    for name in ("STATSBEAT_DISABLED_ALL", "SDKSTATS_DISABLED", "CONTROLPLANE_DISABLED"):
        os.environ.setdefault(f"APPLICATIONINSIGHTS_{name}", "true")
    os.environ.setdefault("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "otel")
