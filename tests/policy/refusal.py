"""What is wrong with a policy before any call."""

from __future__ import annotations

from collections.abc import Sequence


class PolicyRefusedError(Exception):
    """A policy that API Management would not take, or that this gateway cannot run: one line per reason."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__("\n".join(reasons))
        self.reasons = tuple(reasons)
