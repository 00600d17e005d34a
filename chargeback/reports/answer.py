"""A query's answer, whoever gave it: the local store or Azure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from chargeback.errors import QueryError
from chargeback.reports.compose import Period


@dataclass(frozen=True, slots=True)
class Answer:
    """Rows under named columns."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    """Kusto's name for the type of each column."""
    rows: tuple[tuple[object, ...], ...]
    """Values as Python has them: times are aware and UTC, `decimal` is Decimal, `dynamic` is JSON text."""

    def records(self) -> list[dict[str, object]]:
        """Return the rows as column -> value."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


def moment(value: object) -> datetime:
    """Return a cell of a column of times; a local server writes them as text.

    Raises:
        QueryError: it is no time.
    """
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        found = None
    if not isinstance(found, datetime) or found.tzinfo is None:
        raise QueryError("a row has no time where one should be: ask the query as it is written")
    return found.astimezone(UTC)


def days_of(period: Period) -> list[Period]:
    """Cut a period at every midnight (UTC); its first and last day may be parts of a day.

    Raises:
        QueryError: the period ends before it begins.
    """
    start, end = (edge.astimezone(UTC) for edge in period)
    if start >= end:
        raise QueryError(f"{start} to {end} is no period: give the earlier time first")
    cuts = [start]
    while (midnight := datetime.combine(cuts[-1].date() + timedelta(days=1), time(), UTC)) < end:
        cuts.append(midnight)
    return list(zip(cuts, [*cuts[1:], end], strict=True))


def joined(answers: Mapping[date, Answer]) -> Answer:
    """Return the answers of several days as one, in the order of the days.

    Raises:
        QueryError: there is none, or two differ in their columns.
    """
    ordered: Sequence[tuple[date, Answer]] = sorted(answers.items())
    if not ordered:
        raise QueryError("there is no day to ask about: give a period of at least one")
    first_day, first = ordered[0]
    for day, answer in ordered:
        if (answer.columns, answer.types) != (first.columns, first.types):
            raise QueryError(
                f"the answers of {first_day} and {day} have other columns: ask the same query for each day"
            )
    return Answer(first.columns, first.types, tuple(row for _, answer in ordered for row in answer.rows))
