"""Which dead letters are meant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from chargeback.deadletter.stored import File, Letter
from chargeback.errors import ChargebackError


@dataclass(frozen=True, slots=True)
class Choice:
    """A letter has to fit all that is given."""

    reasons: tuple[str, ...] = ()
    """In lower case; one of them is a part of the letter's reason."""
    since: datetime | None = None
    ids: frozenset[str] = frozenset()

    def may_hold(self, file: File) -> bool:
        """Tell whether a file can hold such a letter: none is younger than the file's last change."""
        return self.since is None or file.modified >= self.since

    def takes(self, letter: Letter, file: File) -> bool:
        """Tell whether a letter is meant. One that came through no hub is as old as its file."""
        if self.ids and letter.record_id not in self.ids:
            return False
        if self.since and (letter.position.enqueued_time or file.modified) < self.since:
            return False
        reason = letter.reason.lower()
        return not self.reasons or any(part in reason for part in self.reasons)


def choice_of(reasons: list[str] | None, since: str | None, ids: list[str] | None = None) -> Choice:
    """Read what was typed.

    Raises:
        ChargebackError: `since` is no time, or a reason is empty.
    """
    if not all(reason.strip() for reason in reasons or ()):
        raise ChargebackError("--reason is empty, which every reason fits: name a part of one, or leave it out")
    return Choice(tuple(reason.lower() for reason in reasons or ()), _moment(since), frozenset(ids or ()))


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ChargebackError("--since is no time: write it like 2026-11-20, or 2026-11-20T06:00 (UTC)") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
