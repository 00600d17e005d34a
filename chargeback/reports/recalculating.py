"""A closed month calculated again from what it was made of: the file alone is enough."""

from __future__ import annotations

from chargeback.reports.answer import Answer, joined
from chargeback.reports.closing import ClosedMonth
from chargeback.reports.lines import statement_of
from chargeback.reports.statement import Kind

SPREAD = 'let idleCapacity = "spread";'
"""The setting of `kql/lib/provisioned.kql` that divides what nobody used, in the only form that is taken."""


def follows_from_inputs(closed: ClosedMonth) -> bool:
    """Tell whether the lines of use, and the calls in no line, are what the kept inputs give today.

    Overheads and corrections are not among them: those follow from reference rows, these from other months.

    Raises:
        QueryError: the inputs are not those of a statement.
    """
    before = closed.statement
    answer = joined(closed.inputs) if closed.inputs else Answer((), (), ())
    spread = SPREAD in closed.reference.get("provisioned.kql", ())
    again = statement_of(answer, before.month, before.currency, before.made_at, before.query_hashes, spread=spread)
    used = tuple(line for line in before.lines if line.kind not in (Kind.OVERHEAD, Kind.CORRECTION))
    return (again.lines, again.classes, again.excluded) == (used, before.classes, before.excluded)
