"""prices.kql as rows, and rows as lines of it: read whole, added to, never edited."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from chargeback.errors import PriceError, ReferenceDataError
from chargeback.prices.rows import Key, Part, PriceKind, PriceRow
from chargeback.reports.appending import appended, row_text
from chargeback.reports.literals import CONTROL, Value
from chargeback.reports.reference import parse

FILE = "prices.kql"
COLUMNS = (
    *((name, "string") for name in ("publisher", "model", "modelVersion", "deploymentType", "regionGroup")),
    ("contextBand", "string"),
    ("contextThreshold", "long"),
    ("serviceTier", "string"),
    ("batch", "bool"),
    ("validFrom", "datetime"),
    *((f"{part}UsdPerMillion", "real") for part in Part),
    *((name, "string") for name in ("priceKind", "meterId", "source")),
)
_ALLOWED = {
    "deploymentType": frozenset({"", "global", "datazone", "regional"}),
    "contextBand": frozenset({"", "short", "long"}),
    "serviceTier": frozenset({"", "standard", "priority", "flex"}),
    "priceKind": frozenset(PriceKind),
}
_CONFIRMED = re.compile(r"//\s*(?P<day>\d{4}-\d{2}-\d{2}) (?P<source>.+?) confirms: (?P<models>.+)")
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A day on which a source was read and still said what the file says of these models."""

    day: date
    source: str
    models: frozenset[str]


@dataclass(frozen=True, slots=True)
class PriceFile:
    """The file as it was read."""

    text: str
    rows: tuple[PriceRow, ...]
    lines: tuple[int, ...]
    """Where each row begins; the first line is 1."""
    confirmations: tuple[Confirmation, ...]

    def with_rows(self, rows: Sequence[PriceRow], comment: str) -> str:
        """Return the file's text with rows added, under a comment."""
        return appended(self.text, [_values(row) for row in rows], FILE, comment)


def read_prices(text: str, file: str = FILE) -> PriceFile:
    """Read the rows of prices.kql.

    Raises:
        ReferenceDataError: it is no table of constants, or has other columns.
        PriceError: a row says what no price can be.
    """
    table = parse(text, file)
    if table.name != "prices" or tuple(table.columns.items()) != COLUMNS:
        raise ReferenceDataError(f"{file} has not the columns of prices.kql: compare it with kql/lib/prices.kql")
    rows = tuple(_row(values, f"{file}, line {line}") for values, line in zip(table.rows, table.lines, strict=True))
    return PriceFile(text, rows, tuple(table.lines), tuple(_confirmations(table.comments)))


def _row(values: Mapping[str, Value], place: str) -> PriceRow:
    for column, allowed in _ALLOWED.items():
        if values[column] not in allowed:
            choice = ", ".join(sorted(filter(None, allowed)))
            raise PriceError(f"{place}: {column} is {values[column]!r}; write one of {choice}")
    band, threshold, valid_from = values["contextBand"], values["contextThreshold"], values["validFrom"]
    if not isinstance(valid_from, datetime):
        raise PriceError(f"{place}: validFrom is null; write the first moment of the price")
    if values["batch"] is None:
        raise PriceError(f"{place}: batch is null; write true or false")
    if bool(band) is (threshold is None):
        raise PriceError(f"{place}: contextBand and contextThreshold go together; give both or neither")
    prices = {part: price for part in Part if isinstance(price := values[f"{part}UsdPerMillion"], Decimal)}
    if any(price < 0 for price in prices.values()) or not prices:
        raise PriceError(f"{place}: a row has at least one price, and none below 0")
    return PriceRow(
        key=Key(
            publisher=_text(values, "publisher"),
            model=_text(values, "model"),
            model_version=_text(values, "modelVersion"),
            deployment_type=_text(values, "deploymentType"),
            region_group=_text(values, "regionGroup"),
            context_band=_text(values, "contextBand"),
            service_tier=_text(values, "serviceTier"),
            batch=values["batch"] is True,
            kind=PriceKind(_text(values, "priceKind")),
        ),
        context_threshold=threshold if isinstance(threshold, int) else None,
        valid_from=valid_from,
        prices=prices,
        meter_id=_text(values, "meterId"),
        source=_text(values, "source"),
    )


def _text(values: Mapping[str, Value], column: str) -> str:
    return str(values[column])


def line_of(row: PriceRow) -> str:
    """Return a row as it is written, without a comma at its end."""
    return row_text(dict(COLUMNS), _values(row), FILE)


def _values(row: PriceRow) -> dict[str, Value]:
    key = row.key
    texts = {
        "publisher": key.publisher,
        "model": key.model,
        "modelVersion": key.model_version,
        "deploymentType": key.deployment_type,
        "regionGroup": key.region_group,
        "contextBand": key.context_band,
        "serviceTier": key.service_tier,
        "priceKind": key.kind.value,
        "meterId": row.meter_id,
        "source": row.source,
    }
    return {
        # What the API calls an id is written as one text, whatever is in it.
        **{column: CONTROL.sub(" ", text) for column, text in texts.items()},
        **{f"{part}UsdPerMillion": _shortest(price) for part, price in row.prices.items()},
        "contextThreshold": row.context_threshold,
        "batch": key.batch,
        "validFrom": row.valid_from,
    }


def _shortest(price: Decimal) -> Decimal:
    """Return the same number without zeros at its end."""
    text = f"{price:f}"
    return Decimal(text.rstrip("0").rstrip(".")) if "." in text else price


def confirmation(day: date, source: str, models: Sequence[str]) -> str:
    """Return the comment that says that a source was read and has nothing new on these models."""
    lines: list[str] = []
    for name in sorted(models):
        if lines and len(lines[-1]) + len(name) + 2 <= _WIDTH:
            lines[-1] += f", {name}"
        else:
            lines.append(f"{day.isoformat()} {source} confirms: {name}")
    return "\n".join(lines)


def _confirmations(comments: Sequence[str]) -> list[Confirmation]:
    found = [match for comment in comments if (match := _CONFIRMED.fullmatch(comment.strip()))]
    return [
        Confirmation(date.fromisoformat(match["day"]), match["source"], frozenset(match["models"].split(", ")))
        for match in found
    ]
