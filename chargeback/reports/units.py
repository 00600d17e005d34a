"""Who owes a line: a business unit, or one of the places where amounts stand that nobody owes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType

from chargeback.errors import ReportError
from chargeback.reports.statement import Kind, Line, Statement


class Role(StrEnum):
    """What a unit of the statement is; they are shown in this order."""

    UNIT = "business-unit"
    UNASSIGNED = "unassigned"
    """Consumers that nobody is known to own."""
    IDLE = "idle"
    """Capacity that was bought and not used, where it is not spread over business units."""
    OVERHEAD = "overhead"
    """Overheads that are not spread over business units."""


LABELS: Mapping[Role, str] = MappingProxyType(
    {Role.UNASSIGNED: "Unassigned", Role.IDLE: "Idle capacity", Role.OVERHEAD: "Overheads"}
)

_ROLE_OF_UNOWNED: Mapping[Kind, Role] = MappingProxyType({Kind.IDLE: Role.IDLE, Kind.OVERHEAD: Role.OVERHEAD})
_ROLES = tuple(Role)


@dataclass(frozen=True, slots=True)
class Unit:
    """Whose amounts are rounded together.

    `name` is a business unit's and empty for all others, so that no business unit is mistaken for one of these.
    """

    role: Role
    name: str = ""

    @property
    def label(self) -> str:
        """What people are shown."""
        return LABELS.get(self.role, self.name)

    @property
    def order(self) -> tuple[int, str]:
        """Where it stands among others: business units first."""
        return _ROLES.index(self.role), self.name


def unit_of(line: Line) -> Unit:
    """Return who owes a line."""
    if line.business_unit:
        return Unit(Role.UNIT, line.business_unit)
    if line.kind is Kind.CORRECTION and line.unit_hours and not line.consumer_id:
        return Unit(Role.IDLE)
    if line.kind is Kind.OVERHEAD and line.consumer_name:
        return Unit(Role.UNASSIGNED)
    return Unit(_ROLE_OF_UNOWNED.get(line.kind, Role.UNASSIGNED))


def is_called(line: Line) -> bool:
    """Tell whether a line's calls and tokens are this month's. A correction's are those of an earlier month."""
    return line.kind in (Kind.TOKENS, Kind.PROVISIONED)


def of_unit(statement: Statement, name: str) -> Statement:
    """Return the part of a statement that is one business unit's: nothing in it tells of any other.

    Its calls are those of its lines, and those excluded calls that are known to be its own.

    Raises:
        ReportError: the statement has no line of that business unit.
    """
    lines = tuple(line for line in statement.lines if name and line.business_unit == name)
    if not lines:
        raise ReportError(
            f"{name or 'no name'!r} owes nothing in {statement.month}: name a business unit of the statement"
        )
    excluded = tuple(row for row in statement.excluded if row.business_unit == name)
    classes = dict.fromkeys(statement.classes, 0)
    classes["line"] = sum(line.calls for line in lines if is_called(line))
    for row in excluded:
        classes[row.class_name] = classes.get(row.class_name, 0) + row.calls
    return replace(statement, lines=lines, excluded=excluded, classes=classes, calls=sum(classes.values()))
