"""Which month's report finds a call, told without a query: the same edges as `kql/lib/usage.kql` has."""

from __future__ import annotations

from datetime import datetime

import pytest

from chargeback.reports.months import in_its_month


@pytest.mark.parametrize(
    ("happened", "arrived", "found"),
    [
        ("2026-11-01T00:00Z", "2026-10-31T00:00Z", True),
        ("2026-11-01T00:00Z", "2026-10-30T23:59:59.999Z", False),
        ("2026-11-30T23:59Z", "2026-11-01T00:00Z", True),
        ("2026-10-31T23:59Z", "2026-11-08T23:59:59.999Z", True),
        ("2026-10-31T23:59Z", "2026-11-09T00:00Z", False),
        ("2026-11-01T00:30+01:00", "2026-11-09T00:00Z", False),
        ("2025-11-12T00:00Z", "2026-11-12T00:00Z", False),
        ("2027-11-12T00:00Z", "2026-11-12T00:00Z", False),
        ("9999-12-31T23:59Z", "2026-11-12T00:00Z", False),
        ("0001-01-01T00:00Z", "2026-11-12T00:00Z", False),
    ],
)
def test_a_month_has_what_arrives_from_a_day_before_it_to_eight_days_after_it(
    happened: str, arrived: str, found: bool
) -> None:
    assert in_its_month(datetime.fromisoformat(happened), datetime.fromisoformat(arrived)) is found
