"""The period that a command is about, as `--from` and `--to` name it."""

from __future__ import annotations

from datetime import UTC, datetime

from chargeback.errors import ChargebackError
from chargeback.reports.compose import Period


def period_of(start: str, end: str) -> Period | None:
    """Return the period; `None` where neither end is named.

    Raises:
        ChargebackError: only one end is named, one is no date, or there is nothing between them.
    """
    if not start and not end:
        return None
    if not start or not end:
        raise ChargebackError("a period has two ends: give both --from and --to, or neither")
    period = _moment(start, "--from"), _moment(end, "--to")
    if period[0] >= period[1]:
        raise ChargebackError(f"the period from {start} to {end} is empty: give the earlier date to --from")
    return period


def _moment(text: str, option: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise ChargebackError(f"{option} {text} is no date: write it like 2026-01-31 or 2026-01-31T12:00Z") from None
