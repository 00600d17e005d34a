"""What $management answers: a hub's properties, or a partition's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from proton import timestamp

from tests.peers.partitions import Partition


def described(
    hub: str, partitions: Sequence[Partition], asked: Mapping[str, object] | None
) -> tuple[int, Mapping[str, object] | None]:
    """Return a status, and what is asked for."""
    ids = [partition.id for partition in partitions]
    question = asked or {}
    wanted = question.get("partition")
    if question.get("name") != hub or wanted not in (None, *ids):
        return 404, None
    if wanted is None:
        told = {"name": hub, "created_at": timestamp(0), "partition_count": len(ids), "partition_ids": ids}
        return 200, told
    (partition,) = (one for one in partitions if one.id == wanted)
    last = partition.last
    return 200, {
        "name": hub,
        "partition": partition.id,
        "begin_sequence_number": 0,
        "last_enqueued_sequence_number": last.number if last else -1,
        "last_enqueued_offset": str(last.offset if last else -1),
        "last_enqueued_time_utc": timestamp(last.milliseconds if last else 0),
        "is_partition_empty": last is None,
    }
