"""Where events are sent and dead letters kept: Azure, or a store on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from chargeback import deadletter, delivery
from chargeback.cli.stores import new_or_known, rejected
from chargeback.delivery.progress import HOST_RETRIES_BEFORE_GIVING_UP
from chargeback.errors import SettingsError
from chargeback.events import Deliver, Keep
from chargeback.local.server import LocalApplicationInsights, connection_string
from chargeback.local.store import Store
from chargeback.settings import CONNECTION_STRING, Settings


@dataclass(frozen=True, slots=True)
class Sinks:
    """The two ends of the pipeline."""

    deliver: Deliver
    keep: Keep
    event_name: str
    patience_seconds: float
    """Time within which a batch may be tried again."""
    letters: str
    """Where the dead letters are, in words."""


def open_sinks(store: Path | None) -> AbstractContextManager[Sinks]:
    """Return the sinks of the environment's settings, or those of a local store.

    Raises:
        ChargebackError: a setting is missing or malformed, or the store cannot be opened.
    """
    return _azure(Settings.from_environment()) if store is None else _local(store)


@contextmanager
def open_sender(store: str) -> Iterator[delivery.Sender]:
    """Send to the resource of the environment's settings, or to a local store: its file, or the server that holds it.

    Raises:
        ChargebackError: a setting is missing or malformed, or the store cannot be opened.
    """
    if store and not store.startswith(("http://", "https://")):
        with _sender_into(Path(store)) as (sender, _):
            yield sender
        return
    address = {CONNECTION_STRING: connection_string(store, None)} if store else None
    with closing(delivery.connect(_with_ingestion(Settings.from_environment(address)))) as sender:
        yield sender


@contextmanager
def _azure(settings: Settings) -> Iterator[Sinks]:
    _with_ingestion(settings)
    keep = deadletter.connect(settings.storage).keep
    letters = settings.storage.folder or f"the container {settings.storage.container}"
    with closing(delivery.connect(settings)) as sender:
        yield _sinks(sender, keep, settings, letters)


@contextmanager
def _local(path: Path) -> Iterator[Sinks]:
    folder = rejected(path)
    with _sender_into(path) as (sender, settings):
        yield _sinks(sender, deadletter.FolderDeadLetter(folder).keep, settings, str(folder))


@contextmanager
def _sender_into(path: Path) -> Iterator[tuple[delivery.Sender, Settings]]:
    """Send to a server of our own over the store, so that the real delivery is what is tried."""
    with Store(new_or_known(path)) as store, LocalApplicationInsights(store) as local:
        settings = Settings.from_environment({CONNECTION_STRING: local.connection_string})
        with closing(delivery.connect(settings)) as sender:
            yield sender, settings


def _with_ingestion(settings: Settings) -> Settings:
    if settings.ingestion is None:
        raise SettingsError(
            f"set {CONNECTION_STRING} to the resource that shall take the events, or name a local store with --store"
        )
    return settings


def _sinks(sender: delivery.Sender, keep: Keep, settings: Settings, letters: str) -> Sinks:
    # There is no host that delivers a batch five times before doubtful items are given up: whoever replays would wait
    # in vain, and finds them in the dead letter instead.
    deliver = partial(sender.send, host_retries=HOST_RETRIES_BEFORE_GIVING_UP)
    return Sinks(deliver, keep, settings.event_name, settings.delivery_seconds, letters)
