"""Compare what is billed with what Azure metered: tokens per deployment and day, calls per day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from chargeback.reports.answer import Answer, moment
from chargeback.reports.metered import (
    CACHE_WRITE,
    CACHE_WRITE_1H,
    CACHED,
    COMPLETION,
    METRICS,
    PROMPT,
    Account,
    AccountMetrics,
    GatewayMetrics,
)
from chargeback.reports.reconciliation import CallsRow, TokensRow, TokensTotal

_CACHES = (CACHED, CACHE_WRITE, CACHE_WRITE_1H)


@dataclass(frozen=True, slots=True)
class Used:
    """What is billed of one deployment on one day (UTC)."""

    day: date
    backend_host: str
    """Empty where the gateway did not tell it."""
    deployment: str
    calls: int
    prompt: int
    """With what came from a cache or went into one."""
    completion: int
    cached: int
    cache_write: int
    """For five minutes and for an hour."""
    cache_write_1h: int


@dataclass(frozen=True, slots=True)
class TokensCompared:
    """The comparison of a month's tokens."""

    rows: tuple[TokensRow, ...]
    totals: tuple[TokensTotal, ...]
    notes: tuple[str, ...]


def used(answer: Answer) -> tuple[Used, ...]:
    """Return the rows of an answer to kql/reports/tokens-by-deployment-and-day.kql.

    Raises:
        QueryError: a row has no day.
    """
    return tuple(
        Used(moment(row["day"]).date(), str(row["backendHost"] or ""), str(row["deployment"] or ""), *_counts(row))
        for row in answer.records()
    )


def calls_by_day(billed: Iterable[Used]) -> dict[date, int]:
    """Return the calls of each day, to compare with the gateway's own count."""
    calls: dict[date, int] = defaultdict(int)
    for one in billed:
        calls[one.day] += one.calls
    return dict(calls)


_COUNTS = ("calls", "promptTokens", "completionTokens", "cachedTokens", "cacheWriteTokens", "cacheWrite1hTokens")

_Place = tuple[str, str]
"""Resource id of the account, deployment in lower case."""


def compare_tokens(billed: Iterable[Used], metrics: Sequence[AccountMetrics]) -> TokensCompared:
    """Compare what is billed with the accounts' metrics of the same month.

    Anthropic's models count what came from a cache, or went into one, apart: there `prompt` is what is left.
    """
    names: dict[_Place, str] = {}
    ours: dict[tuple[_Place, date], list[Used]] = defaultdict(list)
    notes: list[str] = []
    for one in billed:
        account = account_of(one.backend_host, one.deployment, metrics)
        place = (account.resource_id if account else "", one.deployment.lower())
        names.setdefault(place, one.deployment)
        ours[place, one.day].append(one)
        if account is None:
            notes.append(f"no account named here answers at {one.backend_host or 'an unknown host'} ({one.deployment})")
    theirs: dict[_Place, dict[str, dict[date, int]]] = defaultdict(lambda: defaultdict(dict))
    for account_metrics in metrics:
        for metered in account_metrics.metered:
            place = (account_metrics.account.resource_id, metered.deployment.lower())
            names.setdefault(place, metered.deployment)
            theirs[place][metered.metric][metered.day] = metered.amount
        notes.extend(_missing(account_metrics))
    rows = [
        row
        for place, name in sorted(names.items())
        for row in _rows(place, name, {day: one for (there, day), one in ours.items() if there == place}, theirs[place])
    ]
    return TokensCompared(tuple(rows), tuple(_totals(rows, theirs)), tuple(dict.fromkeys(notes)))


def account_of(host: str, deployment: str, metrics: Sequence[AccountMetrics]) -> Account | None:
    """Return the account that served: by its host; without one, the only account that metered such a deployment."""
    if host:
        return next((one.account for one in metrics if host.lower() in one.account.hosts), None)
    known = [one.account for one in metrics if any(deployment.lower() == it.deployment.lower() for it in one.metered)]
    return known[0] if len(known) == 1 else None


def compare_calls(recorded: Mapping[date, int], gateway: GatewayMetrics, days: Iterable[date]) -> tuple[CallsRow, ...]:
    """Compare calls per day with the gateway's own count; `recorded` is all calls, billed or not."""
    return tuple(CallsRow(day, recorded.get(day, 0), gateway.requests.get(day)) for day in days)


def _rows(
    place: _Place, name: str, ours: Mapping[date, Sequence[Used]], theirs: Mapping[str, Mapping[date, int]]
) -> Iterable[TokensRow]:
    chosen = {kind: _metric(kind, theirs) for kind in METRICS}
    apart = any(chosen[kind] for kind in _CACHES)
    for kind in (PROMPT, COMPLETION, *(kind for kind in _CACHES if chosen[kind])):
        metered = theirs.get(chosen[kind], {})
        count = _COUNT_OF[kind] if kind != PROMPT or not apart else _uncached
        for day in sorted({*ours, *metered}):
            billed = sum(count(one) for one in ours.get(day, ()))
            if billed or metered.get(day) is not None:
                yield TokensRow(place[0], name, day, kind, chosen[kind], billed, metered.get(day))


def _counts(row: Mapping[str, object]) -> Iterable[int]:
    return (int(str(row[column] or 0)) for column in _COUNTS)


def _metric(kind: str, theirs: Mapping[str, Mapping[date, int]]) -> str:
    """Return the most exact metric that has a value; one for the whole month, so that two are never mixed."""
    return next((metric for metric in METRICS[kind] if theirs.get(metric)), "")


def _uncached(one: Used) -> int:
    return one.prompt - one.cached - one.cache_write


_COUNT_OF: Mapping[str, Callable[[Used], int]] = {
    PROMPT: lambda one: one.prompt,
    COMPLETION: lambda one: one.completion,
    CACHED: lambda one: one.cached,
    CACHE_WRITE: lambda one: one.cache_write - one.cache_write_1h,
    CACHE_WRITE_1H: lambda one: one.cache_write_1h,
}


def _totals(
    rows: Iterable[TokensRow], theirs: Mapping[_Place, Mapping[str, Mapping[date, int]]]
) -> Iterable[TokensTotal]:
    grouped: dict[tuple[str, str, str], list[TokensRow]] = defaultdict(list)
    for row in rows:
        grouped[row.account, row.deployment, row.kind].append(row)
    for (account, deployment, kind), group in grouped.items():
        known = [(row.billed, row.metered) for row in group if row.metered is not None]
        billed, unmetered = sum(one for one, _ in known), sum(row.billed for row in group if row.metered is None)
        metered = sum(other for _, other in known) if known else None
        note = _note(group[0], theirs[account, deployment.lower()], metered, billed)
        yield TokensTotal(account, deployment, kind, group[0].metric, billed, metered, unmetered, note)


def _note(row: TokensRow, theirs: Mapping[str, Mapping[date, int]], metered: int | None, billed: int) -> str:
    if metered is None:
        return "no metric has a value for this deployment"
    both = [sum(theirs[metric].values()) for metric in METRICS[row.kind] if theirs.get(metric)]
    if len(set(both)) > 1:
        return f"{' and '.join(METRICS[row.kind])} differ: {' and '.join(map(str, both))}"
    caches = sum(sum(theirs.get(METRICS[kind][0], {}).values()) for kind in _CACHES)
    if row.kind == PROMPT and caches and metered - billed == caches:
        return f"the difference is what the cache's metrics count: {row.metric} seems to include it"
    return ""


def _missing(metrics: AccountMetrics) -> Iterable[str]:
    """Say which kinds of tokens an account has no metric for."""
    for kind, names in METRICS.items():
        if set(names) <= set(metrics.missing):
            yield f"{metrics.account.resource_id} has no metric {' or '.join(names)}: {kind} is not compared there"
