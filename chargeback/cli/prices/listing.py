"""`chargeback prices list`: what prices.kql says, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence

from chargeback.cli.prices.days import end_of
from chargeback.cli.prices.reference import Reference
from chargeback.cli.tables import Format, write
from chargeback.prices.choice import in_force
from chargeback.prices.rows import Part, PriceRow, model_name, same_version

COLUMNS = (
    *("publisher", "model", "version", "deployment", "region", "context", "tier", "batch", "valid from"),
    *Part,
    *("kind", "source"),
)
_PARTS = frozenset(Part)


def print_prices(model: str, at: str, form: Format, reference: Reference) -> None:
    """Print the rows of a model, or of all; those in force on a day, or all that there ever were."""
    rows = reference.prices().rows
    if at:
        rows = tuple(in_force(rows, end_of(at)).values())
    if model:
        wanted = model_name(model)
        rows = tuple(
            row
            for row in rows
            if row.key.model == wanted.model
            and (not wanted.version or same_version(row.key.model_version, wanted.version))
        )
    cells = [_cells(row) for row in sorted(rows, key=lambda row: (row.key, row.valid_from))]
    # For people, kinds of tokens that none of these rows prices are left out; programs get every column.
    shown = [at for at, name in enumerate(COLUMNS) if form is not Format.TABLE or name not in _PARTS or _any(cells, at)]
    write([COLUMNS[at] for at in shown], [[row[at] for at in shown] for row in cells], form)


def _any(cells: Sequence[Sequence[object]], at: int) -> bool:
    return any(row[at] is not None for row in cells)


def _cells(row: PriceRow) -> list[object]:
    key = row.key
    band = f"{key.context_band} {row.context_threshold}" if key.context_band else ""
    return [
        *(key.publisher, key.model, key.model_version, key.deployment_type, key.region_group, band),
        *(key.service_tier, key.batch, row.valid_from.date().isoformat()),
        *(_number(row, part) for part in Part),
        *(key.kind.value, row.source),
    ]


def _number(row: PriceRow, part: Part) -> float | None:
    price = row.prices.get(part)
    return None if price is None else float(price)
