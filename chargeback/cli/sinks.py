"""Where `replay` sends events and keeps dead letters: Azure, or a store on this machine."""

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
from chargeback.local.server import LocalApplicationInsights
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
def _azure(settings: Settings) -> Iterator[Sinks]:
    if settings.ingestion is None:
        raise SettingsError(
            f"set {CONNECTION_STRING} to the resource that shall take the events, or name a local store with --store"
        )
    keep = deadletter.connect(settings.storage).keep
    letters = settings.storage.folder or f"the container {settings.storage.container}"
    with closing(delivery.connect(settings)) as sender:
        yield _sinks(sender, keep, settings, letters)


@contextmanager
def _local(path: Path) -> Iterator[Sinks]:
    """Send to a server of our own over the store, so that the real delivery is what is tried."""
    folder = rejected(path)
    with Store(new_or_known(path)) as store, LocalApplicationInsights(store) as local:
        settings = Settings.from_environment({CONNECTION_STRING: local.connection_string})
        with closing(delivery.connect(settings)) as sender:
            yield _sinks(sender, deadletter.FolderDeadLetter(folder).keep, settings, str(folder))


def _sinks(sender: delivery.Sender, keep: Keep, settings: Settings, letters: str) -> Sinks:
    # There is no host that delivers a batch five times before doubtful items are given up: whoever replays would wait
    # in vain, and finds them in the dead letter instead.
    deliver = partial(sender.send, host_retries=HOST_RETRIES_BEFORE_GIVING_UP)
    return Sinks(deliver, keep, settings.event_name, settings.delivery_seconds, letters)
