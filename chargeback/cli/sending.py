"""Records on their way to a hub: read, given an identity where they have none, sent at a pace, and counted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chargeback import hub
from chargeback.cli.bodies import BATCH, Bodies, open_bodies
from chargeback.cli.hints import hint
from chargeback.cli.program import say
from chargeback.errors import ChargebackError
from chargeback.events import consumer_of
from chargeback.local.day import make_day
from chargeback.records import Position, Reading, UsageRecord, record_id
from chargeback.settings.hub import Hub
from chargeback.shapes import read, split

SOME_TOO_LARGE = 1
_PACES_A_SECOND = 4
"""A rate is kept by groups of a quarter of a second."""


@dataclass(frozen=True, slots=True)
class Terms:
    """How records are sent."""

    sample: int
    """Records to make up; 0: those of the file."""
    rate: float
    """Records a second; 0: as fast as they go."""
    by_consumer: bool
    dry_run: bool


@dataclass(slots=True)
class Tally:
    """What became of the records."""

    acknowledged: int = 0
    too_large: list[int] = field(default_factory=list)
    """Their lines."""


def send_all(file: str, terms: Terms) -> None:
    """Send a file, standard input, or made-up records; say how many the hub has.

    Raises:
        ChargebackError: not exactly one source is named, a setting is missing, or the hub does not take them.
    """
    if bool(file) == bool(terms.sample):
        raise ChargebackError("name a file of records, - for standard input, or --sample N: one of them")
    tally = Tally()
    if terms.sample:
        _send(enumerate(_made_up(terms.sample), 1), terms, tally)
    else:
        with open_bodies(file) as bodies:
            hint(bodies, file)
            _send(_outgoing(bodies, terms.by_consumer), terms, tally)
    _judge(tally)


def _outgoing(bodies: Bodies, by_consumer: bool) -> Iterator[tuple[int, hub.Outgoing]]:
    """Yield each line's number and record; empty lines are no records."""
    for message in bodies.lines():
        if message.body.strip():
            for record in _records(message.body, message.position, by_consumer):
                yield message.position.line or 0, record


def _records(body: bytes, position: Position, by_consumer: bool) -> Iterator[hub.Outgoing]:
    """Yield a body as it is; record by record where some have an id and some have none."""
    readings = read(body)
    named = [reading.request_id is not None for reading in readings]
    parts: list[tuple[bytes, list[Reading], int | None]] = [(body, readings, None)]
    if any(named) and not all(named):
        # An identity that travels with an event is of all that is in it, and those who have one keep their own.
        split_up = zip(split(body, len(readings)), readings, strict=True)
        parts = [(part, [reading], place) for place, (part, reading) in enumerate(split_up)]
    for part, inside, place in parts:
        identity = None if inside[0].request_id is not None else record_id(None, position, body, place)
        yield hub.Outgoing(part, identity, key=_key(inside) if by_consumer else None)


def _key(readings: Sequence[Reading]) -> str | None:
    consumers = {consumer_of(reading)[0] for reading in readings if isinstance(reading, UsageRecord)}
    return consumers.pop() if len(consumers) == 1 else None


def _made_up(count: int) -> Iterator[hub.Outgoing]:
    """Make records of today: the policy's own, which have ids that no other sample has."""
    now = datetime.now(UTC)
    run = f"{now:%Y%m%dT%H%M%S}"
    calls = (sent for sent in make_day(now.date(), count * 2).usage if b'"chargeback.usage/1"' in sent.body)
    for number, sent in enumerate(islice(calls, count), 1):
        record = json.loads(sent.body) | {"requestId": f"sample-{run}-{number}", "timestamp": _iso(now)}
        yield hub.Outgoing(json.dumps(record).encode(), key=sent.consumer_id)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _send(records: Iterable[tuple[int, hub.Outgoing]], terms: Terms, tally: Tally) -> None:
    if terms.dry_run:
        _tell_dry(records)
        return
    waiting = iter(records)
    with hub.connect(Hub.from_environment()) as sender, _progress() as progress:
        task = progress.add_task("send", total=terms.sample or None)
        pace, gone = _Pace(terms.rate), 0
        try:
            while group := list(islice(waiting, pace.size)):
                pace.wait()
                refused = sender.send([record for _, record in group])
                tally.too_large += [group[place][0] for place in refused]
                tally.acknowledged += len(group) - len(refused)
                gone += len(group)
                progress.update(task, completed=gone)
        except ChargebackError as error:
            raise ChargebackError(f"{_acknowledged(tally)}; of the next nobody knows: {error}") from error
        except KeyboardInterrupt:
            say(f"stopped: {_acknowledged(tally)}; of the next {pace.size} some may be there; send the file again")
            raise


@dataclass(slots=True)
class _Pace:
    """Groups so small, and begun so far apart, that `rate` records go in a second.

    What a slow hub held up is not caught up on: that would be the burst that a rate is there to avoid.
    """

    rate: float
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _next: float = 0.0

    @property
    def size(self) -> int:
        return BATCH if not self.rate else max(1, min(BATCH, int(self.rate / _PACES_A_SECOND)))

    def wait(self) -> None:
        """Wait until the next group may go."""
        if self.rate:
            now = self.clock()
            begins = max(self._next, now)
            self.sleep(begins - now)
            self._next = begins + self.size / self.rate


def _tell_dry(records: Iterable[tuple[int, hub.Outgoing]]) -> None:
    count, given, keys = 0, 0, set[str | None]()
    for _, record in records:
        count += 1
        given += record.record_id is not None
        keys.add(record.key)
    named = f"{given} of them named by their place in the file" if given else "all with an id of their own"
    print(f"would send {count} records, {named}, under {len(keys - {None})} partition keys; nothing is sent")


def _acknowledged(tally: Tally) -> str:
    return f"the hub has acknowledged {tally.acknowledged} record{'' if tally.acknowledged == 1 else 's'}"


def _judge(tally: Tally) -> None:
    if tally.acknowledged or tally.too_large:
        print(_acknowledged(tally))
    if tally.too_large:
        some = ", ".join(map(str, tally.too_large[:10])) + (", ..." if len(tally.too_large) > 10 else "")
        say(f"{len(tally.too_large)} are larger than the hub takes, and not sent: line {some}; find what writes them")
        raise typer.Exit(SOME_TOO_LARGE)


def _progress() -> Progress:
    """Return a count on stderr; none where stderr is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
