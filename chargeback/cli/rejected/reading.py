"""The files of dead letters one after another, the next ones read ahead; none is held longer than it is looked at."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chargeback import deadletter
from chargeback.deadletter.stored import Content, File, Stored, marks_of
from chargeback.settings import Settings

_AHEAD = 8
"""Files read at the same time: a container answers in tens of milliseconds, and may hold 100,000."""


def from_settings() -> Stored:
    """Return the dead letters that the function's own settings name.

    Raises:
        ChargebackError: a setting is missing or malformed.
    """
    return deadletter.open_stored(Settings.from_environment().storage)


def all_marks(stored: Stored, files: Iterable[File]) -> set[bytes]:
    """Return the marks of every letter that was sent again. A record may stand in two files, and is marked in one."""
    found: set[bytes] = set()
    with ThreadPoolExecutor(_AHEAD) as readers:
        for text in readers.map(stored.marks, [file.path for file in files if file.marked]):
            found |= marks_of(text)
    return found


def contents(stored: Stored, files: list[File], doing: str) -> Iterator[tuple[File, Content]]:
    """Yield files with what they hold, in the order given; a file that is gone by now is left out."""
    waiting: deque[tuple[File, Future[Content | None]]] = deque()
    readers = ThreadPoolExecutor(_AHEAD)
    try:
        with _progress() as progress:
            task = progress.add_task(doing, total=len(files))
            rest = iter(files)
            while True:
                while len(waiting) < _AHEAD and (file := next(rest, None)):
                    waiting.append((file, readers.submit(stored.read, file.path)))
                if not waiting:
                    return
                file, reading = waiting.popleft()
                if content := reading.result():
                    yield file, content
                progress.advance(task)
    finally:
        readers.shutdown(cancel_futures=True)


def _progress() -> Progress:
    """Return a bar on stderr; none where stderr is a file or a pipe."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
