"""Rows for kql/lib/consumers.kql: for consumers that were seen and that nobody has named yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time

from chargeback.errors import ReferenceDataError
from chargeback.reports.answer import Answer, moment
from chargeback.reports.literals import Value
from chargeback.reports.reference import Reference

SEEN = """usage
| where consumerId != ""
| summarize calls = count(), firstCall = min(eventTime) by consumerId, consumerType
| order by calls desc, consumerId asc
"""
"""The query whose answer `seen` reads."""
_COLUMNS = ("consumerId", "businessUnit", "costCenter", "owner", "displayName", "validFrom", "validTo")


@dataclass(frozen=True, slots=True)
class Seen:
    """A consumer that called."""

    consumer_id: str
    consumer_type: str
    """`subscription`, `application`, `key`, `user` or `unknown`."""
    calls: int
    first_call: datetime


def seen(answer: Answer) -> tuple[Seen, ...]:
    """Return the consumers of an answer to SEEN; one that came as several types is there once, as its most used.

    Raises:
        QueryError: a consumer has no first call.
    """
    found: dict[str, Seen] = {}
    for row in answer.records():
        first = moment(row["firstCall"])
        one = Seen(str(row["consumerId"]), str(row["consumerType"]), int(str(row["calls"])), first)
        known = found.get(one.consumer_id)
        if known is None:
            found[one.consumer_id] = one
        else:
            calls, first = known.calls + one.calls, min(known.first_call, first)
            found[one.consumer_id] = Seen(known.consumer_id, known.consumer_type, calls, first)
    return tuple(found.values())


def unnamed(consumers: Iterable[Seen], reference: Reference) -> tuple[Seen, ...]:
    """Return the consumers that have no row, or whose latest row has no display name.

    Raises:
        ReferenceDataError: the rows have other columns.
    """
    latest = _latest(reference)
    return tuple(one for one in consumers if not latest.get(one.consumer_id, {}).get("displayName"))


def new_rows(
    consumers: Iterable[Seen], reference: Reference, names: Mapping[str, str], today: datetime
) -> tuple[Mapping[str, Value], ...]:
    """Return the rows to append: what is known is filled in, the business unit is left for a person.

    A consumer without a row gets one from the day of its first call on. One whose latest row has no display name gets
    another from `today` on, which repeats that row with the name, if there is a name now. `names` is id -> name.

    Raises:
        ReferenceDataError: the rows have other columns.
    """
    latest = _latest(reference)
    rows: list[Mapping[str, Value]] = []
    for one in consumers:
        known, name = latest.get(one.consumer_id), names.get(one.consumer_id, "")
        if known is None:
            rows.append(_row(one.consumer_id, name, _midnight(one.first_call)))
        elif name and not known.get("displayName") and _takes_a_name(known, _midnight(today)):
            rows.append({**known, "displayName": name, "validFrom": _midnight(today)})
    return tuple(rows)


def _row(consumer_id: str, name: str, valid_from: datetime) -> Mapping[str, Value]:
    empty = dict.fromkeys(("businessUnit", "costCenter", "owner"), "")
    return {"consumerId": consumer_id, **empty, "displayName": name, "validFrom": valid_from, "validTo": None}


def _latest(reference: Reference) -> dict[str, Mapping[str, Value]]:
    if missing := next((column for column in _COLUMNS if column not in reference.columns), None):
        raise ReferenceDataError(f"{reference.name} has no column {missing}: write its columns as kql/lib/ has them")
    latest: dict[str, Mapping[str, Value]] = {}
    for row in reference.rows:
        consumer_id, known = str(row["consumerId"]), latest.get(str(row["consumerId"]))
        if known is None or not _is_before(row, known["validFrom"]):
            latest[consumer_id] = row
    return latest


def _takes_a_name(row: Mapping[str, Value], start: datetime) -> bool:
    """Tell whether a row that repeats `row` from `start` on would be in force."""
    end = row["validTo"]
    return _is_before(row, start) and not (isinstance(end, datetime) and end <= start)


def _is_before(row: Mapping[str, Value], when: Value) -> bool:
    start = row["validFrom"]
    return not isinstance(start, datetime) or (isinstance(when, datetime) and start < when)


def _midnight(when: datetime) -> datetime:
    return datetime.combine(when.astimezone(UTC).date(), time(), UTC)
