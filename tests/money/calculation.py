"""A month's costs, worked out call by call in Decimal: from the rules, sharing nothing with the queries.

The rules are those of docs/contract.md (sections 1 and 4), of docs/prices.md and of the comments in `kql/lib/`. The
queries sum calls first and look rows up in joins, in floating point; here each call is looked up by itself, and nothing
is summed before it is money.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from tests.money.amounts import EXACT, NOTHING, Costs, Key, Month, added
from tests.money.case import Case
from tests.money.merging import WHOLES, Call, calls_in, class_without_usage
from tests.money.pricing import Row, Served, charged, named, price_of, price_rows, served, since, valid

HOUR = timedelta(hours=1)
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Used:
    """A call of a purchase: what it weighs, and where it belongs."""

    key: Key
    weight: Decimal
    rate: Decimal | None
    """The statement's currency for a US dollar; None: not known, so the share is nobody's line."""


def calculate(case: Case) -> Month:
    """Return the month's lines, its classes and what was billed as something else."""
    with localcontext(EXACT):
        return _Month(case).outcome()


class _Month:
    def __init__(self, case: Case) -> None:
        self.case, self.tables = case, case.reference
        self.lines: defaultdict[Key, Costs] = defaultdict(lambda: NOTHING)
        self.classes: Counter[str] = Counter()
        self.notes: defaultdict[Key, set[tuple[str, str]]] = defaultdict(set)
        self.used: defaultdict[tuple[str, str], defaultdict[datetime, list[Used]]]
        self.used = defaultdict(lambda: defaultdict(list))

    def outcome(self) -> Month:
        self.hours = {commitment: self._hours(commitment) for commitment in self._commitments()}
        for call in calls_in(self.case.events, self.case.start, self.case.end):
            self.classes[self._class_of(call)] += 1
        for commitment in self._commitments():
            self._share(commitment)
        return Month(
            dict(self.lines), dict(self.classes), {key: frozenset(told) for key, told in self.notes.items() if told}
        )

    # A call.

    def _class_of(self, call: Call) -> str:
        if not call.counts.keys() & set(WHOLES):
            return class_without_usage(call)
        if not _wholes_known(call):
            return "unpriced"
        if not _fits_together(call):
            return "inconsistent"
        what, owner, rate = served(call, self.tables), self._owner(call), self._rate(call.time)
        kind = "provisioned" if what.provisioned else "tokens"
        answered_by = call.text("servedDeployment") or call.text("deploymentId")
        key = Key(owner, call.text("consumerId"), answered_by, what.model, kind)
        has_cost = self._weigh(call, what, key, rate) if what.provisioned else self._price(call, what, key, rate)
        if not has_cost or rate is None:
            return "unpriced"
        return "line" if owner else "unknown-consumer"

    def _owner(self, call: Call) -> str:
        rows = valid(self.tables.get("consumers", ()), call.time)
        own = [row for row in rows if row["consumerId"] == call.text("consumerId")]
        return str(max(own, key=since)["businessUnit"]) if own else ""

    def _rate(self, time: datetime) -> Decimal | None:
        currency = self.case.settings["statementCurrency"]
        if currency == "USD":
            return Decimal(1)
        rows = [row for row in valid(self.tables.get("currencies", ()), time) if row["currency"] == currency]
        return Decimal(max(rows, key=since)["unitsPerUsd"]) if rows else None

    def _price(self, call: Call, what: Served, key: Key, rate: Decimal | None) -> bool:
        rows = price_rows(call, what, self.tables)
        if rate is None or not rows or None in rows.values():
            return False
        best = rows.get("contract") or rows["list"]
        publisher = best.get("publisher", "") if best else ""
        scope = {
            "businessUnit": key.business_unit,
            "publisher": publisher,
            "model": what.model,
            "deploymentType": what.kind,
        }
        costs = Costs(1, Decimal(0), Decimal(0), Decimal(0))
        notes: set[tuple[str, str]] = set()
        for part, tokens in parts_of(call).items():
            if not tokens:
                continue
            contract_and_list = [row for kind in ("contract", "list") if (row := rows.get(kind))]
            contract, billed = price_of(part, contract_and_list)
            if contract is None:
                return False
            in_list = price_of(part, [listed] if (listed := rows.get("list")) else [])[0]
            list_usd = contract if in_list is None else in_list
            usd = charged(contract, part, scope, call.time, self.tables)
            amounts = (tokens * price / MILLION * rate for price in (list_usd, contract, usd))
            costs = added(costs, Costs(0, *amounts))
            notes |= {(part, billed)} if billed else set()
        self.lines[key] = added(self.lines[key], costs)
        self.notes[key] |= notes
        return True

    # A purchase.

    def _commitments(self) -> list[tuple[str, str]]:
        rows = self.tables.get("provisioned", ())
        return sorted({(row.get("backendHost", "").lower(), row["deployment"].lower()) for row in rows})

    def _hours(self, commitment: tuple[str, str]) -> dict[datetime, Decimal]:
        """Return what each hour costs that is paid for, in US dollars."""
        hours: defaultdict[datetime, Decimal] = defaultdict(Decimal)
        for row in self.tables["provisioned"]:
            priced = (row.get("usdPerUnitHour") is None) != (row.get("usdPerMonth") is None)
            if priced and (row.get("backendHost", "").lower(), row["deployment"].lower()) == commitment:
                for hour, seconds in self._paid(row):
                    hours[hour] += seconds * _usd_per_hour(row, hour) / 3600
        return dict(hours)

    def _paid(self, row: Row) -> Iterator[tuple[datetime, Decimal]]:
        """Yield the hours of a purchase in the period, and how many seconds of each it ran."""
        ends = datetime.fromisoformat(row["validTo"]) if row.get("validTo") else self.case.end
        hour = max(since(row), self.case.start).replace(minute=0, second=0, microsecond=0)
        while hour < min(ends, self.case.end):
            ran = min(ends, self.case.end, hour + HOUR) - max(since(row), self.case.start, hour)
            yield hour, Decimal(ran // timedelta(microseconds=1)) / MILLION
            hour += HOUR

    def _weigh(self, call: Call, what: Served, key: Key, rate: Decimal | None) -> bool:
        hour = call.time.replace(minute=0, second=0, microsecond=0)
        host, name = call.text("backendHost").lower(), key.deployment.lower()
        commitment = next((found for found in ((host, name), ("", name)) if hour in self.hours.get(found, ())), None)
        if commitment is None:
            return False
        rows = valid(self.tables.get("provisionedWeights", ()), call.time)
        own = [row for row in rows if named(row["model"])[0] == what.model]
        weights: Row = max(own, key=since) if own else {}
        parts = parts_of(call)
        completion = parts["completion"] + parts["audioCompletion"]
        weight = (
            parts["prompt"]
            + parts["audioPrompt"]
            + parts["imagePrompt"]
            + parts["cached"] * Decimal(weights.get("cachedWeight", 0))
            + (parts["cacheWrite"] + parts["cacheWrite1h"]) * Decimal(weights.get("cacheWriteWeight", 1))
            + completion * Decimal(weights.get("outputRatio", 1))
        )  # fmt: skip  (a kind of weight a line)
        self.used[commitment][hour].append(Used(key, weight, rate))
        if not own and rate is not None:
            self.notes[key].add(("weights", "missing"))
        return True

    def _share(self, commitment: tuple[str, str]) -> None:
        """Divide every hour among its calls by weight; what nobody used is idle, or everybody's."""
        used = self.used[commitment]
        sharers = [one for calls in used.values() for one in calls if one.rate is not None]
        everything = sum((one.weight for one in sharers), Decimal(0))
        spread = self.case.settings["idleCapacity"] == "spread" and everything > 0
        for hour, usd in self.hours[commitment].items():
            weight = sum((one.weight for one in used.get(hour, ())), Decimal(0))
            rate = self._rate(max(hour, self.case.start))
            for one in used.get(hour, ()):
                if one.rate is not None:
                    self._add(one.key, usd * one.weight / weight * one.rate if weight else Decimal(0), calls=1)
            if weight or rate is None:
                continue
            for one in sharers if spread else ():
                self._add(one.key, usd * rate * one.weight / everything, calls=0)
            if not spread:
                self._add(Key("", "", self._name(commitment), "", "idle"), usd * rate, calls=0)

    def _add(self, key: Key, amount: Decimal, calls: int) -> None:
        self.lines[key] = added(self.lines[key], Costs(calls, amount, amount, amount))

    def _name(self, commitment: tuple[str, str]) -> str:
        """Return the deployment's name as the purchase writes it."""
        names = [str(row["deployment"]) for row in self.tables["provisioned"]]
        return next(name for name in names if name.lower() == commitment[1])


def _usd_per_hour(row: Row, hour: datetime) -> Decimal:
    if row.get("usdPerUnitHour") is not None:
        return Decimal(row["units"]) * Decimal(row["usdPerUnitHour"])
    first = hour.replace(day=1, hour=0)
    following = (first + timedelta(days=31)).replace(day=1)
    return Decimal(row["usdPerMonth"]) / ((following - first) // HOUR)


def _wholes_known(call: Call) -> bool:
    """Tell whether prompt and completion are known, or the total says that there was no completion."""
    if "promptTokens" not in call.counts:
        return False
    return "completionTokens" in call.counts or call.count("totalTokens") <= call.count("promptTokens")


def _fits_together(call: Call) -> bool:
    """Tell whether no part is larger than what it is inside of."""
    prompt, completion = call.count("promptTokens"), call.count("completionTokens")
    inside = sum(call.count(name) for name in ("cachedTokens", "audioPromptTokens", "imagePromptTokens"))
    return (
        all(tokens >= 0 for name, tokens in call.counts.items() if name != "totalTokens")
        and inside + _written(call) <= prompt
        and max(call.count("reasoningTokens"), call.count("audioCompletionTokens")) <= completion
        and call.count("cacheWrite1hTokens") <= _written(call)
    )


def _written(call: Call) -> int:
    """Return the tokens written to the cache: at least those written to it for an hour, where only they are told."""
    return call.counts.get("cacheWriteTokens", call.count("cacheWrite1hTokens"))


def parts_of(call: Call) -> dict[str, int]:
    """Return the tokens of each part, each token in one part; parts without tokens are 0."""
    written1h, audio = call.count("cacheWrite1hTokens"), call.count("audioPromptTokens")
    image, cached, spoken = (
        call.count(name) for name in ("imagePromptTokens", "cachedTokens", "audioCompletionTokens")
    )
    return {
        "prompt": call.count("promptTokens") - cached - _written(call) - audio - image,
        "cached": cached,
        "cacheWrite": _written(call) - written1h,
        "cacheWrite1h": written1h,
        "audioPrompt": audio,
        "imagePrompt": image,
        "completion": call.count("completionTokens") - spoken,
        "audioCompletion": spoken,
    }
