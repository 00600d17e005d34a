"""The ledger in money: what the day's calls cost, worked out call by call, exactly."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from chargeback.local.day.company import CONTRACT, DISCOUNTS, LIST, Deployment, PriceList
from chargeback.local.day.truth import Fate, Tokens

_MILLION = 1_000_000
_CENT = Decimal("0.01")


@dataclass(slots=True)
class Bill:
    """What one business unit owes in US dollars, not rounded, and what became of its calls."""

    at_list: Decimal = Decimal(0)
    by_contract: Decimal = Decimal(0)
    charged: Decimal = Decimal(0)
    """After the business unit's discount."""
    fates: Counter[Fate] = field(default_factory=Counter)

    def add(self, unit: str, served: Deployment, tokens: Tokens, fate: Fate) -> None:
        """Charge one call, if it can be charged."""
        self.fates[fate] += 1
        if fate is not Fate.CHARGED:
            return
        contract = cost(tokens, CONTRACT.get(served, LIST[served]))
        self.at_list += cost(tokens, LIST[served])
        self.by_contract += contract
        self.charged += contract * (1 - DISCOUNTS.get(unit, Decimal(0)))


def cost(tokens: Tokens, prices: PriceList) -> Decimal:
    """Return what one call costs in US dollars."""
    return sum((count * prices[part] / _MILLION for part, count in tokens.parts.items() if count), Decimal(0))


def cents(amount: Decimal) -> Decimal:
    """Round an amount to the cent, half to the even one."""
    return amount.quantize(_CENT, rounding=ROUND_HALF_EVEN)
