"""The doctor's round: every check in its turn, told as it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from chargeback.cli.sources import Source
from chargeback.doctor import Finding, State
from chargeback.doctor.configuration import configured
from chargeback.doctor.hubs import hub
from chargeback.doctor.identities import identities
from chargeback.doctor.ingestion import ingestion
from chargeback.doctor.resource import resource, unread
from chargeback.doctor.storage import storage
from chargeback.doctor.streams import streams
from chargeback.doctor.versions import versions
from chargeback.errors import ChargebackError
from chargeback.settings.process import environment

_STYLES = {State.OK: "green", State.BAD: "red", State.NOT_CHECKED: "dim"}
_WORDS = {State.OK: "ok", State.BAD: "WRONG", State.NOT_CHECKED: "-"}


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at beside the settings."""

    source: Source
    management: str
    """Azure's management address; empty for the public cloud."""
    app: Path
    """Folder with host.json."""


def examine(patient: Patient, *, as_json: bool) -> bool:
    """Print what every check finds; tell whether something is wrong.

    Raises:
        ChargebackError: both a store and a resource are named.
    """
    if patient.source.store and patient.source.resource:
        raise ChargebackError("name one source: a local store with --store, or a resource in Azure with --resource")
    found: list[Finding] = []
    for finding in _findings(patient):
        found.append(finding)
        if not as_json:
            _show(finding)
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    wrong = sum(finding.state is State.BAD for finding in found)
    unseen = sum(finding.state is State.NOT_CHECKED for finding in found)
    if not as_json:
        print(f"{len(found) - wrong - unseen} right, {wrong} wrong, {unseen} not checked")
    return bool(wrong)


def _findings(patient: Patient) -> Iterator[Finding]:
    told = configured(environment({}))
    yield from told.findings
    yield from versions(patient.app)
    yield from identities(told)
    kept = told.settings.storage if told.settings else None
    yield from hub("hub", told.hub, told.group, kept)
    if told.gateway_log:
        yield from hub("gateway log", told.gateway_log, told.group, kept)
    yield from storage(kept, lambda: datetime.now(UTC))
    yield ingestion(told.settings, datetime.now(UTC))
    yield from _resource(patient)
    asked = patient.source.answer if patient.source.store or patient.source.resource else None
    yield streams(asked, datetime.now(UTC))


def _resource(patient: Patient) -> Iterator[Finding]:
    if not patient.source.resource:
        yield from unread("no resource is named", "name it with --resource")
        return
    # Late: only this one asks Azure's management.
    from chargeback.cloud import sign_in
    from chargeback.cloud.rest import MANAGEMENT, Rest

    with Rest(patient.management or MANAGEMENT, sign_in()) as arm:
        yield from resource(arm, patient.source.resource)


def _show(finding: Finding) -> None:
    """Print one line, and for what is wrong a second one; colours on a terminal alone."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=True)
    mark = Text(f"{_WORDS[finding.state]:<6}", style=_STYLES[finding.state])
    console.print(mark + Text(f"{finding.name}: {finding.seen}"))
    if finding.advice and finding.state is not State.OK:
        console.print(Text(f"      {finding.advice}"))
