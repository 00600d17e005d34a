"""Which prices a statement was made with, and what had to be said about them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chargeback.reports.groups import By, group_of
from chargeback.reports.rounding import exact_sum, shares
from chargeback.reports.statement import Kind, Line, Part, Statement
from chargeback.reports.units import is_called


@dataclass(frozen=True, slots=True)
class Note:
    """Something billed at another part's price."""

    text: str
    calls: int
    charged: Decimal
    """What all lines with this note are charged."""


@dataclass(frozen=True, slots=True, order=True)
class Price:
    """One part's price, as lines of the statement have it."""

    model: str
    version: str
    terms: str
    """Where and how it applies: `global, standard, batch`."""
    part: str
    list_per_million: Decimal
    contract_per_million: Decimal
    charged_per_million: Decimal
    valid_from: str
    source: str


def notes_of(statement: Statement) -> tuple[Note, ...]:
    """Return every pricing note with its calls and its amount, the dearest first; what corrections note is none."""
    calls: dict[str, int] = {}
    for line in statement.lines:
        calls[_note(line)] = calls.get(_note(line), 0) + (line.calls if is_called(line) else 0)
    charged: dict[str, Decimal] = {}
    # By model first, so that a note about all of a model's lines has the amount of the model's row.
    for (_, (_, text)), amounts in shares(statement, lambda line: (group_of(By.MODEL, line), _note(line))).items():
        charged[text] = exact_sum((charged.get(text, Decimal(0)), amounts.charged_cost))
    notes = [Note(text, calls[text], charged[text]) for text in charged if text]
    return tuple(sorted(notes, key=lambda note: (-note.charged, note.text)))


def prices_of(statement: Statement) -> tuple[Price, ...]:
    """Return every price per million tokens that a line was made with."""
    return tuple(sorted({_price(line, part) for line in statement.lines for part in line.parts}))


def _note(line: Line) -> str:
    return "" if line.kind is Kind.CORRECTION else line.pricing_note


def _price(line: Line, part: Part) -> Price:
    terms = (line.deployment_type, line.region if line.deployment_type != "global" else "", line.service_tier)
    bands = ("batch" if line.batch else "", f"{line.context_band} context" if line.context_band else "")
    return Price(
        model=line.model,
        version=line.model_version,
        terms=", ".join(term for term in (*terms, *bands) if term),
        part=part.name,
        list_per_million=part.list_per_million,
        contract_per_million=part.contract_per_million,
        charged_per_million=part.charged_per_million,
        valid_from=f"{line.price_valid_from:%Y-%m-%d}" if line.price_valid_from else "",
        source=line.price_source,
    )
