"""What is installed, against what the deployed function is pinned to; and the host's bundle."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from chargeback.doctor.finding import Finding, bad, not_checked, ok

BUNDLE, PACKAGES = "versions: extension bundle", "versions: packages"
_BUNDLE = "Microsoft.Azure.Functions.ExtensionBundle"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;#]+)\s*(?:;\s*python_version\s*(<|>=)\s*\"([\d.]+)\")?", re.MULTILINE)


def versions(folder: Path) -> Iterator[Finding]:
    """Look at host.json and requirements.txt of a folder, the deployed one or a checkout."""
    host, requirements = folder / "host.json", folder / "requirements.txt"
    yield _bundle(host) if host.is_file() else not_checked(BUNDLE, f"there is no host.json in {folder}")
    if requirements.is_file():
        yield _packages(requirements)
    else:
        yield not_checked(PACKAGES, f"there is no requirements.txt in {folder}")


def _bundle(host: Path) -> Finding:
    try:
        bundle = json.loads(host.read_text(encoding="utf-8"))["extensionBundle"]
        name, wanted = str(bundle["id"]), str(bundle["version"])
    except (OSError, ValueError, KeyError, TypeError):
        return bad(BUNDLE, "host.json names no extension bundle", "take the project's host.json")
    if name != _BUNDLE or not re.match(r"\[4\.[^,]*, *5\.0\.0\)", wanted):
        return bad(BUNDLE, f"host.json wants {name} {wanted}", f"want {_BUNDLE} [4.0.0, 5.0.0): it is what is tested")
    return ok(BUNDLE, wanted)


def _packages(requirements: Path) -> Finding:
    try:
        text = requirements.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return bad(PACKAGES, f"requirements.txt cannot be read ({type(error).__name__})", "save it as UTF-8")
    lines = [line for line in map(str.strip, text.splitlines()) if line and not line.startswith("#")]
    differ = [f"{line.split()[0]} is not pinned" for line in lines if not _PINNED.match(line)]
    for name, wanted, sign, than in _PINNED.findall("\n".join(lines)):
        if sign and _is_newer_than(than) is not (sign == ">="):
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            differ.append(f"{name} is {found}, not {wanted}")
    if differ:
        return bad(PACKAGES, "; ".join(differ), "pip install -r requirements.txt")
    return ok(PACKAGES, "as requirements.txt has them")


def _is_newer_than(minimum: str) -> bool:
    return sys.version_info[:2] >= tuple(int(part) for part in minimum.split("."))
