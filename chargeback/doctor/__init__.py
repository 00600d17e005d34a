"""What an operator asks when something is wrong: each part of the road is looked at, in a line. Not deployed."""

from __future__ import annotations

from chargeback.doctor.finding import Finding, State

__all__ = ["Finding", "State"]
