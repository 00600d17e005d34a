"""A month's statement from the rows of `kql/reports/statement-lines.kql`: tokens times exact prices, in Decimal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, TypeAlias

from chargeback.errors import QueryError
from chargeback.reports.answer import Answer, moment
from chargeback.reports.statement import CLASSES, Excluded, Kind, Line, Part, Statement

QUERY = "statement-lines"

Row: TypeAlias = Mapping[str, Any]
"""A row as the query tells it: column -> value."""

_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_MILLION = Decimal(1_000_000)
_TEXTS = {
    "business_unit": "businessUnit",
    "cost_center": "costCenter",
    "consumer_id": "consumerId",
    "consumer_name": "consumerName",
    "deployment": "deployment",
    "backend_host": "backendHost",
    "publisher": "publisher",
    "model": "model",
    "model_version": "modelVersion",
    "deployment_type": "deploymentType",
    "region": "servedRegion",
    "service_tier": "tier",
    "context_band": "contextBand",
    "price_source": "priceSource",
    "meter_id": "meterId",
    "commitment_id": "commitmentId",
}
"""Field of a line -> column."""
_IDENTITY = ("lineKind", "day", "batch", "unitsPerUsd", "pricingNote", "priceValidFrom", "purchase", *_TEXTS.values())


def statement_of(
    answer: Answer, month: str, currency: str, made_at: datetime, hashes: Mapping[str, str], *, spread: bool = False
) -> Statement:
    """Return the statement that the query's rows, of a whole month, are about.

    With `spread`, idle capacity is divided among those who used the rest of the same purchase, by weighted tokens.

    Raises:
        QueryError: the rows are another query's.
    """
    kinds: dict[str, list[Row]] = defaultdict(list)
    for record in answer.records():
        kinds[str(record.get("rowKind"))].append(record)
    if not kinds.keys() <= {"class", "line", "part"}:
        raise QueryError(f"kql/reports/{QUERY}.kql has lost its columns: take it as it was released")
    parts: dict[tuple[object, ...], list[Row]] = defaultdict(list)
    for part in kinds["part"]:
        parts[_identity(part)].append(part)
    lines = [_line(row, parts.get(_identity(row), ())) for row in kinds["line"]]
    if spread:
        lines = _spread(lines, kinds["line"])
    classes: dict[str, int] = defaultdict(int, dict.fromkeys(CLASSES, 0))
    for row in kinds["class"]:
        classes[str(row["className"])] += int(row["calls"])
    return Statement(
        month=month,
        currency=currency,
        lines=tuple(sorted(lines, key=_order)),
        calls=sum(classes.values()),
        classes=dict(classes),
        excluded=_excluded(kinds["class"]),
        made_at=made_at,
        query_hashes=dict(hashes),
    )


def _identity(row: Row) -> tuple[object, ...]:
    return tuple(row[column] for column in _IDENTITY)


def _order(line: Line) -> tuple[object, ...]:
    return line.business_unit, line.day, line.kind, line.consumer_id, line.deployment, line.model, line.price_source


def _line(row: Row, part_rows: Sequence[Row]) -> Line:
    rate = exact(row["unitsPerUsd"])
    parts = tuple(sorted((_part(part, rate) for part in part_rows), key=lambda part: part.name))
    bought = exact(row["purchaseUsd"]) * rate
    valid_from = row["priceValidFrom"]
    return Line(
        kind=Kind(row["lineKind"]),
        day=moment(row["day"]).date(),
        batch=bool(row["batch"]),
        calls=int(row["calls"]),
        parts=parts,
        list_cost=bought + _sum(parts, "list_per_million"),
        contract_cost=bought + _sum(parts, "contract_per_million"),
        charged_cost=bought + _sum(parts, "charged_per_million"),
        pricing_note="; ".join([*filter(None, [row["pricingNote"]]), *_borrowed(part_rows)]),
        price_valid_from=None if valid_from is None else moment(valid_from),
        unit_hours=exact(row["unitHours"]),
        **{field: row[column] or "" for field, column in _TEXTS.items()},
    )


def _part(row: Row, rate: Decimal) -> Part:
    contract = exact(row["contractUsd"])
    fixed = row["fixedUsd"]
    percent = exact(row["discountPercent"])
    charged = contract * (100 - percent) / 100 if fixed is None else exact(fixed)
    return Part(row["part"], int(row["tokens"]), exact(row["listUsd"]) * rate, contract * rate, charged * rate)


def _sum(parts: Iterable[Part], price: str) -> Decimal:
    total = Decimal(0)
    for part in parts:
        total = _EXACT.add(total, _EXACT.divide(_EXACT.multiply(Decimal(part.tokens), getattr(part, price)), _MILLION))
    return total


def _borrowed(rows: Iterable[Row]) -> list[str]:
    found = {(row["part"], row["billedAs"]) for row in rows if row["billedAs"]}
    return [f"{part} at the price of {whole}" for part, whole in sorted(found)]


def _excluded(rows: Iterable[Row]) -> tuple[Excluded, ...]:
    calls: dict[tuple[str, str, str], int] = defaultdict(int)
    for row in rows:
        if row["className"] != "line":
            calls[str(row["className"]), str(row["cause"]), row["businessUnit"] or ""] += int(row["calls"])
    return tuple(Excluded(name, cause, number, unit) for (name, cause, unit), number in sorted(calls.items()))


def _spread(lines: Sequence[Line], rows: Sequence[Row]) -> list[Line]:
    """Divide idle lines among the provisioned ones of their purchase; what nobody used at all stays idle."""
    purchases = [str(row["purchase"]) for row in rows]
    weights = [exact(row["weightedTokens"]) for row in rows]
    total: dict[str, Decimal] = defaultdict(Decimal)
    idle: dict[str, tuple[Decimal, Decimal]] = defaultdict(lambda: (Decimal(0), Decimal(0)))
    for line, purchase, weight in zip(lines, purchases, weights, strict=True):
        if line.kind is Kind.PROVISIONED:
            total[purchase] += weight
        if line.kind is Kind.IDLE:
            cost, hours = idle[purchase]
            idle[purchase] = (cost + line.charged_cost, hours + line.unit_hours)
    spread = []
    for line, purchase, weight in zip(lines, purchases, weights, strict=True):
        if line.kind is Kind.IDLE and total[purchase]:
            continue
        if line.kind is Kind.PROVISIONED and total[purchase]:
            share = _EXACT.divide(weight, total[purchase])
            cost, hours = (_EXACT.multiply(share, whole) for whole in idle[purchase])
            spread.append(_more(line, cost, hours))
            continue
        spread.append(line)
    return spread


def _more(line: Line, cost: Decimal, hours: Decimal) -> Line:
    return replace(
        line,
        list_cost=line.list_cost + cost,
        contract_cost=line.contract_cost + cost,
        charged_cost=line.charged_cost + cost,
        unit_hours=line.unit_hours + hours,
    )


def exact(value: object) -> Decimal:
    """Return a number as it is written: a price of 0.0275 is that, not the binary number next to it."""
    return value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else str(value))


def made_now() -> datetime:
    """Return the moment, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)
