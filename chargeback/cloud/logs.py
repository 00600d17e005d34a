"""Questions to an Application Insights resource in Azure, in KQL.

The API has no pages: above 500,000 rows, 64 MB or ten minutes it answers in part. An answer in part is an error here,
so queries aggregate in the service, and long periods are asked about day by day.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, TypeAlias

from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.monitor.query import LogsQueryClient, LogsQueryPartialResult, LogsQueryResult

from chargeback.cloud.cells import answer_of
from chargeback.cloud.failures import misshapen, refused, short, unanswered
from chargeback.errors import CloudError, QueryError
from chargeback.reports.answer import Answer, days_of, joined
from chargeback.reports.compose import Period

ENDPOINT = "https://api.loganalytics.io"
MOST_ROWS = 500_000
_SERVER_SECONDS = 600
"""The longest that the API lets a query run."""
_READ_SECONDS = _SERVER_SECONDS + 60
_BEFORE, _AFTER = timedelta(days=2), timedelta(days=9)
"""A day more, on either side, than `kql/lib/usage.kql` looks around its period: the API's span must never cut it."""
_RESOURCE = re.compile(
    r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.insights/components/[^/]+", re.IGNORECASE
)
_ADVICE = {
    403: "the identity needs the role Monitoring Reader on the resource",
    404: "there is no such Application Insights resource: copy its resource id from the portal (Properties)",
    413: "the answer is too large: ask about fewer days",
    504: "the query ran longer than ten minutes: ask about fewer days",
}
# The SDK's own classes fail so on an answer of another shape than the API's.
_MISSHAPEN = (ValueError, TypeError, KeyError, AttributeError, IndexError)

Progress: TypeAlias = Callable[[date, int], None]
"""Told of each day that is answered, and of its number of rows."""


class AzureLogs:
    """An Application Insights resource that answers queries; a context manager."""

    def __init__(self, resource_id: str, credential: TokenCredential, endpoint: str = ENDPOINT) -> None:
        """Name the resource; nothing is sent yet. `endpoint` is another one in sovereign clouds.

        Raises:
            CloudError: it is no Application Insights resource. A workspace would have the tables under other names.
        """
        if not _RESOURCE.fullmatch(resource_id.rstrip("/")):
            raise CloudError(
                f"{short(resource_id)} is no Application Insights resource: give the resource id that ends in "
                "/providers/microsoft.insights/components/NAME (not the workspace's)"
            )
        self._resource_id = resource_id.strip("/")
        self._what = f"Application Insights {self._resource_id.rpartition('/')[2]}"
        self._client = LogsQueryClient(
            credential,
            endpoint=endpoint.rstrip("/"),
            retry_policy=_Retries(retry_total=3, retry_connect=1),
            read_timeout=_READ_SECONDS,
        )

    def ask(self, kql: str, period: Period | None = None) -> Answer:
        """Return the whole answer to a query; `period` is the one that the query was composed for.

        Raises:
            QueryError: the query is wrong.
            CloudError: there is no answer, or only a part of one.
        """
        span = None if period is None else (period[0] - _BEFORE, period[1] + _AFTER)
        statuses: list[int] = []

        def note(response: PipelineResponse[Any, Any]) -> None:
            statuses.append(response.http_response.status_code)

        try:
            result = self._client.query_resource(
                self._resource_id, kql, timespan=span, server_timeout=_SERVER_SECONDS, raw_response_hook=note
            )
            return self._whole(result)
        except AzureError as error:
            raise self._failed(error, statuses) from error
        except _MISSHAPEN as error:
            if statuses and statuses[-1] != 200:
                raise refused(self._what, statuses[-1], advice=_ADVICE) from error
            raise misshapen(self._what) from error

    def by_day(
        self, kql_of: Callable[[Period], str], period: Period, progress: Progress | None = None
    ) -> dict[date, Answer]:
        """Return the answers for each day (UTC) of a period; `kql_of` composes the query for a day.

        Raises:
            QueryError: the query is wrong.
            CloudError: one of the days has no whole answer.
        """
        answers: dict[date, Answer] = {}
        for day in days_of(period):
            date_of_day = day[0].date()
            try:
                answers[date_of_day] = self.ask(kql_of(day), day)
            except CloudError as error:
                raise CloudError(f"{date_of_day}: {error}") from error
            if progress:
                progress(date_of_day, len(answers[date_of_day].rows))
        return answers

    def ask_by_day(self, kql_of: Callable[[Period], str], period: Period, progress: Progress | None = None) -> Answer:
        """Return the answers for each day of a period as one.

        Raises:
            QueryError: the query is wrong, or its columns differ from day to day.
            CloudError: one of the days has no whole answer.
        """
        return joined(self.by_day(kql_of, period, progress))

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    def __enter__(self) -> AzureLogs:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _whole(self, result: LogsQueryResult | LogsQueryPartialResult) -> Answer:
        if isinstance(result, LogsQueryPartialResult):
            said = result.partial_error.message if result.partial_error else ""
            raise CloudError(
                f"{self._what} answered in part ({short(said or 'without saying why')}): nothing is taken from it; "
                "ask about fewer days, or for fewer rows"
            )
        (table,) = result.tables
        if len(table.rows) >= MOST_ROWS:
            raise CloudError(
                f"{self._what} answered {len(table.rows)} rows, as many as it ever does: there may be more; "
                "ask about fewer days, or for fewer rows"
            )
        return answer_of(table)

    def _failed(self, error: AzureError, statuses: list[int]) -> CloudError | QueryError:
        if not isinstance(error, HttpResponseError):
            return unanswered(self._what, error)
        if not statuses:
            # The client makes the credential's own error one without an answer.
            return unanswered(self._what, ClientAuthenticationError())
        said = _innermost(error)
        if statuses[-1] == 200:
            return misshapen(self._what)
        if statuses[-1] == 400:
            return QueryError(f"{self._what} cannot run the query: {short(said) or 'it does not say why'}")
        return refused(self._what, statuses[-1], said, _ADVICE)


class _Retries(RetryPolicy[Any, Any]):
    """Tries again what may pass, but not a query that ran ten minutes for nothing."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Tell whether to try again."""
        return response.http_response.status_code != 504 and super().is_retry(settings, response)


def _innermost(error: HttpResponseError) -> str:
    """Return the service's most exact words; outer ones only say that something is wrong."""
    if isinstance(error, ClientAuthenticationError):
        return ""
    return str(getattr(error.model, "message", None) or "")
