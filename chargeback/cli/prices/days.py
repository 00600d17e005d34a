"""Days as they are typed."""

from __future__ import annotations

from datetime import UTC, datetime

from chargeback.errors import ChargebackError
from chargeback.prices.rows import midnight


def end_of(text: str) -> datetime:
    """Return the last moment of a day that somebody typed; today's without one.

    Raises:
        ChargebackError: it is no day.
    """
    try:
        day = datetime.fromisoformat(text).date() if text else datetime.now(UTC).date()
    except ValueError:
        raise ChargebackError(f"{text} is no date: write it like 2026-01-31") from None
    return midnight(day).replace(hour=23, minute=59, second=59, microsecond=999_999)
