"""Azure's own bill for models: a Cost Management export in the FOCUS format (CSV), versions 1.0r2 and 1.2-preview."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from io import TextIOWrapper
from pathlib import Path

from chargeback.errors import StatementError

_REQUIRED = ("BilledCost", "EffectiveCost", "BillingCurrency", "ChargePeriodStart", "ResourceId", "ServiceCategory")
_METER = ("SkuMeter", "x_SkuMeterName")
"""The meter's name: in 1.2-preview, in 1.0r2."""
_MODELS = "AI and Machine Learning"
_ACCOUNTS = "/providers/microsoft.cognitiveservices/accounts/"
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Charge:
    """One row of the bill: one resource, one meter, one day as a rule."""

    day: date
    resource_id: str
    """In lower case."""
    service: str
    category: str
    """FOCUS's ChargeCategory: `Usage`, `Purchase`, `Tax`, `Credit` or `Adjustment`."""
    meter_id: str
    """In lower case; empty where the export has none."""
    meter: str
    quantity: Decimal | None
    """Raw tokens of a token meter, hours of a provisioned one."""
    billed: Decimal
    effective: Decimal
    currency: str


def charges(files: Iterable[Path], month: str) -> Iterator[Charge]:
    """Yield what the files (CSV, or gzip of it) charge for models in a month such as `2026-10`.

    Raises:
        StatementError: a file is no FOCUS export, or has a row that cannot be read.
    """
    for file in files:
        try:
            with file.open("rb") as raw:
                packed = raw.peek(2)[:2] == _GZIP
                text = TextIOWrapper(gzip.GzipFile(fileobj=raw) if packed else raw, "utf-8-sig", newline="")
                yield from _charges(csv.DictReader(text, strict=True), month, file.name)
        except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
            raise StatementError(f"cannot read {file} ({error}): name the CSV files of a FOCUS export") from error


def _charges(rows: csv.DictReader[str], month: str, name: str) -> Iterator[Charge]:
    columns = rows.fieldnames or ()
    if missing := next((column for column in _REQUIRED if column not in columns), None):
        raise StatementError(f"{name} is no FOCUS export: it has no column {missing}")
    meter = next((column for column in _METER if column in columns), None)
    if meter is None:
        raise StatementError(f"{name} has no column {' or '.join(_METER)}: export FOCUS 1.0r2 or newer")
    for number, row in enumerate(rows, start=2):
        if None in row or None in row.values():
            raise StatementError(f"{name}, row {number} has not as many cells as there are columns: it may be cut off")
        if not _is_of_models(row):
            continue
        try:
            charge = _charge(row, meter)
        except ValueError as error:
            raise StatementError(f"{name}, row {number}: {error}; export the month again") from error
        if f"{charge.day:%Y-%m}" == month:
            yield charge


def _is_of_models(row: Mapping[str, str]) -> bool:
    return row["ServiceCategory"] == _MODELS or _ACCOUNTS in row["ResourceId"].lower()


def _charge(row: Mapping[str, str], meter: str) -> Charge:
    quantity = row.get("ConsumedQuantity", "")
    return Charge(
        day=_day(row["ChargePeriodStart"]),
        resource_id=row["ResourceId"].rstrip("/").lower(),
        service=row.get("ServiceName", ""),
        category=row.get("ChargeCategory") or "Usage",
        meter_id=row.get("x_SkuMeterId", "").lower(),
        meter=row[meter],
        quantity=_number(quantity, "ConsumedQuantity") if quantity else None,
        billed=_number(row["BilledCost"], "BilledCost"),
        effective=_number(row["EffectiveCost"], "EffectiveCost"),
        currency=row["BillingCurrency"],
    )


def _day(text: str) -> date:
    moment = datetime.fromisoformat(text)
    return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).date()


def _number(text: str, column: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{column} is no number") from None
    if not number.is_finite():
        raise ValueError(f"{column} is no number")
    return number
