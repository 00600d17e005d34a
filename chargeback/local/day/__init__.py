"""A working day of a company, made anew from a seed: the bodies on its hubs, and the ledger of what must be billed.

The ledger, in tokens and in money, is kept while the calls are made up; nothing of the pipeline and no query is used
for it. `reference/` is the company's own folder of prices, deployments, consumers and discounts, as reports read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random

from chargeback.local.day.bill import Bill
from chargeback.local.day.calls import Json, Traces, new_call
from chargeback.local.day.company import CALLERS
from chargeback.local.day.kinds import KINDS
from chargeback.local.day.strays import IGNORED, RUBBISH
from chargeback.local.day.truth import Tokens

CALLS = 21_000
SEED = 20_261_120
OPENS, CLOSES = timedelta(hours=7), timedelta(hours=19)
REFERENCE = Path(__file__).parent / "reference"
"""The company's own reference tables."""
_RUBBISH_SHARE = 0.005
_IGNORED_SHARE = 0.004
_ROWS_IN_ONE_EXPORT = 7
_EXPORT_DELAY = timedelta(seconds=40)


@dataclass(frozen=True, slots=True)
class Sent:
    """One event on a hub."""

    at: datetime
    """When the hub took it, UTC."""
    body: bytes
    consumer_id: str
    """Its partition key."""


@dataclass(slots=True)
class Tally:
    """What one consumer, or all of them, must be billed."""

    calls: int = 0
    unknown: int = 0
    """Calls whose tokens nobody knows."""
    prompt: int = 0
    completion: int = 0
    total: int = 0

    def add(self, tokens: Tokens) -> None:
        """Count one call."""
        self.calls += 1
        self.unknown += tokens.total is None
        self.prompt += tokens.prompt or 0
        self.completion += tokens.completion or 0
        self.total += tokens.total or 0


@dataclass(frozen=True, slots=True)
class Day:
    """Everything that happened, in the order of the hubs."""

    date: date
    usage: list[Sent] = field(default_factory=list)
    exports: list[Sent] = field(default_factory=list)
    """API Management's own log, several rows an event."""
    ledger: dict[str, Tally] = field(default_factory=dict)
    """Consumer -> what must be billed."""
    business_units: dict[str, str] = field(default_factory=dict)
    """Consumer -> who pays."""
    strays: dict[str, int] = field(default_factory=lambda: {"rejected": 0, "ignored": 0})
    """Bodies that are no usage: how many must end as what."""
    bills: dict[str, Bill] = field(default_factory=dict)
    """Business unit -> what it owes."""


def make_day(when: date, calls: int = CALLS, seed: int = SEED) -> Day:
    """Return the day; the same seed makes the same calls on any date."""
    rng = Random(seed)  # noqa: S311  (the same day every time; nothing is kept secret with it)
    day = Day(when)
    midnight = datetime(when.year, when.month, when.day, tzinfo=UTC)
    rows: list[tuple[datetime, Json]] = []
    for at in sorted(midnight + OPENS + (CLOSES - OPENS) * rng.random() for _ in range(calls)):
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        caller = rng.choices(CALLERS, [caller.weight for caller in CALLERS])[0]
        kind = rng.choices(list(KINDS), list(KINDS.values()))[0]
        _happen(day, at, kind(new_call(rng, at, caller)), rows)
        _stray(day, at, rng)
    day.usage.sort(key=lambda sent: sent.at)
    for start in range(0, len(rows), _ROWS_IN_ONE_EXPORT):
        part = rows[start : start + _ROWS_IN_ONE_EXPORT]
        body = json.dumps({"records": [row for _, row in part]}).encode()
        day.exports.append(Sent(part[-1][0] + _EXPORT_DELAY, body, "gateway"))
    return day


def _happen(day: Day, at: datetime, traces: Traces, rows: list[tuple[datetime, Json]]) -> None:
    who = traces.caller.consumer_id
    day.usage.append(Sent(at + timedelta(milliseconds=250), json.dumps(traces.body).encode(), who))
    day.ledger.setdefault(who, Tally()).add(traces.billed)
    unit = day.business_units[who] = traces.caller.business_unit
    day.bills.setdefault(unit, Bill()).add(unit, traces.served, traces.billed, traces.fate)
    if traces.log_row is not None:
        rows.append((at, traces.log_row))


def _stray(day: Day, at: datetime, rng: Random) -> None:
    """Once in a while something stands on the hub that is no usage."""
    drawn = rng.random()
    if drawn < _RUBBISH_SHARE:
        outcome, makers = "rejected", RUBBISH
    elif drawn < _RUBBISH_SHARE + _IGNORED_SHARE:
        outcome, makers = "ignored", IGNORED
    else:
        return
    day.usage.append(Sent(at + timedelta(milliseconds=300), rng.choice(makers)(rng, at), "nobody"))
    day.strays[outcome] += 1


def total_of(day: Day) -> Tally:
    """Return what all consumers together must be billed."""
    return sum_of(day.ledger.values())


def sum_of(tallies: Iterable[Tally]) -> Tally:
    """Return several tallies as one."""
    whole = Tally()
    for tally in tallies:
        whole.calls += tally.calls
        whole.unknown += tally.unknown
        whole.prompt += tally.prompt
        whole.completion += tally.completion
        whole.total += tally.total
    return whole
