"""A closed month as one file: the statement, and all that it was made of, to be read again years later.

The same month gives the same bytes. The file carries the SHA-256 of its own content: what was edited is not read as if
it had been charged. It guards against hands, not against forgers, who would make a new one.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from math import isfinite

from pydantic import TypeAdapter, ValidationError

from chargeback.errors import StatementError
from chargeback.reports.answer import Answer
from chargeback.reports.compose import Period
from chargeback.reports.reconciliation import Reconciliation
from chargeback.reports.reference import Reference
from chargeback.reports.statement import Statement

SCHEMA = "chargeback.statement/1"
_DIGEST = "sha256"
_OTHER_SYSTEM = 255


@dataclass(frozen=True, slots=True)
class ClosedMonth:
    """Everything that is kept of a month that is charged."""

    statement: Statement
    inputs: Mapping[date, Answer]
    """Day (UTC) -> the service's answer that its lines are made of."""
    reference: Mapping[str, tuple[str, ...]]
    """File of kql/lib -> its rows that were in force, as the file has them."""
    reconciliation: Reconciliation | None
    """`None` where the month was closed without one."""
    schema: str = SCHEMA


_CLOSED = TypeAdapter(ClosedMonth)


def pack(closed: ClosedMonth) -> bytes:
    """Return a closed month as gzip of one JSON object: sorted names, amounts as exact text, times in UTC.

    Raises:
        StatementError: an amount in it is no number.
    """
    plain = _CLOSED.dump_python(replace(closed, inputs={}), mode="json")
    plain["inputs"] = {day.isoformat(): _written(answer) for day, answer in closed.inputs.items()}
    try:
        plain[_DIGEST] = _digest(plain)
        packed = gzip.compress(_canonical(plain), mtime=0)
    except ValueError as error:
        raise StatementError(f"{closed.statement.month} holds what is no number: it cannot be closed") from error
    # Before Python 3.13 the header tells the system that it was made on.
    return packed[:9] + bytes([_OTHER_SYSTEM]) + packed[10:]


def unpack(packed: bytes) -> ClosedMonth:
    """Read what `pack` wrote.

    Raises:
        StatementError: it is no closed month, or one of a newer version.
    """
    try:
        found = json.loads(gzip.decompress(packed))
        schema = found.get("schema")
    except (OSError, EOFError, zlib.error, ValueError, AttributeError) as error:
        raise StatementError(
            f"this is no closed month ({type(error).__name__}): it may be cut or overwritten"
        ) from error
    if schema != SCHEMA:
        raise StatementError(
            f"this is a closed month of form {schema}, not {SCHEMA}: read it with the version that wrote it"
        )
    try:
        if found.pop(_DIGEST, None) != _digest(found):
            raise ValueError(_DIGEST)
        closed = _CLOSED.validate_python(found)
        return replace(closed, inputs={day: _typed(answer) for day, answer in closed.inputs.items()})
    except (ValidationError, ValueError, ArithmeticError) as error:
        raise StatementError(
            f"this closed month is not as it was written ({type(error).__name__}): it was changed; restore it"
        ) from error


def rows_in_force(reference: Reference, period: Period) -> tuple[str, ...]:
    """Return the rows of a reference file that can have counted in a period, as the file has them, its settings first.

    Rows that a later one of the same key replaced before the period are among them; rows without dates are all there.
    """
    start, end = period
    return reference.settings + tuple(
        text
        for row, text in zip(reference.rows, reference.texts, strict=True)
        if not _is_after(row.get("validFrom"), end) and not _is_before(row.get("validTo"), start)
    )


def _canonical(plain: object) -> bytes:
    text = json.dumps(plain, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def _digest(plain: object) -> str:
    return hashlib.sha256(_canonical(plain)).hexdigest()


def _is_after(moment: object, end: datetime) -> bool:
    return isinstance(moment, datetime) and moment >= end


def _is_before(moment: object, start: datetime) -> bool:
    return isinstance(moment, datetime) and moment <= start


def _written(answer: Answer) -> dict[str, object]:
    rows = [[_cell(value) for value in row] for row in answer.rows]
    return {"columns": list(answer.columns), "types": list(answer.types), "rows": rows}


def _cell(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case float() if not isfinite(value):
            return None
        case None | str() | bool() | int() | float():
            return value
    return str(value)


def _typed(answer: Answer) -> Answer:
    rows = tuple(
        tuple(_read(value, kind) for value, kind in zip(row, answer.types, strict=True)) for row in answer.rows
    )
    return replace(answer, rows=rows)


def _read(value: object, kind: str) -> object:
    if isinstance(value, str) and kind == "datetime":
        return datetime.fromisoformat(value).astimezone(UTC)
    return Decimal(value) if isinstance(value, str) and kind == "decimal" else value
