"""The gateway: its policies are there and named alike, and no diagnostic of it takes what callers say."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.infra.bicep.plan import Deployed
from tests.infra.bicep.values import Value, known, rendered
from tests.infra.checks.project import Project
from tests.policy.extraction import extract
from tests.policy.structure import Element, parse

_FRAGMENTS = "Microsoft.ApiManagement/service/policyFragments"
_DIAGNOSTICS = ("Microsoft.ApiManagement/service/apis/diagnostics", "Microsoft.ApiManagement/service/diagnostics")
DOCUMENTS = ("api.xml", "api-minimal.xml")
OURS = "chargeback-"
"""How names begin that a gateway which is there may have too."""


def fragments_are_those_of_the_policies(project: Project) -> list[str]:
    """Each file of infra/policies is a fragment of its name, as ours, with its text, and a policy includes no other."""
    folder = project.infra / "policies"
    files = {f"{OURS}{file.stem}": file for file in folder.glob("*.xml") if file.name not in DOCUMENTS}
    made = {str(one.body.get("name")): one for one in project.plan().of(_FRAGMENTS)}
    found = [f"gateway: policy fragment {name} is not deployed" for name in files.keys() - made.keys()]
    found += [f"gateway: policy fragment {name} has no file" for name in made.keys() - files.keys()]
    for name in files.keys() & made.keys():
        properties = made[name].properties
        if properties.get("value") != files[name].read_text(encoding="utf-8"):
            found.append(f"gateway: policy fragment {name} is not infra/policies/{files[name].name}")
        if "fragment-id=" in str(properties.get("value")):
            found.append(f"gateway: policy fragment {name} includes another, whose name is not ours")
        if properties.get("format") != "rawxml":
            found.append(f"gateway: policy fragment {name} is {rendered(properties.get('format'))}, must be rawxml")
    for document in DOCUMENTS:
        text = (folder / document).read_text(encoding="utf-8")
        included = {f"{OURS}{name}" for name in re.findall(r'fragment-id="([^"]+)"', text)}
        found += [f"{document}: includes {name}, which is no fragment" for name in included - made.keys()]
    return found


def the_api_gets_the_policy_that_was_asked_for(project: Project) -> list[str]:
    """Full is api.xml, without token metrics where nobody listens; minimal is api-minimal.xml; none is none."""
    folder = project.infra / "policies"
    full = (folder / "api.xml").read_text(encoding="utf-8")
    line = '<include-fragment fragment-id="emit-token-metrics" />'
    wanted = {
        ("full", True): full,
        ("full", False): full.replace(line, ""),
        ("minimal", False): (folder / "api-minimal.xml").read_text(encoding="utf-8"),
        ("none", False): None,
    }
    found = [] if line in full else [f"api.xml: {line} is not in it"]
    for (policy, metrics), text in wanted.items():
        made = project.plan({"apiPolicy": policy, "emitTokenMetrics": metrics})
        values = [one.properties.get("value") for one in made.of("Microsoft.ApiManagement/service/apis/policies")]
        if values != ([] if text is None else [text.replace('fragment-id="', f'fragment-id="{OURS}')]):
            found.append(f"gateway: with apiPolicy {policy}, token metrics {metrics}, the API's policy is another text")
    return found


def every_call_is_recorded(project: Project) -> list[str]:
    """Both policies record answers and failures, once each, and first: what comes after may fail."""
    found = []
    for name in DOCUMENTS:
        sections = {one.name: one.children for one in _read(project.infra / "policies" / name).children}
        for section in ("outbound", "on-error"):
            fragments = [one.attributes.get("fragment-id", one.name) for one in sections.get(section, [])]
            if fragments[:1] != ["record-usage"] or fragments.count("record-usage") != 1:
                found.append(f"{name}: {section} is {fragments}, must begin with record-usage, once")
    return found


def tokens_go_to_model_accounts_alone(project: Project) -> list[str]:
    """The gateway's identity asks for a token of model accounts and for no other: a backend sees what it is sent."""
    found = []
    for path in sorted((project.infra / "policies").glob("*.xml")):
        waiting = [_read(path)]
        while waiting:
            one = waiting.pop()
            waiting += one.children
            resource = one.attributes.get("resource")
            if one.name == "authentication-managed-identity" and resource != "https://cognitiveservices.azure.com":
                found.append(f"{path.name}: asks for a token of {resource}")
    return found


def _read(path: Path) -> Element:
    return parse(extract(path.read_text(encoding="utf-8-sig"), path.name).structure, path.name)


def named_values_and_logger_are_there(project: Project) -> list[str]:
    """Every {{name}} of a policy is a named value with a default, and the logger that it writes to is there."""
    defaults = json.loads((project.infra / "policies" / "named-values.json").read_text(encoding="utf-8"))
    texts = {file.name: file.read_text(encoding="utf-8") for file in (project.infra / "policies").glob("*.xml")}
    used = {name for text in texts.values() for name in re.findall(r"\{\{([\w-]+)\}\}", text)}
    plan = project.plan({"namedValues": {"chargeback-tokens-per-minute": "7"}})
    made = {
        str(one.body.get("name")): one.properties.get("value")
        for one in plan.of("Microsoft.ApiManagement/service/namedValues")
    }
    found = [f"gateway: named value {name} is not deployed" for name in (used | defaults.keys()) - made.keys()]
    if made.get("chargeback-tokens-per-minute") != "7":
        found.append("gateway: a named value that is given does not take the default's place")
    loggers = {str(one.body.get("name")) for one in plan.of("Microsoft.ApiManagement/service/loggers")}
    written = {name for text in texts.values() for name in re.findall(r'logger-id="([^"]+)"', text)}
    return found + [f"gateway: no logger {name}, which a policy writes to" for name in written - loggers]


def diagnostics_take_no_prompts(project: Project) -> list[str]:
    """No messages, bodies or headers anywhere; the model's log of every call, and it goes to its hub alone."""
    plan = project.plan({"streamCompletion": "eventHub", "emitTokenMetrics": True})
    found = []
    for one in plan.of(*_DIAGNOSTICS):
        found += [f"{one.place}:{one.line}: {problem}" for problem in _of_a_diagnostic(one)]
    logged = [one for one in plan.of(*_DIAGNOSTICS) if one.body.get("name") == "azuremonitor"]
    if [one.properties.get("largeLanguageModel") for one in logged] != [{"logs": "enabled"}]:
        found.append("gateway-log: largeLanguageModel must be { logs: 'enabled' } and nothing else")
    exports = plan.of("Microsoft.Insights/diagnosticSettings")
    if [one.properties.get("logs") for one in exports] != [[{"category": "GatewayLlmLogs", "enabled": True}]]:
        found.append("gateway-log: the diagnostic setting must export GatewayLlmLogs alone")
    for one in exports:
        to = (rendered(one.properties.get("eventHubAuthorizationRuleId")), one.properties.get("eventHubName"))
        if to != ("gateway-log.sends.id", "gateway-log"):
            found.append(f"{one.place}:{one.line}: exports to {to}, not to the hub that is for the log alone")
        if {"workspaceId", "storageAccountId", "metrics"} & one.properties.keys():
            found.append(f"{one.place}:{one.line}: exports to more than its hub")
    none = project.plan({"streamCompletion": "none"})
    kept = [one.place for one in none.resources if one.module == "gateway-log"]
    return found + ([f"with streamCompletion none there is still {kept}"] if kept else [])


def _of_a_diagnostic(one: Deployed) -> Iterator[str]:
    sampling = one.properties.get("sampling")
    if not isinstance(sampling, Mapping) or sampling != {"samplingType": "fixed", "percentage": 100}:
        yield f"sampling is {rendered(sampling)}, must be fixed at 100"
    for path in _paths(one.properties):
        if {"body", "headers", "requests", "responses", "messages"} & {*path}:
            yield f"takes {'.'.join(path)}"


def _paths(value: Value, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _paths(inner, (*path, key))
            yield (*path, key)


def loaded_files_exist(project: Project) -> list[str]:
    """Every file that a module loads is there."""
    found = []
    for path in project.paths:
        for name in re.findall(r"load\w+Content\('([^']+)'\)", path.read_text(encoding="utf-8")):
            if not (Path(path).parent / name).is_file():
                found.append(f"{project.name(path)}: {name} is not there")
    return found


def all_is_known(project: Project) -> list[str]:
    """What these rules read is known before a deployment: a text that is not would pass them unread."""
    return [
        f"{one.place}:{one.line}: its text depends on what is known later"
        for one in project.plan().of(_FRAGMENTS)
        if not known(one.properties.get("value"))
    ]
