"""The doctor's round: every check in its turn, told as it comes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.text import Text

from chargeback.cli.screen import Screen
from chargeback.cli.sources import Source
from chargeback.cloud import sign_in
from chargeback.cloud.rest import MANAGEMENT, Rest
from chargeback.doctor import Finding, State
from chargeback.doctor.configuration import configured
from chargeback.doctor.hubs import hub
from chargeback.doctor.identities import identities
from chargeback.doctor.ingestion import ingestion
from chargeback.doctor.resource import resource, unread
from chargeback.doctor.round import Look, at_once
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
    for finding in at_once(_families(patient), lambda name: _meanwhile(f"looking at {name} ...")):
        found.append(finding)
        _meanwhile("")
        if not as_json:
            _show(finding)
    _meanwhile("")
    if as_json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    wrong = sum(finding.state is State.BAD for finding in found)
    unseen = sum(finding.state is State.NOT_CHECKED for finding in found)
    if not as_json:
        print(f"{len(found) - wrong - unseen} right, {wrong} wrong, {unseen} not checked")
    return bool(wrong)


def _families(patient: Patient) -> dict[str, Look]:
    """Return the checks by what they are about, in the order in which they are told."""
    told = configured(environment({}))
    kept = told.settings.storage
    asked = patient.source.answer if patient.source.store or patient.source.resource else None
    management = (patient.management or MANAGEMENT) if patient.source.resource else ""
    return {
        "settings": lambda: told.findings,
        "versions": lambda: versions(patient.app),
        "identities": lambda: identities(told, management),
        "the hub": lambda: hub("hub", told.hub, told.group, kept),
        "the gateway's log": lambda: hub("gateway log", told.gateway_log, told.group, kept),
        "storage": lambda: storage(kept, lambda: datetime.now(UTC)),
        "Application Insights": lambda: [ingestion(told.settings, datetime.now(UTC))],
        "the resource": lambda: _resource(patient.source.resource, management),
        "streams": lambda: [streams(asked, datetime.now(UTC))],
    }


def _resource(resource_id: str, management: str) -> Iterator[Finding]:
    if not resource_id:
        yield from unread("no resource is named", "name it with --resource")
        return
    with Rest(management, sign_in()) as arm:
        yield from resource(arm, resource_id)


def _meanwhile(text: str) -> None:
    """Say on a terminal what is waited for, in a line that goes away again."""
    if sys.stderr.isatty():
        print(f"\r\x1b[2K{text}", end="\r", file=sys.stderr, flush=True)


def _show(finding: Finding) -> None:
    """Print one line, and for what is wrong a second one; colours on a terminal alone."""
    console = Screen(file=sys.stdout, highlight=False, soft_wrap=True)
    mark = Text(f"{_WORDS[finding.state]:<6}", style=_STYLES[finding.state])
    console.print(mark + Text(f"{finding.name}: {finding.seen}"))
    if finding.advice and finding.state is not State.OK:
        console.print(Text(f"      {finding.advice}"))
