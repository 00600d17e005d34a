"""Starts the programs that are measured, each in a fresh process, and the endpoint that they send to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
BENCH = "tests.bench"

# What the Azure Monitor distribution sends elsewhere is switched off for all: it would leave this machine.
QUIET = {
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL": "true",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED": "true",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED": "true",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "otel",
}


def connection_string(endpoint: str) -> str:
    """Return what leads to the endpoint."""
    return f"InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint={endpoint}"


def app_settings(endpoint: str) -> Mapping[str, str]:
    """Return the function's settings, as it is deployed."""
    return {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": connection_string(endpoint),
        "AzureWebJobsStorage": "UseDevelopmentStorage=true",
        "EVENT_HUB_NAME": "usage",
        "EVENT_HUB_CONSUMER_GROUP": "$Default",
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
    }


@contextmanager
def counting_endpoint() -> Iterator[str]:
    """Run the endpoint; yield its address."""
    with subprocess.Popen([sys.executable, "-m", f"{BENCH}.endpoint"], cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            port = process.stdout.readline().decode().strip() if process.stdout else ""
            yield f"http://127.0.0.1:{port}/"
        finally:
            process.kill()


def measured(module: str, *arguments: str, settings: Mapping[str, str] | None = None) -> Mapping[str, float]:
    """Run a program of the bench with nothing but these settings; return the figures that it prints as JSON.

    Raises:
        RuntimeError: it failed; with the end of what it said.
    """
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = kept | QUIET | {"PYTHONPATH": str(ROOT)} | dict(settings or {})
    command = [sys.executable, "-m", f"{BENCH}.{module}", *arguments]
    answer = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600)
    if answer.returncode:
        raise RuntimeError(f"{module} {' '.join(arguments)} failed: {answer.stderr[-2000:]}")
    figures: dict[str, float] = json.loads(answer.stdout.splitlines()[-1])
    return figures
