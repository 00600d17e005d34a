"""No key, connection string or SAS: identities only. Two exceptions, as data, with their reasons."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise

from tests.infra.bicep.declarations import BicepFile
from tests.infra.bicep.expressions import Call, Expression, Index, Member, Object, Text, walk
from tests.infra.bicep.values import rendered
from tests.infra.checks.project import Project

AN_ADDRESS = "with local authentication off it authenticates nobody: it is where Application Insights is"
EXCEPTIONS = {
    ("monitoring", "output connectionString"): AN_ADDRESS,
    ("monitoring", "reads .ConnectionString"): AN_ADDRESS,
    ("function", "parameter connectionString"): AN_ADDRESS,
    ("main", "property connectionString"): AN_ADDRESS,
    ("main", "reads .connectionString"): AN_ADDRESS,
    ("token-metrics", "property connectionString"): AN_ADDRESS,
    ("token-metrics", "reads .ConnectionString"): AN_ADDRESS,
    ("function", "setting APPLICATIONINSIGHTS_CONNECTION_STRING"): AN_ADDRESS,
}
"""(module, finding) -> why it is no secret. One that is not needed is reported too."""

_SECRET_WORDS = frozenset({"key", "keys", "secret", "secrets", "password", "passwords", "sas", "pat", "credential"})
_SECRET_PAIRS = frozenset({("connection", "string"), ("connection", "strings"), ("access", "token")})
_READS = re.compile(
    r"(primary|secondary)(Shared)?Key|(primary|secondary)?ConnectionString|keys|key[12]|InstrumentationKey"
    r"|adminPassword|apiKey|connectionStrings?|sasToken|accountKey|masterKey|value\(\)",
    re.IGNORECASE,
)
_TEXTS = re.compile(
    r"AccountKey\s*=|SharedAccess(Key|Signature)|(?<![a-z])sig=|InstrumentationKey\s*=|Password\s*=|Bearer\s+[\w.~+/-]{16,}"
    r"|(?<![0-9A-Za-z])[0-9a-fA-F]{32}(?![0-9A-Za-z])|(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{86}==|"
    r"(?<![A-Za-z0-9+/])(?=[A-Za-z0-9+/]*[0-9+/])[A-Za-z0-9+/]{43}=(?!=)|-----BEGIN",
    re.IGNORECASE,
)


def nothing_is_secret(project: Project) -> list[str]:
    """No output, parameter, setting, property, text or call is shaped like a secret."""
    found = {(file.path.stem, what): line for file in project.bicep for what, line in _secrets(file)}
    problems = [
        f"{module}:{line}: {what}" for (module, what), line in found.items() if (module, what) not in EXCEPTIONS
    ]
    unused = [f"{module}: the exception for {what} is not needed" for module, what in EXCEPTIONS.keys() - found.keys()]
    return problems + unused + _in_parameter_files(project)


def outputs_give_nothing_away(project: Project) -> list[str]:
    """No output gives a secret-shaped property, or a whole resource with all its properties, whatever it is called."""
    found = []
    for file in project.bicep:
        made = project.plan(entry=file.path)
        places = "|".join(re.escape(one.place) for one in made.resources) or "$."
        for name, value in made.outputs.items():
            text = rendered(value)
            read = [word for word in re.findall(r"\.(\w+)", text) if _is_read(word)]
            if re.search(rf"(?<![\w.-])({places})(\.properties)?(?![\w.\[-])", text):
                read.append("all properties")
            if read and (file.path.stem, f"output {name}") not in EXCEPTIONS:
                found.append(f"{project.name(file.path)}: output {name} gives {', '.join(read)}: {text[:80]}")
    return found


def files_hold_no_secret(project: Project) -> list[str]:
    """No policy, workbook, query or parameter file has a secret written into it."""
    return [
        f"{project.name(path)}: holds {found[0][:12]}..."
        for path in sorted(project.infra.rglob("*"))
        if path.is_file() and path.suffix != ".bicep"
        for found in _TEXTS.finditer(path.read_text(encoding="utf-8"))
    ]


def _is_read(name: str) -> bool:
    return bool(_READS.fullmatch(name)) or (secret_name(name) and name != "key")


def _secrets(file: BicepFile) -> Iterator[tuple[str, int]]:
    for name, output in file.outputs.items():
        if secret_name(name):
            yield f"output {name}", output.line
    for name, parameter in file.parameters.items():
        if secret_name(name):
            yield f"parameter {name}", parameter.line
    for kind, named in (("parameter", file.parameters), ("output", file.outputs)):
        for name, item in named.items():
            if any(call.name == "secure" for call in item.decorators):
                yield f"{kind} {name} is @secure: nothing here takes or gives a secret", item.line
    for top in file.expressions():
        for part in walk(top):
            yield from ((what, part.line) for what in _in_expression(part))


def _in_expression(part: Expression) -> Iterator[str]:
    match part:
        case Call(_, name) if name.startswith("list") or name in ("getSecret", "newGuid"):
            yield f"calls {name}"
        case Member(_, _, name) if _is_read(name):
            yield f"reads .{name}"
        case Index(_, _, Text() as key) if key.literal and _is_read(key.literal):
            yield f"reads .{key.literal}"
        case Text():
            yield from (f"text like {found[:12]}..." for found in _secret_texts(part))
        case Object():
            yield from _in_object(part)


def _in_object(part: Object) -> Iterator[str]:
    name, value = part.get("name"), part.get("value")
    if isinstance(name, Text) and name.literal and value is not None and secret_name(name.literal):
        yield f"setting {name.literal}"
    for entry in part.entries:
        key = entry.key.literal or ""
        if secret_name(key) and key not in _HARMLESS:
            yield f"setting {key}" if key.isupper() else f"property {key}"


_HARMLESS = frozenset(
    {
        "subscriptionKeyParameterNames",
        "allowSharedKeyAccess",
        "keyType",
        "keyName",
        "credentials",
        "AzureWebJobsStorage__credential",
    }
)
"""Properties with such a word whose value is no secret."""


def secret_name(name: str) -> bool:
    """Tell whether a name in camelCase, kebab-case or CAPITALS promises a secret."""
    if name.endswith("__credential"):
        return False  # says how to authenticate: `managedidentity`
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)]
    return bool(_SECRET_WORDS & {*words}) or any(pair in _SECRET_PAIRS for pair in pairwise(words))


def _secret_texts(text: Text) -> list[str]:
    return [found[0] for part in text.parts if isinstance(part, str) for found in _TEXTS.finditer(part)]


def _in_parameter_files(project: Project) -> list[str]:
    found = []
    for path in sorted(project.infra.glob("*.parameters.json")):
        parameters = json.loads(path.read_text(encoding="utf-8"))["parameters"]
        for name, given in parameters.items():
            if secret_name(name) or _TEXTS.search(json.dumps(given)):
                found.append(f"{project.name(path)}: {name} is, or holds, a secret")
    return found
