"""What a month's bills explain of what Azure measured and charged, and what they do not.

A figure that is not there is `None`, never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class TokensRow:
    """Tokens of one kind, of one deployment, on one day (UTC)."""

    account: str
    """Resource id; empty where none of the accounts answers at the calls' host."""
    deployment: str
    day: date
    kind: str
    """As in `metered.METRICS`."""
    metric: str
    """Empty where no metric has a value for the deployment."""
    billed: int
    metered: int | None

    @property
    def difference(self) -> int | None:
        """Return what was metered and not billed; negative where more was billed."""
        return None if self.metered is None else self.metered - self.billed


@dataclass(frozen=True, slots=True)
class TokensTotal:
    """A month's tokens of one kind and deployment, over the days that the metric knows."""

    account: str
    deployment: str
    kind: str
    metric: str
    billed: int
    metered: int | None
    unmetered: int
    """Billed on days of which the metric says nothing."""
    note: str

    @property
    def share(self) -> Decimal | None:
        """Return which share of what was metered is billed, at most 1.

        Over the month, because a call may be billed on one day and metered on the next.
        """
        return explained(Decimal(self.billed), None if self.metered is None else Decimal(self.metered))


@dataclass(frozen=True, slots=True)
class CallsRow:
    """Calls on one day (UTC): recorded, and counted by the gateway itself."""

    day: date
    recorded: int
    requests: int | None

    @property
    def lost(self) -> int | None:
        """Return what the gateway's logger lost; negative where more was recorded than the gateway counts."""
        return None if self.requests is None else self.requests - self.recorded


@dataclass(frozen=True, slots=True)
class CostRow:
    """What one meter of one account cost in the month."""

    account: str
    """Resource id in lower case; empty where none of the accounts answers at the lines' host."""
    meter_id: str
    """Empty where the price names no meter, or the bill none."""
    meter: str
    """As the bill calls it."""
    tokens: int | None
    """By our lines, of the kinds of tokens that this meter is for."""
    quantity: Decimal | None
    """By the bill."""
    cost: Decimal | None
    """By our lines, at contract prices."""
    effective: Decimal | None
    """By the bill: what was used, whenever it was paid."""
    invoiced: Decimal | None
    """By the bill: what is on the invoice."""

    @property
    def difference(self) -> Decimal | None:
        """Return what the bill charges above our lines; `None` where one of the two is not there."""
        return None if self.effective is None or self.cost is None else self.effective - self.cost


@dataclass(frozen=True, slots=True)
class CostTotal:
    """What one account cost in the month."""

    account: str
    cost: Decimal
    effective: Decimal | None
    """`None` where the bill has no row of this account."""
    note: str

    @property
    def share(self) -> Decimal | None:
        """Return which share of the charge our lines explain, at most 1."""
        return explained(self.cost, self.effective)


@dataclass(frozen=True, slots=True)
class Above:
    """What ours has above Azure's, where it is too much to be what a share may lack."""

    what: str
    """`tokens` or `cost`."""
    amount: Decimal
    """The sum over deployments or accounts: too little of another makes up for none of it."""
    azures: Decimal
    """Azure's own figure."""

    @property
    def share(self) -> Decimal | None:
        """Return the amount as a share of Azure's figure; `None` where that is 0."""
        return self.amount / self.azures if self.azures > 0 else None


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """A month compared with Azure's own figures."""

    month: str
    """`2026-10`."""
    currency: str
    tokens: tuple[TokensRow, ...] = ()
    token_totals: tuple[TokensTotal, ...] = ()
    calls: tuple[CallsRow, ...] = ()
    costs: tuple[CostRow, ...] = ()
    cost_totals: tuple[CostTotal, ...] = ()
    notes: tuple[str, ...] = ()
    """What could not be compared, and why; one sentence each."""
    above: tuple[Above, ...] = ()

    @property
    def tokens_share(self) -> Decimal | None:
        """Return which share of all metered tokens is billed."""
        return _overall(self.pairs["tokens"])

    @property
    def calls_share(self) -> Decimal | None:
        """Return which share of the requests, on days that the gateway counted, is recorded."""
        known = [(Decimal(row.recorded), Decimal(row.requests)) for row in self.calls if row.requests is not None]
        return explained(sum((one for one, _ in known), Decimal(0)), sum((other for _, other in known), Decimal(0)))

    @property
    def cost_share(self) -> Decimal | None:
        """Return which share of the accounts' charges our lines explain."""
        return _overall(self.pairs["cost"])

    @property
    def pairs(self) -> dict[str, list[tuple[Decimal, Decimal]]]:
        """Return ours and Azure's figure of each deployment and account; what Azure does not tell is not 0."""
        tokens = [(one.billed, one.metered) for one in self.token_totals if one.metered is not None]
        cost = [(one.cost, one.effective) for one in self.cost_totals if one.effective is not None]
        return {"tokens": [(Decimal(ours), Decimal(theirs)) for ours, theirs in tokens], "cost": cost}


def above_of(found: Reconciliation, at_least: Decimal) -> tuple[Above, ...]:
    """Return what ours has above Azure's by more than a share may lack (`at_least`, in per cent).

    Calls are left out: all of them are recorded, and the gateway's may be asked for of some APIs alone.
    """
    sums = [
        Above(what, sum((max(ours - theirs, Decimal(0)) for ours, theirs in pairs), Decimal(0)), _sum(pairs))
        for what, pairs in found.pairs.items()
    ]
    return tuple(one for one in sums if one.amount * 100 > max(one.azures, Decimal(0)) * (100 - at_least))


def explained(ours: Decimal, theirs: Decimal | None) -> Decimal | None:
    """Return min(ours, theirs) / theirs; `None` where there is nothing to explain."""
    return None if theirs is None or theirs <= 0 else max(Decimal(0), min(ours, theirs)) / theirs


def _overall(pairs: list[tuple[Decimal, Decimal]]) -> Decimal | None:
    """Return the share over several: too much of one does not make up for too little of another."""
    common = sum((max(Decimal(0), min(ours, theirs)) for ours, theirs in pairs), Decimal(0))
    return explained(common, _sum(pairs))


def _sum(pairs: list[tuple[Decimal, Decimal]]) -> Decimal:
    return sum((theirs for _, theirs in pairs), Decimal(0))
