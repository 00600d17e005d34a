"""An answer's cells, as the API writes them, read as Python has them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType

from azure.monitor.query import LogsTable

from chargeback.reports.answer import Answer


def answer_of(table: LogsTable) -> Answer:
    """Return a table as an answer.

    Raises:
        ValueError: a cell is not of its column's type, or a row has not as many cells as there are columns.
    """
    readers = [_READERS[kind] for kind in table.columns_types]
    rows = tuple(
        tuple(None if cell is None else read(cell) for read, cell in zip(readers, row, strict=True))
        for row in table.rows
    )
    return Answer(tuple(table.columns), tuple(table.columns_types), rows)


def _text(cell: object) -> str:
    if isinstance(cell, str):
        return cell
    raise ValueError


def _whole(cell: object) -> int:
    if isinstance(cell, int) and not isinstance(cell, bool):
        return cell
    raise ValueError


def _real(cell: object) -> float:
    # What is no number in JSON comes as text: "NaN", "Infinity".
    if isinstance(cell, int | float | str) and not isinstance(cell, bool):
        return float(cell)
    raise ValueError


def _decimal(cell: object) -> Decimal:
    # Exact only as text; a number has gone through a float already.
    if isinstance(cell, int | float | str) and not isinstance(cell, bool):
        return Decimal(str(cell))
    raise ValueError


def _flag(cell: object) -> bool:
    # The engine's older form of true and false is 1 and 0.
    if cell in (True, False):
        return bool(cell)
    raise ValueError


def _moment(cell: object) -> datetime:
    if isinstance(cell, datetime) and cell.tzinfo is not None:
        return cell.astimezone(UTC)
    raise ValueError


def _bag(cell: object) -> str:
    return cell if isinstance(cell, str) else json.dumps(cell, ensure_ascii=False)


_READERS: Mapping[str, Callable[[object], object]] = MappingProxyType(
    {
        "string": _text,
        "guid": _text,
        "timespan": _text,
        "int": _whole,
        "long": _whole,
        "real": _real,
        "decimal": _decimal,
        "bool": _flag,
        "datetime": _moment,
        "dynamic": _bag,
    }
)
