"""Workers that run the function for real, and the Application Insights that they send to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from chargeback.local.server import LocalApplicationInsights
from tests.runtime.process import WorkerProcess

ENGINES = [pytest.param("runtime", marks=pytest.mark.needs_python("3.13")), "sdk"]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    """The published runtime, and what azure-functions alone has of it."""
    return str(request.param)


@pytest.fixture(scope="module")
def insights() -> Iterator[LocalApplicationInsights]:
    """An Application Insights for one module's tests."""
    with LocalApplicationInsights() as running:
        yield running


@pytest.fixture(scope="module")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where dead letters are kept."""
    return tmp_path_factory.mktemp("letters")


@pytest.fixture(scope="module")
def environment(insights: LocalApplicationInsights, letters: Path) -> Mapping[str, str]:
    """The function's settings, both hubs included; batches that cannot be delivered come back within two seconds."""
    return {
        "EVENT_HUB_NAME": "usage",
        "EVENT_HUB_CONSUMER_GROUP": "$Default",
        "GATEWAY_LOG_HUB_NAME": "gateway-log",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
        "PYTHON_ENABLE_OPENTELEMETRY": "true",
        "CHARGEBACK_DEAD_LETTER_FOLDER": str(letters),
        "CHARGEBACK_DELIVERY_SECONDS": "2",
    }


@pytest.fixture(scope="module")
def worker(engine: str, environment: Mapping[str, str]) -> Iterator[WorkerProcess]:
    """One worker for all tests of a module, as in Azure; tests tell their rows apart by partition."""
    with WorkerProcess(engine, environment) as running:
        yield running
