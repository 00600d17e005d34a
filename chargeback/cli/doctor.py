"""`chargeback doctor`: what is misconfigured, in a minute."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chargeback.cli import options


def doctor(
    store: options.Store = "",
    resource: options.Resource = "",
    endpoint: options.Endpoint = "",
    management: options.Management = "",
    app: Annotated[
        Path, typer.Option("--app", metavar="FOLDER", help="Folder with host.json and requirements.txt.")
    ] = Path(),
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array, for programs.")] = False,
) -> None:
    """Look at every part of the road, and say in a line each what is right, what is wrong, and what to do.

    Settings are the function's own, from the environment: paste them from the app's configuration. Sends one event
    "Chargeback doctor", which no report counts, and writes and removes one blob. With --resource it looks at the
    Application Insights resource too, and whether the gateway's log speaks of the calls that the policy records; with
    --store it asks a local store about the latter. docs/operations.md says more about each line.

    Exit code 1: something is wrong.

    \b
    Examples:
      chargeback doctor
      chargeback doctor --resource /subscriptions/.../components/chargeback-insights
      chargeback doctor --json > doctor.json
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, because it loads every library that talks to Azure.
    from chargeback.cli.examining import Patient, examine
    from chargeback.cli.sources import Source

    if examine(Patient(Source(store, resource, endpoint), management, app), as_json=as_json):
        raise typer.Exit(1)
