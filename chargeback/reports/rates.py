"""What a US dollar is worth: what is dated in dollars and belongs to a whole month needs one rate for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from chargeback.errors import ReferenceDataError
from chargeback.reports.lines import exact
from chargeback.reports.reference import Reference


def rate_before(currencies: Reference, currency: str, end: datetime) -> Decimal:
    """Return units of a currency per dollar: the latest rate from before a moment, such as the end of a month.

    Raises:
        ReferenceDataError: `kql/lib/currencies.kql` has no rate of that currency from before then.
    """
    if currency == "USD":
        return Decimal(1)
    rows = [row for row in currencies.rows if row["currency"] == currency and valid_from(row) < end]
    if not rows:
        raise ReferenceDataError(f"currencies.kql has no rate for {currency} before {end:%Y-%m-%d}: append one")
    return exact(max(rows, key=valid_from)["unitsPerUsd"])


def valid_from(row: Mapping[str, Any]) -> datetime:
    """Return since when a row of reference data is valid; without a date it always was."""
    moment = row["validFrom"]
    return moment if isinstance(moment, datetime) else datetime.min.replace(tzinfo=UTC)
