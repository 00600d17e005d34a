"""What the tests of closing share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.closing.scene import MARCH, Scene, reference_of, store_of
from tests.cloud.azure import Azure, signed_in


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    """Return the scene with nothing closed."""
    store_of(tmp_path)
    reference_of(tmp_path)
    return Scene(tmp_path)


@pytest.fixture(scope="session")
def closed_once(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Return the scene with March closed; for `closed` to copy, because making a statement takes seconds."""
    folder = tmp_path_factory.mktemp("closed-once")
    store_of(folder)
    reference_of(folder)
    made = Scene(folder)
    assert made.close(MARCH, "--without-reconcile")[0] == 0
    return made


@pytest.fixture
def closed(tmp_path: Path, closed_once: Scene) -> Scene:
    """Return the scene with March closed."""
    shutil.copytree(closed_once.folder, tmp_path / "scene")
    return Scene(tmp_path / "scene")


@pytest.fixture
def azure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Azure]:
    """Azure, to which this process signs in as a managed identity."""
    with signed_in(tmp_path, monkeypatch) as running:
        yield running
