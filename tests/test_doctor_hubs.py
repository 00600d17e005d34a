"""The doctor at the hub: over the unpatched library, against the peer, with checkpoints as the host writes them."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

pytest.importorskip("proton", reason="the peer is Qpid Proton")

from azure.core.exceptions import ResourceExistsError
from azure.storage.blob import BlobServiceClient

from chargeback.doctor import finding as findings
from chargeback.doctor.finding import State
from chargeback.doctor.hubs import judged
from chargeback.hub import looking
from chargeback.hub.looking import Partition
from tests.faults.azurite import Azurite
from tests.peers.faults import At, Do
from tests.peers.hub import HubPeer
from tests.test_cli_doctor import told

pytestmark = [
    pytest.mark.needs_proton,
    # azure-eventhub leaves sockets behind after a fault.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
BODY = b"\x00Su\xa0\x01x"
"""An AMQP message: one data section."""


@pytest.fixture
def peer() -> Iterator[HubPeer]:
    with HubPeer("Usage", partitions=2, groups=("$Default", "Chargeback")) as running:
        yield running
    gc.collect()  # the sockets that azure-eventhub leaves behind, while their warnings are expected


def settings(peer: HubPeer, group: str = "Chargeback") -> dict[str, str]:
    return {
        "EventHubConnection": peer.connection_string,
        "EVENT_HUB_NAME": peer.name,
        "EVENT_HUB_CONSUMER_GROUP": group,
    }


def line(told_: dict[str, dict[str, str]], what: str) -> tuple[str, str]:
    return told_[f"hub: {what}"]["state"], told_[f"hub: {what}"]["seen"]


# Reachable.


def test_a_hub_of_another_name_is_red() -> None:
    with HubPeer("usage") as peer:
        nameless = peer.connection_string.replace(";EntityPath=usage", "")
        lines = told(settings(peer) | {"EventHubConnection": nameless, "EVENT_HUB_NAME": "else"})
    gc.collect()
    assert line(lines, "reachable")[0] == "bad"
    assert lines["hub: reachable"]["advice"].startswith("check EventHubConnection and EVENT_HUB_NAME")


def test_a_key_that_is_refused_is_red_and_said_so(peer: HubPeer) -> None:
    peer.fail(At.AUTHENTICATE, Do.REJECT, times=1000)
    lines = told(settings(peer))
    assert line(lines, "reachable") == ("bad", "the hub does not let this key or identity in")
    assert line(lines, "consumer group")[0] == line(lines, "lag")[0] == "not checked"


def test_an_authentication_that_nobody_answers_is_given_up(peer: HubPeer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The library waits for a minute, whatever it is told."""
    monkeypatch.setattr(findings, "SECONDS", 2.0)
    peer.fail(At.AUTHENTICATE, Do.IGNORE, times=1000)
    began = time.monotonic()
    assert line(told(settings(peer)), "reachable") == ("bad", "no answer within 2 seconds")
    assert time.monotonic() - began < 15


def test_the_gateways_log_is_looked_at_as_the_usage_hub_is() -> None:
    """The function reads both under one group's name: here it lacks on the one, and is there on the other."""
    with HubPeer("log") as log, HubPeer("usage", groups=("$Default", "Chargeback")) as usage:
        both = settings(usage) | {"GATEWAY_LOG_HUB_NAME": "log", "GatewayLogConnection": log.connection_string}
        lines = told(both)
        states = [lines[f"gateway log: {what}"]["state"] for what in ("reachable", "consumer group")]
        assert states == ["ok", "bad"]
        assert lines["gateway log: consumer group"]["seen"] == "there is no group Chargeback"
        assert line(lines, "consumer group")[0] == "ok"
        log.fail(At.AUTHENTICATE, Do.REJECT, times=1000)
        lines = told(both)
        assert lines["gateway log: reachable"]["seen"] == "the hub does not let this key or identity in"
        assert line(lines, "reachable")[0] == "ok"
    gc.collect()


# The consumer group.


@pytest.mark.parametrize(
    ("condition", "state", "seen"),
    [
        # The host reads with an epoch: whoever comes without one is sent away as long as the function runs.
        ("amqp:link:stolen", "ok", "Chargeback is there, and being read"),
        ("amqp:unauthorized-access", "bad", "Chargeback may not be read"),
        ("amqp:not-found", "bad", "there is no group Chargeback"),
        ("amqp:internal-error", "bad", "no answer about Chargeback"),
    ],
)
@pytest.mark.parametrize("holds", [0, 1])
def test_what_a_hub_says_to_a_reader_is_what_the_line_says(
    peer: HubPeer, condition: str, state: str, seen: str, holds: int
) -> None:
    for number in range(holds):
        peer.partitions[1].append(BODY, None, number)
    peer.fail(At.ATTACH, Do.DETACH, condition, times=1000)
    assert line(told(settings(peer)), "consumer group") == (state, seen)


@pytest.mark.parametrize("holds", [0, 1])
def test_a_group_that_can_be_read_is_green(peer: HubPeer, holds: int) -> None:
    for number in range(holds):
        peer.partitions[1].append(BODY, None, number)
    assert line(told(settings(peer)), "consumer group") == ("ok", "Chargeback is there")


def test_a_group_that_is_not_there_is_red(peer: HubPeer) -> None:
    assert line(told(settings(peer, "Others")), "consumer group") == ("bad", "there is no group Others")


def test_silence_is_not_taken_for_a_group_where_there_is_an_event_to_read(
    peer: HubPeer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "_EVENT_SECONDS", 2.0)
    peer.partitions[0].append(BODY, None, 0)
    peer.fail(At.ATTACH, Do.IGNORE, times=1000)
    assert line(told(settings(peer)), "consumer group") == ("bad", "no answer about Chargeback")


# The lag. Sequence numbers: a partition (first, last) has those from first to last; 100 to 109 are ten events.


@pytest.mark.parametrize(
    ("partition", "read", "state", "seen"),
    [
        (Partition("0", 100, 109), {"0": 109}, State.OK, "none"),
        (Partition("0", 100, 109), {"0": 105}, State.OK, "4 events behind, in partitions 0: 4"),
        (Partition("0", 100, 109), {"0": 99}, State.OK, "10 events behind, in partitions 0: 10"),
        (
            Partition("0", 100, 109),
            {"0": 96},
            State.BAD,
            "dropped by the hub before they were read, in partitions 0: 3",
        ),
        (Partition("0", 100, 109), {"0": 110}, State.BAD, "the checkpoint is past the end of partition 0"),
        (Partition("0", 100, 109), {}, State.BAD, "partition 0 was never read; 10 events behind, in partitions 0: 10"),
        # Nothing was ever sent; or all is gone, after it was read, before it was read, before there was a reader.
        (Partition("0", 0, -1), {}, State.OK, "none"),
        (Partition("0", 110, 109), {"0": 109}, State.OK, "none"),
        (
            Partition("0", 110, 109),
            {"0": 107},
            State.BAD,
            "dropped by the hub before they were read, in partitions 0: 2",
        ),
        (Partition("0", 110, 109), {}, State.OK, "none"),
        # The number is not known where the host writes an offset alone.
        (
            Partition("0", 100, 109),
            {"0": None},
            State.NOT_CHECKED,
            "the checkpoint of partition 0 says no number; else none",
        ),
        (Partition("0", 1, 20_000), {"0": 10_000}, State.OK, "10000 events behind, in partitions 0: 10000"),
        (Partition("0", 1, 20_001), {"0": 10_000}, State.BAD, "10001 events behind, in partitions 0: 10001"),
    ],
)
def test_the_lag_is_what_is_there_and_not_read(
    partition: Partition, read: dict[str, int | None], state: State, seen: str
) -> None:
    finding = judged("hub: lag", [partition], read)
    assert (finding.state, finding.seen) == (state, seen)


def test_a_partition_without_a_number_hides_no_other() -> None:
    two = [Partition("0", 0, 9), Partition("1", 0, 9)]
    finding = judged("hub: lag", two, {"0": None})
    assert (finding.state, "partition 1 was never read" in finding.seen) == (State.BAD, True)


def checkpoint(azurite: Azurite, name: str, metadata: dict[str, str]) -> None:
    with BlobServiceClient.from_connection_string(azurite.connection_string) as service:
        container = service.get_container_client("azure-webjobs-eventhub")
        with suppress(ResourceExistsError):
            container.create_container()
        container.upload_blob(name, b"", overwrite=True, metadata=metadata)


@pytest.mark.needs_node("azurite")
def test_checkpoints_are_found_where_the_host_writes_them(peer: HubPeer) -> None:
    """In lower case, whatever the hub and the group are called; other readers' are none of ours."""
    for number in range(5):
        peer.partitions[1].append(BODY, None, number)
    with Azurite() as azurite:
        mine = settings(peer) | {"AzureWebJobsStorage": azurite.connection_string}
        for other in ("usage/$default/checkpoint/1", "usage/chargeback2/checkpoint/1", "usage/chargeback/ownership/1"):
            checkpoint(azurite, f"127.0.0.1/{other}", {"sequencenumber": "4", "offset": "1"})
        assert line(told(mine), "lag")[0] == "bad"
        ours = "127.0.0.1/usage/chargeback/checkpoint/1"
        checkpoint(azurite, ours, {"sequencenumber": "1", "offset": "1", "clientidentifier": "x"})
        assert line(told(mine), "lag") == ("ok", "3 events behind, in partitions 1: 3")
        checkpoint(azurite, ours, {"sequencenumber": str(-(2**63)), "offset": "1"})
        assert line(told(mine), "lag")[0] == "not checked"


def test_checkpoints_that_cannot_be_read_are_red(peer: HubPeer) -> None:
    gone = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=YQ==;BlobEndpoint=http://127.0.0.1:9/a;"
    assert line(told(settings(peer) | {"AzureWebJobsStorage": gone}), "lag") == (
        "bad",
        "no answer (ServiceRequestError)",
    )
