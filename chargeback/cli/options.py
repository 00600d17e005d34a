"""Options that several commands about a month have, and what their values mean."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from chargeback.errors import ChargebackError

IN_STORAGE = "container"
"""What stands for the container `statements` of a storage account, in the place of a folder."""

Month = Annotated[str, typer.Option(metavar="YYYY-MM", help="The month (UTC); else this one, so far.")]
Closable = Annotated[str, typer.Option("--month", metavar="YYYY-MM", help="The month (UTC) to close.")]
Store = Annotated[str, typer.Option(metavar="PATH|URL", help="Local store, or address of a local serve.")]
Resource = Annotated[str, typer.Option(metavar="ID", help="Resource id of an Application Insights resource in Azure.")]
Endpoint = Annotated[str, typer.Option(metavar="URL", help="Where Azure answers, in sovereign clouds.")]
Reference = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Your prices, consumers, ...: files that take the place of kql/lib's."),
]
Statements = Annotated[
    str,
    typer.Option(
        metavar=f"FOLDER|{IN_STORAGE}",
        help=f"Where closed months are kept; {IN_STORAGE}: in the account that AzureWebJobsStorage__accountName names.",
    ),
]
Account = Annotated[
    list[str] | None,
    typer.Option("--account", metavar="ID", help="Resource id of an account that serves models; give each."),
]
Gateway = Annotated[str, typer.Option("--apim", metavar="ID", help="Resource id of the API Management service.")]
Api = Annotated[
    list[str] | None,
    typer.Option("--api", metavar="NAME", help="Only requests of this API of the gateway; give each."),
]
Bill = Annotated[
    list[Path] | None,
    typer.Option("--bill", metavar="FILE", help="CSV of a Cost Management FOCUS export, or gzip of it; give each."),
]
Management = Annotated[
    str, typer.Option("--management", metavar="URL", help="Azure's management address, in sovereign clouds.")
]
AtLeast = Annotated[
    float, typer.Option("--at-least", metavar="PERCENT", min=0, max=100, help="Share that has to be explained.")
]


def folder_of(reference: Path | None) -> Path | None:
    """Return the folder of reference rows.

    Raises:
        ChargebackError: there is none of that name.
    """
    if reference and not reference.is_dir():
        raise ChargebackError(f"there is no folder {reference}: name the one with your prices.kql, consumers.kql, ...")
    return reference
