"""Where a report's numbers come from: a local store, or an Application Insights resource in Azure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from chargeback.errors import ChargebackError
from chargeback.reports.answer import Answer, days_of
from chargeback.reports.compose import Period

if TYPE_CHECKING:
    from chargeback.cloud.logs import AzureLogs


@dataclass(frozen=True, slots=True)
class Source:
    """What was named on the command line; one of the two is empty."""

    store: str
    """A store's file, or the address of the local server that holds it."""
    resource: str
    """The resource id of an Application Insights resource."""
    endpoint: str = ""
    """Where Azure answers queries; empty for the public cloud."""

    def answer(self, kql: str, period: Period | None) -> Answer:
        """Answer a composed query; `period` is the one that it was composed for.

        Raises:
            ChargebackError: not exactly one source is named, or it does not answer.
        """
        self._check()
        if not self.resource:
            return self._local(kql)
        with self._logs() as logs:
            return logs.ask(kql, period)

    def by_day(
        self, kql_of: Callable[[Period], str], period: Period, progress: Callable[[date, int], None]
    ) -> dict[date, Answer]:
        """Answer a query for each day of a period, which `kql_of` composes.

        Raises:
            ChargebackError: not exactly one source is named, or it does not answer one of the days.
        """
        self._check()
        if self.resource:
            with self._logs() as logs:
                return logs.by_day(kql_of, period, progress)
        return {day[0].date(): self._local(kql_of(day)) for day in days_of(period)}

    def _check(self) -> None:
        if bool(self.store) == bool(self.resource):
            raise ChargebackError("name one source: a local store with --store, or a resource in Azure with --resource")

    def _local(self, kql: str) -> Answer:
        # Late, because what asks a server is more than most commands need.
        from chargeback.cli.asking import ask

        columns, rows = ask(self.store, kql)
        return Answer(tuple(columns), ("",) * len(columns), tuple(tuple(row) for row in rows))

    def _logs(self) -> AzureLogs:
        # Late, because Azure's libraries take longer to load than most commands run.
        from chargeback.cloud import sign_in
        from chargeback.cloud.logs import ENDPOINT, AzureLogs

        return AzureLogs(self.resource, sign_in(), self.endpoint or ENDPOINT)
