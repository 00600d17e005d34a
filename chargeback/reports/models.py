"""Names of models as responses and people write them, taken apart as kql/lib/models.kql does."""

from __future__ import annotations

import re

# 2024-11-20, 20250929, or a month and a day, as in Azure's older names.
_VERSION = re.compile(r"(?P<model>.+?)[-@](?P<version>20\d\d-[01]\d-[0-3]\d|20\d\d[01]\d[0-3]\d|[01]\d[0-3]\d)")


def taken_apart(name: str) -> tuple[str, str]:
    """Return model and version of a name: case, a date at its end, `gpt-35`. No version is empty."""
    plain = re.sub("^gpt-35", "gpt-3.5", name.strip().lower())
    found = _VERSION.fullmatch(plain)
    return (found["model"], found["version"]) if found else (plain, "")
