"""`chargeback rejected show`: everything that was kept of one record."""

from __future__ import annotations

import json

from chargeback.cli.rejected.choice import Choice
from chargeback.cli.rejected.listing import state_of
from chargeback.cli.rejected.reading import all_marks, contents, from_settings
from chargeback.cli.tables import visible
from chargeback.deadletter.stored import letters_of
from chargeback.errors import ChargebackError


def show_rejected(record_id: str) -> None:
    """Print every letter of a record as JSON, with the file it stands in and what can be done about it.

    Raises:
        ChargebackError: there is none.
    """
    stored = from_settings()
    files = sorted(stored.files())
    replayed = all_marks(stored, files)
    choice, shown = Choice(ids=frozenset({record_id})), 0
    for file, content in contents(stored, files, "looking"):
        for letter in letters_of(content.text)[0]:
            if choice.takes(letter, file):
                _print({"file": file.path, "state": state_of(letter, replayed), **letter.fields})
                shown += 1
    if not shown:
        raise ChargebackError(
            f"there is no rejected record of this id in {stored.where}: take recordId of the event "
            "`Chargeback record rejected`, or see what there is with rejected list"
        )


def _print(shown: dict[str, object]) -> None:
    """Print JSON in which no character acts on the terminal; what stands for one is JSON too."""
    text = json.dumps(shown, ensure_ascii=False, indent=2)
    print("\n".join(map(visible, text.split("\n"))), flush=True)
