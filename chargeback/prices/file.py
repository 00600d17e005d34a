"""prices.kql as rows, and rows as lines of it: read whole, added to, never edited."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

from chargeback.errors import PriceError
from chargeback.prices.datatable import Table, read_table, with_lines
from chargeback.prices.literals import Value
from chargeback.prices.rows import Key, Part, PriceKind, PriceRow

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
    table: Table
    rows: tuple[PriceRow, ...]
    confirmations: tuple[Confirmation, ...]

    def with_rows(self, rows: Sequence[PriceRow], comment: str) -> str:
        """Return the file's text with rows added, under a comment."""
        return with_lines(self.text, self.table, [line_of(row) for row in rows], comment)


def read_prices(text: str, file: str = FILE) -> PriceFile:
    """Read the rows of prices.kql.

    Raises:
        PriceError: it is not of the form that this package writes, or a row says what no row can say.
    """
    table = read_table(text, file)
    if table.name != "prices" or table.columns != COLUMNS:
        raise PriceError(f"{file} has not the columns of prices.kql: compare it with kql/lib/prices.kql")
    rows = tuple(_row(values, f"{file}, line {line}") for values, line in zip(table.dicts(), table.lines, strict=True))
    return PriceFile(text, table, rows, tuple(_confirmations(table.comments)))


def _row(values: dict[str, Value], place: str) -> PriceRow:
    for column, allowed in _ALLOWED.items():
        if values[column] not in allowed:
            choice = ", ".join(sorted(filter(None, allowed)))
            raise PriceError(f"{place}: {column} is {values[column]!r}; write one of {choice}")
    band, threshold, valid_from = values["contextBand"], values["contextThreshold"], values["validFrom"]
    if not isinstance(valid_from, datetime):
        raise PriceError(f"{place}: validFrom is null; write the first moment of the price")
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


def _text(values: dict[str, Value], column: str) -> str:
    return str(values[column])


def line_of(row: PriceRow) -> str:
    """Return a row as it is written, without a comma at its end."""
    key = row.key
    cells = [
        *map(_quoted, (key.publisher, key.model, key.model_version, key.deployment_type, key.region_group)),
        _quoted(key.context_band),
        "long(null)" if row.context_threshold is None else str(row.context_threshold),
        _quoted(key.service_tier),
        str(key.batch).lower(),
        f"datetime({_moment(row.valid_from)})",
        *(_real(row.prices.get(part)) for part in Part),
        *map(_quoted, (key.kind, row.meter_id, row.source)),
    ]
    return ", ".join(cells)


def _quoted(text: str) -> str:
    # What the API calls an id is written as one text, whatever is in it.
    escaped = re.sub(r"[\x00-\x1f\x7f\u2028\u2029]", " ", text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _moment(moment: datetime) -> str:
    text = moment.isoformat().removesuffix("+00:00")
    return text.removesuffix("T00:00:00") if text.endswith("T00:00:00") else f"{text}Z"


def _real(price: Decimal | None) -> str:
    if price is None:
        return "real(null)"
    text = format(price, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


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


def replace(path: Path, before: str, after: str) -> None:
    """Put the new text in place at once, if the file is still as it was read.

    Raises:
        PriceError: somebody else has changed it meanwhile.
        OSError: it cannot be written.
    """
    path = path.resolve()
    if path.exists() and path.read_bytes().decode("utf-8") != before:
        raise PriceError(f"{path} has changed meanwhile: run the update again")
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as draft:
        try:
            draft.write(after.encode("utf-8"))
            draft.flush()
            os.fsync(draft.fileno())
            if path.exists():
                shutil.copymode(path, draft.name)
            else:
                Path(draft.name).chmod(0o644)
            Path(draft.name).replace(path)
        except OSError:
            Path(draft.name).unlink()
            raise
