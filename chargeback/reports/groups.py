"""What a table has one row for, and what its rows are called."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from chargeback.reports.statement import Kind, Line
from chargeback.reports.units import LABELS, Role, Unit, unit_of

PARTS = (
    "prompt",
    "cached",
    "cacheWrite",
    "cacheWrite1h",
    "audioPrompt",
    "imagePrompt",
    "completion",
    "audioCompletion",
)
"""Parts of a call, each with a price of its own, as kql/lib/cost.kql names them."""


class By(StrEnum):
    """What a table has one row for."""

    BUSINESS_UNIT = "business-unit"
    MODEL = "model"
    CONSUMER = "consumer"
    DEPLOYMENT = "deployment"


class RowKind(StrEnum):
    """What a row is, apart from its name, which others choose. Rows are shown in this order."""

    USAGE = "usage"
    UNASSIGNED = "unassigned"
    """Of consumers that nobody is known to own."""
    IDLE = "idle"
    OVERHEAD = "overhead"
    CORRECTION = "correction"
    """Corrections that name nothing of what the table is by."""
    OTHERS = "others"
    """What a shortened table does not name one by one."""
    TOTAL = "total"


@dataclass(frozen=True, slots=True)
class Group:
    """What the lines of one row share."""

    kind: RowKind
    unit: Unit | None
    key: tuple[str, ...]

    def names(self, consumer_names: Mapping[tuple[Unit, str], str]) -> tuple[str, ...]:
        """Return what the row is called, a text for each of the table's columns."""
        if self.unit is None:
            return self.key
        if not self.key:
            return (self.unit.label,)
        shown, consumer = self.key
        return self.unit.label, shown or consumer_names[self.unit, consumer], consumer


_COLUMNS: Mapping[By, tuple[str, ...]] = MappingProxyType(
    {
        By.BUSINESS_UNIT: ("business_unit",),
        By.MODEL: ("model",),
        By.CONSUMER: ("business_unit", "consumer", "consumer_id"),
        By.DEPLOYMENT: ("deployment", "backend"),
    }
)
_ROW_OF_ROLE: Mapping[Role, RowKind] = MappingProxyType(
    {Role.UNASSIGNED: RowKind.UNASSIGNED, Role.IDLE: RowKind.IDLE, Role.OVERHEAD: RowKind.OVERHEAD}
)


def columns_of(by: By) -> tuple[str, ...]:
    """Return the names of the columns that say what a row is about."""
    return _COLUMNS[by]


def group_of(by: By, line: Line) -> Group:
    """Return the row that a line belongs to. Idle capacity and overheads have rows of their own, except by unit."""
    unit = unit_of(line)
    if by is By.BUSINESS_UNIT:
        return Group(_ROW_OF_ROLE.get(unit.role, RowKind.USAGE), unit, ())
    if by is By.CONSUMER:
        return _consumer(unit, line)
    kind, name = _apart(line, line.model if by is By.MODEL else line.deployment)
    if by is By.MODEL:
        return Group(kind, None, (name or "unknown model",))
    if kind is RowKind.IDLE:
        return Group(kind, None, (line.deployment, line.backend_host))
    return Group(kind, None, (name or "unknown deployment", "" if kind is RowKind.OVERHEAD else line.backend_host))


def latest_names(lines: Iterable[Line]) -> dict[tuple[Unit, str], str]:
    """Return the name of every consumer, by unit and id: the one it had last there. Another owner's is another's."""
    found: dict[tuple[Unit, str], str] = {}
    for line in sorted(lines, key=lambda line: (line.day, line.consumer_name)):
        found[unit_of(line), line.consumer_id] = line.consumer_name or line.consumer_id
    return found


def _consumer(unit: Unit, line: Line) -> Group:
    kind, name = _apart(line, line.consumer_id)
    if kind is not RowKind.USAGE:
        return Group(kind, unit, (name, ""))
    if not line.consumer_id:
        return Group(RowKind.UNASSIGNED, unit, ("unknown consumer", ""))
    kind = RowKind.UNASSIGNED if unit.role is Role.UNASSIGNED else RowKind.USAGE
    return Group(kind, unit, ("", line.consumer_id))


def _apart(line: Line, name: str) -> tuple[RowKind, str]:
    """Return what kind of row a line stands in, and its name; `name` is that of a row of usage."""
    if line.kind is Kind.IDLE:
        return RowKind.IDLE, LABELS[Role.IDLE]
    if line.kind is Kind.OVERHEAD:
        return RowKind.OVERHEAD, line.deployment or LABELS[Role.OVERHEAD]
    if line.kind is Kind.CORRECTION and not name:
        return RowKind.CORRECTION, "Corrections"
    return RowKind.USAGE, name
