"""A table as text: for spreadsheets, for programs, for a terminal. What is written is returned; nothing is printed."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal

from chargeback.reports.coverage import Coverage
from chargeback.reports.tables import Row, Table
from chargeback.reports.texts import encodable, for_spreadsheet, visible

_TOTALS = ("calls", "list_cost", "contract_cost", "charged_cost")


def as_csv(table: Table) -> str:
    """Write RFC 4180: a line of names, one line a row, the total last, lines that end with CR LF.

    `kind` tells the total from the rows, and what nobody owns from what somebody does. Amounts are plain decimals. A
    text that a spreadsheet would run as a formula is given an apostrophe.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["month", "kind", *table.columns, "calls", *map(_tokens_of, table.parts), *_TOTALS[1:], "currency"])
    for row in (*table.rows, table.total):
        tokens = [row.tokens.get(part, 0) for part in table.parts]
        names = map(for_spreadsheet, row.names)
        writer.writerow([table.month, row.kind, *names, row.calls, *tokens, *map(plain, _costs(row)), table.currency])
    return text.getvalue()


def as_json(table: Table) -> str:
    """Write one JSON object; amounts are decimal strings, tokens and calls numbers, times ISO 8601 in UTC.

    - `month`, `currency`, `by`, `business_unit` (null where the table is about all), `columns`
    - `rows`: objects of `kind`, the table's columns, `calls`, `tokens` (part -> tokens),
      `list_cost`, `contract_cost`, `charged_cost`; `total`: the same, without the columns
    - `calls`: all calls of the month; `classes`: class -> calls; `identity`: their sum in words;
      `faults`: what contradicts what, empty as it should be
    - `excluded`: objects of `class`, `cause`, `calls`, and `business_unit` (null where it is not known)
    - `made_at`; `query_hashes`: report file -> SHA-256 of the query as it was run
    """
    written = {
        "month": table.month,
        "currency": table.currency,
        "by": table.by,
        "business_unit": table.business_unit or None,
        "columns": table.columns,
        "rows": [
            {"kind": row.kind} | dict(zip(table.columns, row.names, strict=True)) | _numbers(row, table.parts)
            for row in table.rows
        ],
        "total": {"kind": table.total.kind} | _numbers(table.total, table.parts),
        **_covered(table.coverage),
        "made_at": iso(table.made_at),
        "query_hashes": dict(sorted(table.query_hashes.items())),
    }
    return encodable(json.dumps(written, ensure_ascii=False, indent=1)) + "\n"


def for_terminal(table: Table) -> tuple[list[str], list[list[object]]]:
    """Return heads and cells of the table for people, the total last; only parts that have tokens have a column.

    Numbers stay numbers, to be set to the right; texts show what would act on a terminal.
    """
    parts = [part for part in table.parts if table.total.tokens.get(part)]
    heads = [*(column.replace("_", " ") for column in table.columns), "calls", *map(_words, parts)]
    heads += [f"{name} {table.currency}" for name in ("list", "contract", "charged")]
    cells: list[list[object]] = []
    for row in (*table.rows, table.total):
        counts = [row.calls, *(row.tokens.get(part, 0) for part in parts)]
        cells.append([*map(visible, row.names), *counts, *_costs(row)])
    return heads, cells


def closing_lines(coverage: Coverage) -> list[str]:
    """Return what stands below a table for people: the identity, why calls are in no line, and what does not add up."""
    lines = [coverage.identity]
    causes: dict[tuple[str, str], int] = {}
    for row in coverage.excluded:
        causes[row.class_name, row.cause] = causes.get((row.class_name, row.cause), 0) + row.calls
    for (name, cause), calls in sorted(causes.items(), key=lambda item: (-item[1], item[0])):
        if calls:
            lines.append(f"  {calls:,} {name}: {visible(cause)}")
    return lines + [f"this does not add up: {fault}" for fault in coverage.faults]


def plain(amount: Decimal) -> str:
    """Write an amount without an exponent."""
    return f"{amount:f}"


def iso(moment: datetime) -> str:
    """Write a time in UTC."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _costs(row: Row) -> tuple[Decimal, Decimal, Decimal]:
    return row.amounts.list_cost, row.amounts.contract_cost, row.amounts.charged_cost


def _numbers(row: Row, parts: Sequence[str]) -> dict[str, object]:
    tokens = {part: row.tokens.get(part, 0) for part in parts}
    return {"calls": row.calls, "tokens": tokens} | dict(zip(_TOTALS[1:], map(plain, _costs(row)), strict=True))


def _covered(coverage: Coverage) -> dict[str, object]:
    return {
        "calls": coverage.calls,
        "classes": dict(coverage.terms),
        "identity": coverage.identity,
        "faults": coverage.faults,
        "excluded": [
            {
                "class": row.class_name,
                "cause": row.cause,
                "calls": row.calls,
                "business_unit": row.business_unit or None,
            }
            for row in coverage.excluded
        ],
    }


def _tokens_of(part: str) -> str:
    """Name a column of tokens: `cacheWrite1h` -> `cache_write_1h_tokens`."""
    return f"{_words(part).replace(' ', '_')}_tokens"


def _words(part: str) -> str:
    """Take a part's name apart: `cacheWrite1h` -> `cache write 1h`."""
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in part)
    return spaced.replace("write1h", "write 1h")
