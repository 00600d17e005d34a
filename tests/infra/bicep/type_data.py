"""The published types of Azure's resources, as they are kept in tests/data/bicep-types (see NOTICE there)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "data" / "bicep-types"

REQUIRED, READ_ONLY = 1, 2

Type = Mapping[str, Any]
"""One type as the definitions have it: its `$type` says what it is, and others are named by their number."""


class ResourceType:
    """The type of one resource in one API version."""

    def __init__(self, types: list[Type]) -> None:
        self._types = types

    @property
    def body(self) -> Type:
        return self.at(self._types[0]["body"])

    def at(self, reference: Type) -> Type:
        """Follow references to the type they name."""
        while "$ref" in reference:
            reference = self._types[int(str(reference["$ref"]).removeprefix("#/"))]
        return reference


@cache
def names() -> Mapping[str, Path]:
    """Return `type@version`, in lower case, of all that is kept -> its file."""
    return {file.stem.replace("_", "/").lower(): file for file in sorted(FOLDER.glob("*.json"))}


@cache
def resource_type(name: str) -> ResourceType | None:
    """Return the type of `Microsoft.Web/sites@2024-11-01`, whatever its case; `None` if it is not kept."""
    file = names().get(name.lower())
    return None if file is None else ResourceType(json.loads(file.read_text(encoding="utf-8")))
