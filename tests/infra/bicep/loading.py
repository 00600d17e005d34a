"""Files that an expression loads."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from tests.infra.bicep.values import Unknown, Value


def load(function: str, folder: Path, name: str) -> Value:
    """Return what `loadTextContent` and its likes give for a file; unknown where there is none."""
    file = folder / name
    if not file.is_file():
        return Unknown(f"{function}('{name}')")
    text = file.read_text(encoding="utf-8")
    if function == "loadJsonContent":
        loaded: Value = json.loads(text)
        return loaded
    if function == "loadYamlContent":
        read: Value = yaml.safe_load(text)
        return read
    return text
