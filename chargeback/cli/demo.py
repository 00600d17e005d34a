"""`chargeback demo`: a working day, from records to who owes what."""

from __future__ import annotations

from chargeback.errors import ChargebackError


def demo() -> None:
    """Take a working day of made-up usage through the function and show who owes what."""
    raise ChargebackError("not yet")
