"""Which calls the report of their month finds: `kql/reports/in-no-report.kql` lists the others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from chargeback.reports.compose import kql_folder

_BEFORE, _AFTER = timedelta(days=1), timedelta(days=8)
"""How much wider than its month a report looks at what arrives, as `kql/lib/usage.kql` does."""


def others() -> Path:
    """Return the report that lists the calls which no report of their month finds."""
    return kql_folder() / "reports" / "in-no-report.kql"


def in_its_month(happened: datetime, arrived: datetime) -> bool:
    """Tell whether the report of a call's month finds the call; both times are aware."""
    # The arrival is moved, not the call's time, which may be anything that can be written.
    return _month(arrived - _AFTER) <= _month(happened) <= _month(arrived + _BEFORE)


def _month(moment: datetime) -> tuple[int, int]:
    # A time without an offset to change is left alone: at the ends of the calendar it could not be moved.
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.year, utc.month
