"""A reconciliation as text: tables for people, an object for programs, and a sentence for what is not explained."""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import ROUND_DOWN, Decimal
from typing import Any, TypeAlias

from pydantic import TypeAdapter

from chargeback.reports.reconciliation import Above, Reconciliation, above_of
from chargeback.reports.texts import encodable, visible

Shown: TypeAlias = tuple[list[str], list[list[object]]]
"""Heads and cells of a table."""

_PLAIN = TypeAdapter(Reconciliation)
_DERIVED = ("difference", "lost", "share")
_GROUPS = ("tokens", "token_totals", "calls", "costs", "cost_totals")


def tokens_table(found: Reconciliation) -> Shown:
    """Return the month's tokens per deployment and kind; what no metric tells is left empty.

    The difference and the share are of the days that the metric knows.
    """
    heads = ["account", "deployment", "tokens", "metric", "billed", "of it not metered", "metered", "difference"]
    heads += ["explained %", "note"]
    cells: list[list[object]] = []
    for total in found.token_totals:
        difference = None if total.metered is None else total.metered - total.billed
        names = _last(total.account), visible(total.deployment), total.kind, total.metric
        billed = total.billed + total.unmetered
        numbers = billed, total.unmetered, total.metered, difference, percent(total.share)
        cells.append([*names, *numbers, total.note])
    return heads, cells


def calls_table(found: Reconciliation) -> Shown:
    """Return calls per day, without days of which neither side knows anything."""
    days = [row for row in found.calls if row.recorded or row.requests is not None]
    return ["day", "recorded", "requests", "lost"], [
        [row.day.isoformat(), row.recorded, row.requests, row.lost] for row in days
    ]


def cost_table(found: Reconciliation) -> Shown:
    """Return the month's cost per account and meter, in the statement's currency."""
    heads = ["account", "meter", "tokens", "quantity billed", "cost", "effective", "invoiced", "difference"]
    cells: list[list[object]] = []
    for row in found.costs:
        meter = visible(row.meter or row.meter_id) or "no meter"
        amounts = (_short(amount) for amount in (row.quantity, row.cost, row.effective, row.invoiced, row.difference))
        cells.append([_last(row.account), meter, row.tokens, *amounts])
    return heads, cells


def cost_totals_table(found: Reconciliation) -> Shown:
    """Return the month's cost per account."""
    heads = ["account", f"cost {found.currency}", f"effective {found.currency}", "difference", "explained %", "note"]
    cells: list[list[object]] = []
    for total in found.cost_totals:
        difference = None if total.effective is None else total.effective - total.cost
        amounts = (_short(amount) for amount in (total.cost, total.effective, difference))
        cells.append([_last(total.account), *amounts, percent(total.share), total.note])
    return heads, cells


def summary(found: Reconciliation) -> list[str]:
    """Return a line for each of the three comparisons, then what is above Azure's, and what could not be compared."""
    told = {
        "tokens": "of what Azure Monitor counts is billed",
        "calls": "of the gateway's requests are recorded; the others its logger lost, or they are of other APIs",
        "cost": "of what Azure charges the accounts is in our lines, at contract prices",
    }
    more = {one.what: percent(one.share) for one in above_of(found, Decimal(100))}
    lines = []
    for name, share in _shares(found):
        said = "not compared" if share is None else f"{percent(share)} % {told[name]}"
        # A share ends at 100 %: by itself it would read as if the two were the same.
        lines.append(f"{name}: {said}" + (f", and {more[name]} % more" if more.get(name) else ""))
    return [*lines, *surplus(found), *(f"note: {visible(note)}" for note in found.notes)]


def surplus(found: Reconciliation) -> list[str]:
    """Return a sentence for each figure of ours that is too far above Azure's."""
    return [_too_much(one, found.currency) for one in found.above]


def _too_much(one: Above, currency: str) -> str:
    amount, why = f"{one.amount:,f}", "billed twice, or metered elsewhere"
    if one.what == "cost":
        amount = f"{_short(one.amount):,f} {currency}"
        why = "billed twice, priced too high, or the bill is not complete"
    share = "" if one.share is None else f" ({percent(one.share)} %)"
    return f"{one.what}: ours is above Azure's by {amount}{share}: {why}"


def shortfall(found: Reconciliation, at_least: Decimal) -> str:
    """Return one sentence about shares below `at_least` (per cent); empty where there is none.

    A comparison that was asked for and has nothing on Azure's side to hold against ours falls short too.
    """
    low = [
        f"{name} are explained by {percent(share)} %" if name != "cost" else f"cost is explained by {percent(share)} %"
        for name, share in _shares(found)
        if share is not None and share * 100 < at_least
    ]
    low += [f"nothing of Azure's tells of our {name}" for name in _untold(found)]
    if not low:
        return ""
    return f"{', '.join(low)}, and at least {at_least:f} % is asked for: the tables say where the rest is"


def doubts(found: Reconciliation, at_least: Decimal) -> list[str]:
    """Return a sentence for each reason not to believe that ours and Azure's figures are the same."""
    return [*filter(None, [shortfall(found, at_least)]), *surplus(found)]


def as_json(found: Reconciliation, at_least: Decimal) -> str:
    """Write one JSON object: the comparison's rows with their differences and shares, and the shares of the whole.

    Tokens and calls are numbers; amounts and shares (of 1) are decimal strings; what is not known is null.
    """
    plain: dict[str, Any] = _PLAIN.dump_python(found, mode="json")
    for group in _GROUPS:
        for row, written in zip(getattr(found, group), plain[group], strict=True):
            written |= {name: _text(getattr(row, name)) for name in _DERIVED if hasattr(row, name)}
    plain["shares"] = {name: _text(share) for name, share in _shares(found)}
    plain["at_least_percent"] = f"{at_least:f}"
    plain["shortfall"] = shortfall(found, at_least) or None
    return encodable(json.dumps(plain, ensure_ascii=False, indent=1)) + "\n"


def percent(share: Decimal | None) -> Decimal | None:
    """Return a share in per cent, rounded down: 100.00 is all of it."""
    return None if share is None else (share * 100).quantize(Decimal("0.01"), rounding=ROUND_DOWN)


def _shares(found: Reconciliation) -> tuple[tuple[str, Decimal | None], ...]:
    return ("tokens", found.tokens_share), ("calls", found.calls_share), ("cost", found.cost_share)


def _untold(found: Reconciliation) -> Iterable[str]:
    if found.tokens_share is None and any(total.unmetered for total in found.token_totals):
        yield "tokens"
    if found.calls_share is None and any(row.recorded for row in found.calls):
        yield "calls"
    if found.cost_share is None and any(total.cost for total in found.cost_totals):
        yield "cost"


def _last(resource_id: str) -> str:
    return resource_id.rpartition("/")[2] or "none of the accounts"


def _short(amount: Decimal | None) -> Decimal | None:
    """Return an amount with at most six digits after the point: cents, and a look at what is below them."""
    return None if amount is None else Decimal(f"{amount:.6f}".rstrip("0").rstrip("."))


def _text(value: object) -> object:
    return f"{value:f}" if isinstance(value, Decimal) else value
