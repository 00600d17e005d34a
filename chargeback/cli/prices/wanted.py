"""Which models a command is about: those that calls in a store used, or those that somebody names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from chargeback.cli.prices.reference import Reference
from chargeback.cli.program import say
from chargeback.errors import ChargebackError
from chargeback.prices.choice import Use
from chargeback.prices.rows import model_name
from chargeback.prices.uses import Calls, uses
from chargeback.reports.compose import compose

_EVER = (datetime(2020, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
_IN_USE = """usage
| extend deployment = iff(isnotempty(servedDeployment), servedDeployment, deploymentId)
| summarize calls = count() by model, deployment, backendHost, modelRegion, serviceTier"""


def uses_of(store: str, models: str, reference: Reference) -> dict[Use, int]:
    """Return the uses to look at, each with its calls; a model that is only named has none.

    Raises:
        ChargebackError: neither a store nor models are named, or the store cannot be asked.
    """
    if bool(store) is bool(models):
        raise ChargebackError("say whose prices: --store PATH for the models in use, or --models a,b for some")
    if models:
        named = [name for text in models.split(",") if (name := model_name(text)).model]
        return {Use(name): 0 for name in named}
    # Late, because the database takes longer to load than most commands run.
    from chargeback.cli.asking import ask

    _, rows = ask(store, compose(_IN_USE, period=_EVER))
    found, nameless = uses([_calls(row) for row in rows], reference.deployments())
    if nameless:
        say(f"{nameless} calls name no model, and their deployments are not in deployments.kql")
    return found


def _calls(row: Sequence[object]) -> Calls:
    model, deployment, host, region, tier = (str(text or "") for text in row[:5])
    return Calls(model, deployment, host, region, int(str(row[5])), tier)
