"""Which month is meant, and which month's report finds a call: the same edges as `kql/lib/usage.kql` has."""

from __future__ import annotations

from datetime import datetime

import pytest

from chargeback.cli.months import month_of
from chargeback.errors import ChargebackError
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


def test_a_month_that_is_named_is_a_period() -> None:
    assert [f"{end:%Y-%m-%d}" for end in month_of("2026-12")] == ["2026-12-01", "2027-01-01"]


@pytest.mark.parametrize(
    "text", ["2026-1", "1-01", "0001-01", "9999-12", "2026-13", "2026-10-05", " 2026-10", "\u0662\u0660\u0662\u0666-10"]
)
def test_a_month_is_written_in_one_way_and_has_an_end(text: str) -> None:
    with pytest.raises(ChargebackError, match="is no month: write it like 2026-10"):
        month_of(text)
