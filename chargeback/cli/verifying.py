"""Whether a closed month's file still gives what was charged, and whether the same would be asked today."""

from __future__ import annotations

import sys
from pathlib import Path

from chargeback.cli.months import hashes_of, month_of, query_of
from chargeback.reports.closing import ClosedMonth
from chargeback.reports.compose import kql_folder
from chargeback.reports.in_force import changes, reference_in_force
from chargeback.reports.lines import QUERY
from chargeback.reports.recalculating import follows_from_inputs
from chargeback.reports.reconcile_writing import summary


def print_proof(closed: ClosedMonth, reference: Path | None) -> bool:
    """Print how a closed month was made, and what is different today; tell whether its lines follow from its inputs."""
    print(f"made at {closed.statement.made_at:%Y-%m-%d %H:%M} UTC")
    if closed.reconciliation is None:
        print("closed without a reconciliation")
    else:
        print("\n".join(summary(closed.reconciliation)))
    sound = follows_from_inputs(closed)
    days = f"{len(closed.inputs)} days" if len(closed.inputs) != 1 else "1 day"
    if sound:
        print(f"calculated again from its inputs of {days}: the same lines, to the last digit")
    else:
        print(
            f"chargeback: its inputs of {days} give other lines than it has: read it with the version that closed it",
            file=sys.stderr,
        )
    for line in _query(closed, reference):
        print(line)
    return sound


def _query(closed: ClosedMonth, reference: Path | None) -> list[str]:
    period = month_of(closed.statement.month)
    then, now = closed.statement.query_hashes, hashes_of(query_of(QUERY, period, reference))
    told = [f"query {name}, SHA-256 {digest}" for name, digest in sorted(then.items())]
    if dict(then) == now:
        return [*told, "the query of today is the same, reference rows included"]
    rows = changes(closed.reference, reference_in_force(kql_folder() / "lib", reference, period))
    why = "; ".join(rows) or "the rows in force in this month are the same; others, or the query itself, are not"
    return [*told, f"the query of today is another one: {why}", "close --month tells what it would charge differently"]
