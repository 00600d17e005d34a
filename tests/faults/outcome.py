"""What became of the records, as the store and the dead letter tell it, against the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from chargeback.events import IGNORED_EVENT, REJECTED_EVENT, USAGE_EVENT
from chargeback.local.store import Store
from tests.faults.records import Ledger, Tokens

_QUERY = """
customEvents
| extend id = tostring(customDimensions["recordId"]),
    prompt = tolong(customDimensions["promptTokens"]), completion = tolong(customDimensions["completionTokens"])
| summarize rows = count() by name, id, prompt, completion
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands in the store and in the dead letter."""

    billed: dict[str, Tokens]
    ignored: set[str]
    told: set[str]
    """Ids of rejection events."""
    dead: set[str]
    """Ids in the dead letter."""
    rows: int
    """Events, duplicates included."""


def look(store: Store, dead: list[str]) -> Found:
    """Read the store; a record with two different rows would be billed at a whim, so there must be none."""
    rows: list[tuple[str, str, Tokens, int]] = []
    for name, identity, prompt, completion, count in store.query(_QUERY).rows:
        assert prompt is None or isinstance(prompt, int)
        assert completion is None or isinstance(completion, int)
        assert isinstance(count, int)
        rows.append((str(name), str(identity), (prompt, completion), count))
    distinct = Counter((name, identity) for name, identity, _, _ in rows)
    assert max(distinct.values(), default=1) == 1, "redelivery changed a record"
    ids = {
        event: {identity for name, identity, _, _ in rows if name == event}
        for event in (USAGE_EVENT, IGNORED_EVENT, REJECTED_EVENT)
    }
    assert {name for name, _, _, _ in rows} <= ids.keys()
    billed = {identity: tokens for name, identity, tokens, _ in rows if name == USAGE_EVENT}
    return Found(billed, ids[IGNORED_EVENT], ids[REJECTED_EVENT], set(dead), sum(count for *_, count in rows))


def check(found: Found, ledger: Ledger) -> set[str]:
    """Every record is exactly one billed row, one dead letter or one counted ignore; return those refused for good."""
    refused = found.dead - ledger.rejected
    assert found.billed.keys() | found.ignored | found.dead == ledger.all, "a record is lost, or one was invented"
    assert not found.billed.keys() & found.ignored
    assert not found.dead & (found.billed.keys() | found.ignored), "a record is both billed and dead"
    assert found.billed == {key: tokens for key, tokens in ledger.billed.items() if key not in refused}
    assert found.ignored == ledger.ignored - refused
    assert found.told <= found.dead
    return refused
