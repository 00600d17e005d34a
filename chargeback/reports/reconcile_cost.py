"""Compare what our lines cost with Azure's own bill, per account and meter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeVar

from chargeback.errors import StatementError
from chargeback.reports.bill import Charge
from chargeback.reports.metered import Account
from chargeback.reports.reconciliation import CostRow, CostTotal
from chargeback.reports.statement import Kind, Line

_Figure = TypeVar("_Figure", int, Decimal)
_MILLION = Decimal(1_000_000)
_COMPARED = ("Usage", "Adjustment")
_SERVED = (Kind.TOKENS, Kind.PROVISIONED, Kind.IDLE)
"""What Azure charges on a model's account. An overhead is charged elsewhere, a correction in another month."""


@dataclass(frozen=True, slots=True)
class CostCompared:
    """The comparison of a month's cost."""

    rows: tuple[CostRow, ...]
    totals: tuple[CostTotal, ...]
    notes: tuple[str, ...]


@dataclass(slots=True)
class _Sums:
    tokens: int | None = None
    cost: Decimal | None = None
    quantity: Decimal | None = None
    effective: Decimal | None = None
    invoiced: Decimal | None = None
    meters: set[str] = field(default_factory=set)


def compare_cost(
    lines: Iterable[Line], charges: Iterable[Charge], accounts: Sequence[Account], currency: str
) -> CostCompared:
    """Compare a month's lines at contract prices with the same month's charges; `currency` is the lines'.

    Raises:
        StatementError: the bill is in another currency.
    """
    sums: dict[tuple[str, str], _Sums] = defaultdict(_Sums)
    outside: dict[str, Decimal] = defaultdict(Decimal)
    ours = {account.resource_id.lower() for account in accounts}
    for line in lines:
        if line.kind in _SERVED:
            account = _account(line, accounts)
            for meter_id, tokens, cost in _by_meter(line):
                one = sums[account, meter_id]
                one.tokens = _plus(one.tokens, tokens)
                one.cost = _plus(one.cost, cost)
    for charge in charges:
        if charge.currency != currency:
            raise StatementError(
                f"the bill is in {charge.currency}, the statement in {currency}: "
                "make the statement in the bill's currency"
            )
        if charge.category not in _COMPARED:
            outside[f"{charge.category} of {charge.service or charge.resource_id}"] += charge.billed
        elif charge.resource_id not in ours:
            outside[charge.resource_id or charge.service] += charge.effective
        else:
            _add(sums[charge.resource_id, charge.meter_id], charge)
    rows = [_row(account, meter_id, one) for (account, meter_id), one in sorted(sums.items())]
    notes = [f"{what} is not compared: {cost:f} {currency}" for what, cost in sorted(outside.items()) if cost]
    return CostCompared(tuple(rows), tuple(_totals(rows)), tuple(notes))


def _account(line: Line, accounts: Sequence[Account]) -> str:
    """Return the account of a line by its host; without a host, the only one there is."""
    if line.backend_host:
        host = line.backend_host.lower()
        return next((one.resource_id.lower() for one in accounts if host in one.hosts), "")
    return accounts[0].resource_id.lower() if len(accounts) == 1 else ""


def _by_meter(line: Line) -> Iterator[tuple[str, int | None, Decimal]]:
    """Yield (meter id, tokens, cost at contract prices); together they are the line's cost.

    A line names its meters as `prompt=ID completion=ID`, or with one id for all of it.
    """
    named = dict(word.lower().rpartition("=")[::2] for word in line.meter_id.split())
    rest = line.contract_cost
    for part in line.parts:
        cost = part.tokens * part.contract_per_million / _MILLION
        rest -= cost
        yield named.get(part.name.lower(), named.get("", "")), part.tokens, cost
    if rest:
        yield named.get("", ""), None, rest


def _add(one: _Sums, charge: Charge) -> None:
    one.quantity = _plus(one.quantity, charge.quantity)
    one.effective = _plus(one.effective, charge.effective)
    one.invoiced = _plus(one.invoiced, charge.billed)
    one.meters.add(charge.meter)


def _plus(one: _Figure | None, other: _Figure | None) -> _Figure | None:
    if one is None or other is None:
        return other if one is None else one
    return one + other


def _row(account: str, meter_id: str, one: _Sums) -> CostRow:
    meter = ", ".join(sorted(filter(None, one.meters)))
    return CostRow(account, meter_id, meter, one.tokens, one.quantity, one.cost, one.effective, one.invoiced)


def _totals(rows: Sequence[CostRow]) -> Iterator[CostTotal]:
    for account in sorted({row.account for row in rows}):
        mine = [row for row in rows if row.account == account]
        costs = _known(mine, lambda row: row.cost)
        effective = _known(mine, lambda row: row.effective)
        note = ""
        if not account:
            note = "lines of hosts that none of the accounts answers at"
        elif not effective:
            note = "the bill has no charge of this account"
        total = sum(effective, Decimal(0)) if effective else None
        yield CostTotal(account, sum(costs, Decimal(0)), total, note)


def _known(rows: Iterable[CostRow], figure: Callable[[CostRow], Decimal | None]) -> list[Decimal]:
    return [value for row in rows if (value := figure(row)) is not None]
