"""`chargeback consumers`: who called and belongs to nobody, and rows that name them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli.options import folder_of
from chargeback.cli.periods import period_of
from chargeback.cli.program import shown
from chargeback.cli.sources import Source
from chargeback.cli.tables import Format, print_table, write
from chargeback.reports.answer import Answer
from chargeback.reports.appending import append
from chargeback.reports.compose import compose, kql_folder
from chargeback.reports.consumers import SEEN, Seen, new_rows, seen, unnamed
from chargeback.reports.reference import read

_FILE = "consumers.kql"

Store = Annotated[str, typer.Option("--store", metavar="PATH|URL", help="Local store, or address of a local serve.")]
Resource = Annotated[
    str, typer.Option("--resource", metavar="ID", help="Resource id of an Application Insights resource in Azure.")
]
Endpoint = Annotated[
    str, typer.Option("--endpoint", metavar="URL", help="Where Azure answers queries, in sovereign clouds.")
]
Gateway = Annotated[
    str, typer.Option(metavar="ID", help="Resource id of the API Management service that names subscriptions.")
]
Graph = Annotated[bool, typer.Option("--graph", help="Ask Microsoft Graph for the names of applications.")]
Writes = Annotated[bool, typer.Option("--write", help="Append the rows to the file.")]
Reference = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Folder of consumers.kql, else kql/lib.", show_default=False)
]
Management = Annotated[str, typer.Option(metavar="URL", help="Azure's management address, in sovereign clouds.")]
GraphEndpoint = Annotated[str, typer.Option(metavar="URL", help="Microsoft Graph's address, in sovereign clouds.")]
Start = Annotated[str, typer.Option("--from", metavar="DATE", help="First day (or time) of the period.")]
End = Annotated[str, typer.Option("--to", metavar="DATE", help="First day (or time) after it.")]


def list_(
    store: Store = "",
    resource: Resource = "",
    endpoint: Endpoint = "",
    form: Annotated[Format, typer.Option("--format", help="How to print the answer.")] = Format.TABLE,
    start: Start = "",
    end: End = "",
    reference: Reference = None,
) -> None:
    """List the consumers that belonged to no business unit when they called.

    Without --from and --to (UTC) it is about this month. Azure is asked as whoever is signed in.

    \b
    Examples:
      chargeback consumers list --store day.duckdb --from 2026-10-01 --to 2026-11-01
      chargeback consumers list --resource ID --reference our-data
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    query = (kql_folder() / "reports" / "unknown-consumers.kql").read_text(encoding="utf-8")
    answer = _answer(Source(store, resource, endpoint), query, start, end, folder_of(reference))
    write(answer.columns, answer.rows, form)
    if not answer.rows:
        print(f"chargeback: every consumer {_about(start, end)} belongs to a business unit", file=sys.stderr)


def name(
    store: Store = "",
    resource: Resource = "",
    apim: Gateway = "",
    graph: Graph = False,
    writes: Writes = False,
    reference: Reference = None,
    endpoint: Endpoint = "",
    management: Management = "",
    graph_endpoint: GraphEndpoint = "",
    start: Start = "",
    end: End = "",
) -> None:
    """Make rows of consumers.kql for consumers that have none, with their names where somebody knows them.

    Without --apim and --graph the names are left empty. A row counts from the day of the consumer's first call in the
    period; its business unit is left for you to fill in. Existing lines are never changed: a consumer whose latest row
    has no name gets another row, valid from today.

    \b
    Examples:
      chargeback consumers name --store day.duckdb --from 2026-10-01 --to 2026-11-01
      chargeback consumers name --resource ID --apim ID --graph --reference our-data --write
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    file = (reference or kql_folder() / "lib") / _FILE
    known = read(file)
    lacking = unnamed(seen(_answer(Source(store, resource, endpoint), SEEN, start, end)), known)
    names: dict[str, str] = {}
    if apim:
        names |= _subscriptions(apim, management, lacking)
    if graph:
        names |= _applications(graph_endpoint, [one for one in lacking if one.consumer_id not in names])
    rows = new_rows(lacking, known, names, datetime.now(UTC))
    if rows:
        print_table([*known.columns], [[row[column] for column in known.columns] for row in rows])
    if writes:
        append(file, rows)
    _tell(file, len(rows), writes, _about(start, end))


def _answer(source: Source, text: str, start: str, end: str, reference: Path | None = None) -> Answer:
    period = period_of(start, end)
    return source.answer(compose(text, period=period, reference=reference), period)


def _subscriptions(apim: str, management: str, lacking: Sequence[Seen]) -> dict[str, str]:
    # Late, because Azure's libraries take longer to load than most commands run.
    from chargeback.cloud import sign_in
    from chargeback.cloud.names import subscription_names, subscriptions
    from chargeback.cloud.rest import MANAGEMENT, Rest

    with Rest(management or MANAGEMENT, sign_in()) as arm:
        found = subscriptions(arm, apim)
    return subscription_names(found, [one.consumer_id for one in lacking if one.consumer_type == "subscription"])


def _applications(endpoint: str, lacking: Sequence[Seen]) -> dict[str, str]:
    # Late, as above.
    from chargeback.cloud import sign_in
    from chargeback.cloud.names import application_names
    from chargeback.cloud.rest import GRAPH, Rest

    with Rest(endpoint or GRAPH, sign_in()) as graph:
        return application_names(graph, [one.consumer_id for one in lacking if one.consumer_type == "application"])


def _tell(file: Path, rows: int, written: bool, about: str) -> None:
    if not rows:
        said = f"every consumer {about} has a row in {shown(file)}, and a name where one was found"
    elif written:
        said = f"appended {rows} row{'s' * (rows > 1)} to {shown(file)}: fill in the business units there"
    else:
        said = f"{rows} row{'s' * (rows > 1)}, not written: add --write to append to {shown(file)}"
    print(f"chargeback: {said}", file=sys.stderr)


def _about(start: str, end: str) -> str:
    return f"from {start} to {end} (UTC)" if start else "of this month (UTC)"
