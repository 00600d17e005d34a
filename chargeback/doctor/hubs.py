"""The hubs: reachable, the consumer group there, and how far behind the function is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from chargeback.deadletter.blobs import container_of
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok
from chargeback.hub.looking import Group, Partition, partitions
from chargeback.hub.looking import group as group_of
from chargeback.settings import Storage
from chargeback.settings.hub import Hub

CHECKPOINTS = "azure-webjobs-eventhub"
"""Where the host of Azure Functions keeps how far it has read."""
_BEHIND = 10_000
"""Events of a partition that are no queue yet: ten batches."""
_LEAST = -(2**63)
"""Written where the host knows an offset and no number."""
_STORE = "check AzureWebJobsStorage: the identity needs Storage Blob Data Contributor or more"


class _Place(NamedTuple):
    """How far one partition has been read."""

    id: str
    behind: int
    expired: int
    """Events that the hub has dropped before they were read."""
    read: bool
    """Whether there is a checkpoint."""
    ahead: bool
    """Whether that is past the partition's end."""


def hub(kind: str, told: Hub | None, group: str, storage: Storage) -> Iterator[Finding]:
    """Look at one hub; `kind` is how its lines begin."""
    names = [f"{kind}: {what}" for what in ("reachable", "consumer group", "lag")]
    if told is None:
        yield from (not_checked(name, "its settings are missing, or cannot be read") for name in names)
        return
    found: list[Partition] = []
    advice = _reach(told)

    def reach() -> Finding:
        found.extend(partitions(told))
        return ok(names[0], f"{len(found)} partitions")

    yield looked_at(names[0], reach, advice)
    if not found:
        yield from (not_checked(name, "the hub is not reached") for name in names[1:])
        return
    if not group:
        yield from (not_checked(name, "no group is set") for name in names[1:])
        return
    yield looked_at(names[1], lambda: _group(names[1], told, group, found), advice)
    yield looked_at(names[2], lambda: _lag(names[2], told, group, storage), _STORE)


def _group(name: str, told: Hub, group: str, found: Sequence[Partition]) -> Finding:
    match group_of(told, group, found):
        case Group.THERE:
            return ok(name, f"{group} is there")
        case Group.TAKEN:
            return ok(name, f"{group} is there, and being read")
        case Group.MISSING:
            return bad(name, f"there is no group {group}", "make it, or name one that is there in its setting")
        case Group.FORBIDDEN:
            return bad(name, f"{group} may not be read", "grant Azure Event Hubs Data Receiver, or a key with Listen")
        case Group.SILENT:
            return bad(name, f"no answer about {group}", _reach(told))


def _reach(told: Hub) -> str:
    return f"check {told.setting} and {told.name_setting}, and that this machine may reach it (AMQP, port 5671)"


def _lag(name: str, told: Hub, group: str, storage: Storage) -> Finding:
    if not (storage.account_url or storage.connection_string):
        return not_checked(name, "no storage account is set, where the host keeps its checkpoints", "set it")
    read = _checkpoints(told, group, storage)
    # The ends after the checkpoints: the function reads on meanwhile, and is not ahead of the hub.
    return judged(name, partitions(told), read)


def judged(name: str, found: Sequence[Partition], read: Mapping[str, int | None]) -> Finding:
    """Compare a hub's partitions with the last sequence numbers read; `None` is a checkpoint that says no number."""
    unknown = [one.id for one in found if one.id in read and read[one.id] is None]
    places = [_place(one, read) for one in found if one.id not in unknown]
    if expired := _told((one.id, one.expired) for one in places):
        advice = "they are lost to this function: raise the hub's retention, and compare with the gateway's metrics"
        return bad(name, f"dropped by the hub before they were read, in partitions {expired}", advice)
    if ahead := ", ".join(one.id for one in places if one.ahead):
        advice = f"was the hub made anew? Stop the function, delete the checkpoints in {CHECKPOINTS}, start it"
        return bad(name, f"the checkpoint is past the end of partition {ahead}", advice)
    behind = _told((one.id, one.behind) for one in places)
    seen = f"{sum(one.behind for one in places)} events behind, in partitions {behind}" if behind else "none"
    if unread := ", ".join(one.id for one in places if not one.read):
        advice = "is the function running, and has it a trigger on this hub? Look at its errors"
        return bad(name, f"partition {unread} was never read; {seen}", advice)
    if any(one.behind > _BEHIND for one in places):
        return bad(name, seen, "look at chargeback.failures; then more instances or partitions (docs/deploy.md)")
    if unknown:
        why = f"the checkpoint of partition {', '.join(unknown)} says no number; else {seen}"
        return not_checked(name, why, "chargeback.lag says how many seconds it is")
    return ok(name, seen)


def _place(one: Partition, read: Mapping[str, int | None]) -> _Place:
    last_read = read.get(one.id)
    if last_read is None:
        return _Place(one.id, one.last - one.first + 1, 0, one.empty, ahead=False)
    oldest_unread = max(last_read + 1, one.first)
    expired = max(0, one.first - 1 - last_read)
    return _Place(one.id, max(0, one.last - oldest_unread + 1), expired, read=True, ahead=last_read > one.last)


def _told(counts: Iterator[tuple[str, int]]) -> str:
    return ", ".join(f"{partition}: {events}" for partition, events in counts if events)


def _checkpoints(told: Hub, group: str, storage: Storage) -> dict[str, int | None]:
    """Return the last sequence number that each partition's checkpoint says; `None`: it says an offset alone.

    Names are `<namespace>/<hub>/<group>/checkpoint/<partition>`, all but the last in lower case, and the number is in
    the metadata (Azure.Messaging.EventHubs, BlobCheckpointStoreInternal).
    """
    container = container_of(replace(storage, container=CHECKPOINTS))
    prefix = f"{told.address}/{told.name}/{group}/checkpoint/".lower()
    if not container.exists():
        return {}
    blobs = container.list_blobs(name_starts_with=prefix, include=["metadata"])
    return {blob.name.removeprefix(prefix): _number((blob.metadata or {}).get("sequencenumber", "")) for blob in blobs}


def _number(text: str) -> int | None:
    if not text.removeprefix("-").isdecimal() or int(text) == _LEAST:
        return None
    return int(text)
