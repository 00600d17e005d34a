"""In which order files of dead letters are sent again: as the hub took them."""

from __future__ import annotations

import re

from chargeback.deadletter.stored import File

_OF_A_HUB = re.compile(r"rejected/(\d{4}/\d\d/\d\d)/([^/]+)/([^/]+)/(.+)-(\d+)\.jsonl")


def in_order(files: list[File]) -> list[File]:
    """Return files by hub, partition and first sequence number; a hub that was made anew begins with another day."""
    return sorted(files, key=_place)


def _place(file: File) -> tuple[str, str, str, str, int, str]:
    found = _OF_A_HUB.fullmatch(file.path)
    if not found:  # from a file, or from nowhere: by name, and first
        return "", "", "", "", 0, file.path
    day, namespace, hub, partition, number = found.groups()
    return namespace, hub, partition, day, int(number), file.path
