"""How the demo writes: sentences folded to the page, tables that are not, and proofs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from chargeback.cli.proof import Line
from chargeback.cli.screen import Screen
from chargeback.errors import ChargebackError

_PAGE = 110
# A terminal's width where there is one; a file or a pipe gets lines that fit a page.
sentences = Screen(highlight=False, width=None if Screen().is_terminal else _PAGE)
# A terminal that is too narrow for a table folds its lines; fitted into it, numbers would be cut off.
tables = Screen(highlight=False, width=max(sentences.width, _PAGE))


def show_proof(title: str, reported: str, lines: Sequence[Line]) -> None:
    """Show totals of the ledger beside those that were `reported`, and whatever differs.

    Raises:
        ChargebackError: a number differs.
    """
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("", "ledger", reported, "difference"):
        table.add_column(name, justify="right" if name else "left")
    for line in lines:
        if ":" not in line.subject or not line.holds:
            table.add_row(line.subject, f"{line.ledger:,}", f"{line.billed:,}", f"{line.billed - line.ledger:,}")
    sentences.print()
    tables.print(table)
    wrong = [line for line in lines if not line.holds]
    if wrong:
        raise ChargebackError(f"{len(wrong)} of {len(lines)} numbers differ from the ledger: please report this")
