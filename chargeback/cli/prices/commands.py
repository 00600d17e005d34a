"""The commands of `chargeback prices`, each with its options and its help."""

from __future__ import annotations

from typing import Annotated

import typer

from chargeback.cli.prices.reference import Reference
from chargeback.cli.tables import Format

_FOUND = 1
_AZURE_RETAIL_PRICES = "https://prices.azure.com/api/retail/prices"

REFERENCE = typer.Option(
    metavar="FOLDER", help="Folder with reference tables of your own; a file there takes the place of kql/lib's."
)


def list_(
    model: Annotated[str, typer.Option(metavar="NAME", help="Only rows of this model.")] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="DATE", help="Only what is in force on this day (UTC); all rows without.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print the rows.")] = Format.TABLE,
    reference: Annotated[str, REFERENCE] = "",
) -> None:
    """List prices: USD per million tokens, as prices.kql has them.

    A row counts from its first day until the next row about the same calls. An empty cell of a price means that the
    model has none of its own for such tokens; an empty cell of deployment, region, context or tier means any.

    \b
    Examples:
      chargeback prices list --model gpt-4o
      chargeback prices list --at 2026-10-31 --format csv
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    # Late, here and below: prices load more than most commands run.
    from chargeback.cli.prices.listing import print_prices

    print_prices(model, at, form, Reference(reference))


def check(
    store: Annotated[
        str, typer.Option(metavar="PATH|URL", help="Local store (or address of a local serve) whose calls count.")
    ] = "",
    models: Annotated[str, typer.Option(metavar="A,B", help="These models instead of those in a store.")] = "",
    at: Annotated[
        str, typer.Option("--at", metavar="DATE", help="Day (UTC) on whose prices to look; today without.")
    ] = "",
    form: Annotated[Format, typer.Option("--format", help="How to print what is found.")] = Format.TABLE,
    reference: Annotated[str, REFERENCE] = "",
) -> None:
    """Look for models in use without a price, and for prices older than 90 days.

    A price is as old as the last reading of its source: prices update notes when a source still says the same. A
    contract's price does not age. The calls of a store have a price only if there is one for the type and region
    of their deployment, which deployments.kql says. Two rows that are equally specific are found too.

    Exit code 1: something was found; 2: the check could not be made. What the library genai-prices thinks of the
    same prices is said aside and changes no exit code.

    \b
    Examples:
      chargeback prices check --store day.duckdb
      chargeback prices check --models gpt-4o-2024-11-20,claude-opus-5 --at 2026-10-31
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    from chargeback.cli.prices.checking import check_prices

    if not check_prices(store, models, at, form, Reference(reference)):
        raise typer.Exit(_FOUND)


def update(
    store: Annotated[
        str, typer.Option(metavar="PATH|URL", help="Local store (or address of a local serve): the models in use.")
    ] = "",
    models: Annotated[str, typer.Option(metavar="A,B", help="These models instead.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every model that has a price: a long file.")] = False,
    region: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Region, or group of regionGroups.kql; may be given several times."),
    ] = None,
    reference: Annotated[str, REFERENCE] = "",
    write: Annotated[bool, typer.Option("--write", help="Write prices.kql; without it nothing is changed.")] = False,
    url: Annotated[
        str, typer.Option(metavar="URL", help="Another address of the Azure Retail Prices API.")
    ] = _AZURE_RETAIL_PRICES,
) -> None:
    """Append new prices to prices.kql, for the models in use.

    Asks the Azure Retail Prices API (public, no key) and reads what its meters' names mean, word by word. A name with
    a word that is not in the vocabulary is listed, not priced. Claude is not in that list: its prices are Anthropic's
    own, as this version ships them. First the change is shown; --write makes it. A line that is there already stays
    as it is, and a price that is already in force is not written again.

    Global prices are for every region. Data zone and regional prices are taken for the regions in use and those
    named with --region, which also makes the answer much shorter: without any, all regions are read, some 70 pages.

    \b
    Examples:
      chargeback prices update --store day.duckdb --region swedencentral
      chargeback prices update --models gpt-4.1,o4-mini --region datazone-eu --reference my-tables --write
    """  # noqa: D301  (\b keeps the help from joining the lines after it)
    from chargeback.cli.prices.updating import Choice, update_prices

    update_prices(Choice(store, models, every, tuple(region or ()), write, url), Reference(reference))
