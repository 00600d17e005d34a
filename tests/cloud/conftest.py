"""What the tests of the cloud room share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cloud.azure import Azure
from tests.faults.scripted import certificate


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Azure, as far as this process can tell."""
    (tmp_path / "tls").mkdir()
    public, context = certificate(tmp_path / "tls")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(public))
    monkeypatch.setenv("NO_PROXY", "*")
    with Azure(tls=context) as running:
        yield running
