"""What a dead-letter file is called, and what stands in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

import orjson

from chargeback.deadletter.clean import clean
from chargeback.events import DeadLetter, Position, iso

_UNSAFE = re.compile(r"[^A-Za-z0-9._$-]")


def path_of(first: Position, letters: Sequence[DeadLetter]) -> str:
    """Return the path for a batch by its first event: where it was enqueued, and its number there."""
    if first.sequence_number is not None and first.enqueued_time is not None:
        where = (first.namespace, first.hub, f"{first.partition_id or '-'}-{first.sequence_number}.jsonl")
        return "/".join(("rejected", first.enqueued_time.strftime("%Y/%m/%d"), *map(_safe, where)))
    if first.file_id is not None:
        return f"rejected/file/{first.file_id}/{first.line}.jsonl"
    # Without any position only the letters themselves tell one batch from another.
    ids = hashlib.sha256("\n".join(letter.record_id for letter in letters).encode()).hexdigest()[:16]
    return f"rejected/unknown/{ids}.jsonl"


def _safe(part: str) -> str:
    return _UNSAFE.sub("_", part).strip(".") or "-"


def merge(existing: bytes, letters: Sequence[DeadLetter]) -> bytes | None:
    """Add to a file the lines that it does not hold; `None` when it holds them all.

    A line that is not JSON (a torn write) is kept as it is: somebody may still read it.
    """
    known = {_record_of(line) for line in existing.splitlines()}
    lines: list[bytes] = []
    for line in map(line_of, letters):
        if (record := _record_of(line)) not in known:
            known.add(record)
            lines.append(line)
    if not lines:
        return None
    gap = b"\n" if existing and not existing.endswith(b"\n") else b""
    return existing + gap + b"".join(lines)


def _record_of(line: bytes) -> tuple[object, ...] | None:
    """Return what makes a line the same as another; `None` if it is no dead letter.

    The id alone would lose the second of two records that a gateway gave one request id, the hash alone one of two in
    the same body. The reason does not count: the service may choose other words the next time.
    """
    try:
        found = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict):
        return None
    return found.get("id"), found.get("sha256"), orjson.dumps(found.get("body"))


def line_of(letter: DeadLetter) -> bytes:
    """Write one dead letter; its body is cleaned here and nowhere leaves uncleaned."""
    body, replayable = clean(letter.body)
    position = letter.position
    line = {
        "id": letter.record_id,
        "recordShape": letter.shape,
        "reason": letter.reason,
        "errorType": letter.error_type,
        "replayable": replayable,
        "bytes": letter.original_bytes,
        "sha256": letter.original_sha256,
        "namespace": position.namespace,
        "hub": position.hub,
        "partitionId": position.partition_id,
        "sequenceNumber": position.sequence_number,
        "offset": position.offset,
        "enqueuedTime": iso(position.enqueued_time) if position.enqueued_time else None,
        "body": body,
    }
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
