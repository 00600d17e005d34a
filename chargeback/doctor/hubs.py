"""The hubs: reachable, the consumer group there, and how far behind the function is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from chargeback.deadletter.blobs import container_of
from chargeback.doctor.finding import Finding, bad, looked_at, not_checked, ok
from chargeback.hub.looking import Partition, group_exists, partitions
from chargeback.settings import Storage
from chargeback.settings.hub import Hub

CHECKPOINTS = "azure-webjobs-eventhub"
"""Where the host of Azure Functions keeps how far it has read."""
_BEHIND = 10_000
"""Events of a partition that are no queue yet: ten batches."""


def hub(kind: str, told: Hub | None, group: str, storage: Storage | None) -> Iterator[Finding]:
    """Look at one hub; `kind` is how its lines begin."""
    names = [f"{kind}: {what}" for what in ("reachable", "consumer group", "lag")]
    if told is None:
        yield from (not_checked(name, "its settings cannot be read") for name in names)
        return
    found: list[Partition] = []

    def reach() -> Finding:
        found.extend(partitions(told))
        return ok(names[0], f"{len(found)} partitions")

    yield looked_at(names[0], reach, "check the connection, the hub's name, and that this machine may reach it")
    if not found:
        yield from (not_checked(name, "the hub is not reached") for name in names[1:])
        return
    yield looked_at(
        names[1], lambda: _group(names[1], told, group), "make the group, or name one that is there in its setting"
    )
    yield looked_at(names[2], lambda: _lag(names[2], told, group, storage, found), "check the storage account")


def _group(name: str, told: Hub, group: str) -> Finding:
    if not group:
        return not_checked(name, "no group is set")
    if group_exists(told, group):
        return ok(name, f"{group} is there")
    return bad(name, f"there is no group {group} that may be read", "make it, or grant Azure Event Hubs Data Receiver")


def _lag(name: str, told: Hub, group: str, storage: Storage | None, found: list[Partition]) -> Finding:
    if storage is None or not (storage.account_url or storage.connection_string):
        return not_checked(name, "no storage account is set, where the host keeps its checkpoints")
    read = _checkpoints(told, group, storage)
    behind = {one.id: one.last - read.get(one.id, one.first - 1) for one in found if one.last >= one.first}
    unread = [one.id for one in found if one.id not in read and one.last >= one.first]
    seen = f"{sum(behind.values())} events behind, in partitions {_told(behind)}" if any(behind.values()) else "none"
    if unread:
        advice = "is the function running, and has it a trigger on this hub? Look at its errors"
        return bad(name, f"partition {', '.join(unread)} was never read; {seen}", advice)
    if max(behind.values(), default=0) > _BEHIND:
        return bad(name, seen, "look at chargeback.failures; then more instances or partitions (docs/deploy.md)")
    return ok(name, seen)


def _told(behind: Mapping[str, int]) -> str:
    return ", ".join(f"{partition}: {events}" for partition, events in behind.items() if events)


def _checkpoints(told: Hub, group: str, storage: Storage) -> dict[str, int]:
    """Return the last sequence number that each partition's checkpoint says.

    Names are `<namespace>/<hub>/<group>/checkpoint/<partition>`, in lower case, the number in the metadata
    (Azure.Messaging.EventHubs.Processor, BlobCheckpointStoreInternal).
    """
    container = container_of(replace(storage, container=CHECKPOINTS))
    prefix = f"{told.address}/{told.name}/{group}/checkpoint/".lower()
    found: dict[str, int] = {}
    if not container.exists():
        return found
    for blob in container.list_blobs(name_starts_with=prefix, include=["metadata"]):
        number = (blob.metadata or {}).get("sequencenumber", "")
        if number.lstrip("-").isdigit():
            found[blob.name.removeprefix(prefix)] = int(number)
    return found
