"""10,000 records through every fault of the endpoint and of the storage: nothing is lost, nothing is billed twice."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from azure.storage.blob import ContainerClient

from chargeback import pipeline
from chargeback.deadletter.blobs import BlobDeadLetter
from chargeback.delivery import Sender
from chargeback.errors import DeadLetterError, DeliveryError
from chargeback.events import Keep
from chargeback.local.faults import Fault
from chargeback.local.server import LocalApplicationInsights
from chargeback.pipeline import Message
from chargeback.settings import Settings
from tests.faults.azurite import Azurite, blobs, ids
from tests.faults.host import Function, Host
from tests.faults.outcome import Found, check, look
from tests.faults.patience import Patience
from tests.faults.records import NOON, Ledger, hub_of

pytestmark = pytest.mark.needs_node("azurite")

TOO_LONG = "100: Field 'name' on type 'EventData' is too long. Expected: 512 characters, Actual: 600"
Hub: TypeAlias = tuple[list[Message], Ledger]
MANY, SOME = hub_of(10_000), hub_of(2_000)
_numbers = itertools.count()


@pytest.fixture(scope="module")
def azurite() -> Iterator[Azurite]:
    with Azurite() as running:
        yield running


@pytest.fixture
def container(azurite: Azurite) -> Iterator[ContainerClient]:
    """A container of its own for each test; it is not there yet."""
    with azurite.container(f"rejected-{next(_numbers)}") as client:
        yield client


@pytest.fixture
def insights() -> Iterator[LocalApplicationInsights]:
    with LocalApplicationInsights(clock=lambda: NOON) as running:
        yield running


def settings_for(insights: LocalApplicationInsights, seconds: float = 120.0) -> Settings:
    return Settings.from_environment(
        {
            "APPLICATIONINSIGHTS_CONNECTION_STRING": insights.connection_string,
            "CHARGEBACK_DELIVERY_SECONDS": str(seconds),
        }
    )


@pytest.fixture
def sender(insights: LocalApplicationInsights) -> Iterator[Sender]:
    """A sender whose waits cost no time."""
    patience = Patience()
    connected = Sender(settings_for(insights), sleep=patience.sleep, monotonic=patience.monotonic)
    yield connected
    connected.close()


def function(sender: Sender, keep: Keep) -> Function:
    """The function as the binding calls it."""

    def forward(batch: Sequence[Message], retries: int) -> None:
        pipeline.run(batch, partial(sender.send, host_retries=retries), keep, lambda: NOON)

    return forward


def found_in(insights: LocalApplicationInsights, container: ContainerClient) -> Found:
    return look(insights.store, ids(blobs(container)))


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and what it may leave behind."""

    faults: tuple[Fault, ...]
    heals: bool = True
    """By itself, while the host tries; otherwise somebody has to switch it off."""
    refuses: float = 0.0
    """Share of the records that the service refuses for good."""
    raises: bool = True
    """Whether the host has to deliver a batch again."""
    again: bool = False
    """Whether a row may be stored twice (its acknowledgement was lost)."""
    hub: Hub = MANY


def times(number: int | None, status: int, retry_after: str | None = None) -> tuple[Fault, ...]:
    return (Fault("status", status=status, times=number, retry_after=retry_after),)


def a_tenth(message: str, status: int = 400, number: int | None = None) -> tuple[Fault, ...]:
    return (Fault("refuse_items", share=0.1, item_status=status, message=message, times=number),)


ODD = "never heard of"
NO_KEY = "Invalid instrumentation key"
STRANGER = "https://example.com/v2.1/track"
EVERYTHING = (
    Fault("status", times=2),
    Fault("refuse_items", share=0.3, times=2),
    Fault("reset", times=1, stored="half"),
    Fault("html", times=1),
    *times(1, 429, "600"),
    Fault("short_count", times=2, share=0.5),
    Fault("redirect", times=1, location="/elsewhere"),
)

CASES = {
    "no fault": Case((), raises=False),
    "500 once": Case(times(1, 500), raises=False),
    "500 six times": Case(times(6, 500), raises=False),
    "500 fifty times": Case(times(50, 500), hub=SOME),
    "500 after storing": Case((Fault("status", stored="all", times=3),), raises=False, again=True),
    "500 after storing half": Case((Fault("status", stored="half", times=3),), raises=False, again=True, hub=SOME),
    "503 for ever": Case(times(None, 503), heals=False),
    "503 every third time": Case((Fault("status", status=503, every=3),), raises=False, hub=SOME),
    "429 with Retry-After": Case(times(4, 429, "1"), raises=False),
    "429 with a Retry-After beyond the budget": Case(times(4, 429, "600"), hub=SOME),
    "429 without Retry-After": Case(times(4, 429), raises=False),
    "206 for now": Case(a_tenth("busy", 500, 4), raises=False),
    "206 for now, every second time": Case((Fault("refuse_items", share=0.1, every=2),), raises=False, hub=SOME),
    "206 for now, for ever": Case(a_tenth("busy", 503), heals=False, again=True, hub=SOME),
    "206 for good": Case(a_tenth(TOO_LONG), refuses=0.1, raises=False),
    "206 sampled out": Case(a_tenth("Telemetry sampled out.", 206), refuses=0.1, raises=False, hub=SOME),
    "206 in unknown words, for ever": Case(a_tenth(ODD), refuses=0.1, again=True, hub=SOME),
    "206 in unknown words, three times": Case(a_tenth(ODD, number=3), again=True, hub=SOME),
    "400 for every item": Case((Fault("refuse_items", item_status=400, message=NO_KEY),), heals=False),
    "accepted < received": Case((Fault("short_count", share=0.1, times=3),), again=True),
    "accepted < received, for ever": Case((Fault("short_count", share=0.1),), heals=False, again=True, hub=SOME),
    "{}": Case((Fault("empty_answer", times=3),)),
    "{} after storing": Case((Fault("empty_answer", times=3, stored="all"),), again=True, hub=SOME),
    "HTML": Case((Fault("html", times=3),)),
    "400": Case(times(3, 400), again=True),
    "402, 439, 403, 413": Case((*times(3, 402), *times(3, 439), *times(3, 403), *times(3, 413))),
    "reset before storing": Case((Fault("reset", times=3),)),
    "reset after storing": Case((Fault("reset", times=3, stored="all"),), again=True),
    "reset after storing half": Case((Fault("reset", times=3, stored="half"),), again=True, hub=SOME),
    "redirect to a stranger": Case((Fault("redirect", times=3, location=STRANGER),)),
    "one after the other": Case(EVERYTHING, again=True, hub=SOME),
}


@pytest.mark.parametrize("name", CASES)
def test_every_record_is_one_row_one_dead_letter_or_one_ignore_once_the_fault_is_over(
    name: str, insights: LocalApplicationInsights, sender: Sender, container: ContainerClient
) -> None:
    case = CASES[name]
    hub, ledger = case.hub
    insights.faults.switch_on(*case.faults)
    host = Host(hub)
    forward = function(sender, BlobDeadLetter(container).keep)
    done = host.run(forward, tries=15 if case.heals else 3)
    assert done is case.heals
    assert bool(host.raised) is case.raises
    assert all(isinstance(error, DeliveryError) for error in host.raised)
    if not done:
        insights.faults.switch_off()
        host.rebalance(700)
        assert host.run(forward, tries=1)
    found = found_in(insights, container)
    refused = check(found, ledger)
    assert len(refused) == pytest.approx(case.refuses * len(ledger.all), rel=0.1)
    if not refused:
        assert found.told == found.dead, "every dead letter is told of"
        assert case.again or found.rows == len(ledger.all), "a row was stored twice without need"


def test_a_hanging_endpoint_is_left_and_the_batch_delivered_again(
    insights: LocalApplicationInsights, container: ContainerClient
) -> None:
    hub, ledger = SOME
    insights.faults.switch_on(Fault("hang", times=1), Fault("hang", times=1, stored="all"))
    sender = Sender(settings_for(insights, seconds=1))
    host = Host(hub)
    assert host.run(function(sender, BlobDeadLetter(container).keep), tries=3)
    sender.close()
    assert len(host.raised) == 2
    assert check(found_in(insights, container), ledger) == set()


def test_batches_that_are_cut_differently_after_every_failure_end_the_same(
    insights: LocalApplicationInsights, sender: Sender, container: ContainerClient
) -> None:
    """After a rebalance the dead letters of one event may be in two files; readers count distinct ids."""
    hub, ledger = SOME
    insights.faults.switch_on(Fault("html", every=3, stored="half"))
    host = Host(hub, size=100)
    forward = function(sender, BlobDeadLetter(container).keep)
    for size in itertools.cycle([300, 64, 177, 100]):
        if host.run(forward, tries=1):
            break
        host.rebalance(size, back=50)
    assert check(found_in(insights, container), ledger) == set()
    assert len(host.raised) > 5


def test_while_the_storage_is_down_no_rejected_record_is_acknowledged(
    insights: LocalApplicationInsights, sender: Sender
) -> None:
    hub, ledger = SOME
    server = Azurite()
    with server.container() as container:
        host = Host(hub, size=100)
        forward = function(sender, BlobDeadLetter(container).keep)
        assert not host.run(forward, tries=2)
        assert host.checkpoint == 0, "the first batch holds rubbish"
        assert all(isinstance(error, DeadLetterError) for error in host.raised)
        with server:
            assert host.run(forward, tries=1)
            assert check(found_in(insights, container), ledger) == set()


def test_storage_that_goes_down_on_the_way_and_comes_back_loses_nothing(
    insights: LocalApplicationInsights, sender: Sender, tmp_path: Path
) -> None:
    hub, ledger = SOME
    insights.faults.switch_on(Fault("status", status=503, every=4))
    with Azurite(tmp_path) as server, server.container() as container:
        forward = function(sender, BlobDeadLetter(container).keep)
        host = Host(hub[:800], size=100)
        assert host.run(forward, tries=1)
        server.stop()
        host.hub = hub
        assert not host.run(forward, tries=2)
        assert host.checkpoint == 800
        host.rebalance(90, back=50)
        server.start()
        assert host.run(forward, tries=1)
        assert check(found_in(insights, container), ledger) == set()


def test_a_refusal_is_only_acknowledged_when_it_is_in_the_dead_letter(
    insights: LocalApplicationInsights, sender: Sender
) -> None:
    """The endpoint refuses records for good while the storage is down: the batch comes again."""
    hub, ledger = SOME
    clean = Host([message for number, message in enumerate(hub) if number % 200 != 7])
    insights.faults.switch_on(Fault("refuse_items", share=0.1, item_status=400, message=TOO_LONG))
    server = Azurite()
    with server.container() as container:
        forward = function(sender, BlobDeadLetter(container).keep)
        assert not clean.run(forward, tries=2)
        assert clean.checkpoint == 0
        with server:
            assert clean.run(forward, tries=1)
            expected = Ledger(ledger.billed, ledger.ignored)
            assert len(check(found_in(insights, container), expected)) > 100
