"""Which models are in use, and how they are deployed: from calls, and from the table of deployments if there is one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from chargeback.errors import ReferenceDataError
from chargeback.prices.choice import STANDARD, UNKNOWN, Use
from chargeback.prices.rows import ModelName, model_name, region_name
from chargeback.reports.literals import Value
from chargeback.reports.meaning import BILLED_AS_STANDARD
from chargeback.reports.reference import parse

_PAID_BY_TOKEN: Mapping[str, tuple[str, bool]] = MappingProxyType(
    {
        "GlobalStandard": ("global", False),
        "DataZoneStandard": ("datazone", False),
        "Standard": ("regional", False),
        "GlobalBatch": ("global", True),
        "DataZoneBatch": ("datazone", True),
    }
)
"""SKU of a deployment -> its type, and whether it is for batches. The others are paid by the hour."""
_COLUMNS = frozenset({"backendHost", "deployment", "model", "modelVersion", "sku", "modelRegion", "validFrom"})


@dataclass(frozen=True, slots=True)
class Calls:
    """Calls that name the same model and deployment."""

    model: str
    """As the response names it; empty where it does not."""
    deployment: str
    backend_host: str
    region: str
    calls: int
    tier: str = ""
    """As the response names it; empty where it does not."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What the table of deployments says of one."""

    name: ModelName
    sku: str
    region: str


class Deployments:
    """The table of deployments, looked up by host and name."""

    def __init__(self, text: str, file: str) -> None:
        """Read deployments.kql; an empty text is an empty table.

        Raises:
            ReferenceDataError: it is no table of constants, or lacks a column.
        """
        self._found: dict[tuple[str, str], tuple[datetime, Deployment]] = {}
        if not text:
            return
        table = parse(text, file)
        if not table.columns.keys() >= _COLUMNS:
            raise ReferenceDataError(
                f"{file} has not the columns of deployments.kql: compare it with kql/lib/deployments.kql"
            )
        for row in table.rows:
            self._add(row)

    def _add(self, row: Mapping[str, Value]) -> None:
        place = (str(row["backendHost"]).lower(), str(row["deployment"]).lower())
        since, version = row["validFrom"], str(row["modelVersion"])
        named = model_name(str(row["model"]))
        made = Deployment(
            ModelName(named.model, version or named.version), str(row["sku"]), region_name(str(row["modelRegion"]))
        )
        before = self._found.get(place)
        if isinstance(since, datetime) and (before is None or before[0] <= since):
            self._found[place] = (since, made)

    def find(self, host: str, deployment: str) -> Deployment | None:
        """Return what is known of a deployment: by both, by its name alone, by its host alone, or by a row for all."""
        here, name = host.lower(), deployment.lower()
        found = (self._found.get(place) for place in ((here, name), ("", name), (here, ""), ("", "")))
        return next((each[1] for each in found if each is not None), None)


def uses(calls: Iterable[Calls], deployments: Deployments) -> tuple[dict[Use, int], int]:
    """Return the uses that are paid by token, with their calls; and how many calls name no model at all."""
    found: dict[Use, int] = {}
    nameless = 0
    for group in calls:
        known = deployments.find(group.backend_host, group.deployment)
        if known is not None and known.sku and known.sku not in _PAID_BY_TOKEN:
            continue
        use = _use(group, known)
        if not use.name.model:
            nameless += group.calls
            continue
        found[use] = found.get(use, 0) + group.calls
    return found, nameless


def _use(group: Calls, known: Deployment | None) -> Use:
    told = group.tier.lower()
    tier, is_batch = STANDARD if not told or told in BILLED_AS_STANDARD else told, told == "batch"
    if known is None:
        return Use(model_name(group.model), UNKNOWN, region_name(group.region) or UNKNOWN, is_batch, tier)
    deployment_type, batch = _PAID_BY_TOKEN.get(known.sku, (UNKNOWN, False))
    # A response may name the deployment instead of the model, so the table comes first.
    named = known.name if known.name.model else model_name(group.model)
    return Use(named, deployment_type, known.region or region_name(group.region) or UNKNOWN, batch or is_batch, tier)
