"""Records on their way to a hub: sent at a pace, and counted."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import typer
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chargeback import hub
from chargeback.cli.bodies import BATCH, open_bodies
from chargeback.cli.outgoing import Line, check, made_up, of_file
from chargeback.cli.program import say
from chargeback.errors import ChargebackError
from chargeback.settings.hub import Hub

SOME_TOO_LARGE = 1
_SLOWEST = 0.001
"""Records a second: one in a quarter of an hour. Nobody means a pace below that, and no clock keeps any."""
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
    unread: list[int] = field(default_factory=list)
    """Lines of those that the hub has, and this version does not read."""


def send_all(file: str, terms: Terms) -> None:
    """Send a file, standard input, or made-up records; say how many the hub has.

    Raises:
        ChargebackError: not exactly one source is named, there is no such rate, a file has no records, a setting is
            missing, or the hub does not take them.
    """
    if bool(file) == bool(terms.sample):
        raise ChargebackError("name a file of records, - for standard input, or --sample N: one of them")
    if terms.rate and not _SLOWEST <= terms.rate < math.inf:
        raise ChargebackError(f"--rate is a finite number of records a second, {_SLOWEST} or more; 0 is no limit")
    tally = Tally()
    if terms.sample:
        _send(made_up(terms.sample), terms, tally)
    else:
        with open_bodies(file) as bodies:
            check(bodies, file)
            _send(of_file(bodies, terms.by_consumer), terms, tally)
    _judge(tally)


def _send(lines: Iterable[Line], terms: Terms, tally: Tally) -> None:
    if terms.dry_run:
        _tell_dry(lines)
        return
    waiting = iter(lines)
    with hub.connect(Hub.from_environment()) as sender, _progress() as progress:
        task = progress.add_task("send", total=terms.sample or None)
        pace, gone = _Pace(terms.rate), 0
        try:
            while group := list(islice(waiting, pace.size)):
                pace.wait()
                refused = sender.send([line.record for line in group])
                tally.too_large += [group[place].number for place in refused]
                sent = (line for place, line in enumerate(group) if place not in refused)
                tally.unread += [line.number for line in sent if not line.readable]
                tally.acknowledged += len(group) - len(refused)
                gone += len(group)
                progress.update(task, completed=gone)
        except ChargebackError as error:
            raise ChargebackError(f"{_acknowledged(tally)}; of the next nobody knows: {error}") from error
        except KeyboardInterrupt:
            again = "start again" if terms.sample else "send the same file again, unchanged"
            say(f"stopped: {_acknowledged(tally)}; of the next {pace.size} some may be there; {again}")
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


def _tell_dry(lines: Iterable[Line]) -> None:
    count, given, unread, keys = 0, 0, 0, set[str | None]()
    for _, record, readable in lines:
        count += 1
        given += record.record_id is not None
        unread += not readable
        keys.add(record.key)
    named = f"{given} of them named by their place in the file" if given else "all with an id of their own"
    letters = f"; {unread} of them this version cannot read: they would become dead letters" if unread else ""
    print(f"would send {count} records, {named}, under {len(keys - {None})} partition keys{letters}; nothing is sent")


def _acknowledged(tally: Tally) -> str:
    return f"the hub has acknowledged {tally.acknowledged} record{'' if tally.acknowledged == 1 else 's'}"


def _judge(tally: Tally) -> None:
    if tally.acknowledged or tally.too_large:
        print(_acknowledged(tally))
    if tally.unread:
        say(f"{len(tally.unread)} of them this version cannot read, and they become dead letters: {_of(tally.unread)}")
    if tally.too_large:
        large = len(tally.too_large)
        say(f"{large} are larger than the hub takes, and not sent: {_of(tally.too_large)}; find what writes them")
        raise typer.Exit(SOME_TOO_LARGE)


def _of(lines: Sequence[int]) -> str:
    return "line " + ", ".join(map(str, lines[:10])) + (", ..." if len(lines) > 10 else "")


def _progress() -> Progress:
    """Return a count on stderr; none where stderr is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
