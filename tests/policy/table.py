"""`python -m tests.policy.table`: runs every case file and writes what came of it into docs/policies.md."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

from tests.policy.gateway import Gateway
from tests.policy.result import Result

Situation: TypeAlias = Mapping[str, Any]

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "policies.md"
POLICIES = ROOT / "infra" / "policies"
MODE = "chargeback-stream-mode"
COUNTS = ("promptTokens", "completionTokens", "totalTokens")


def situations() -> dict[str, Situation]:
    """Read the case files, by name."""
    return {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted((HERE / "cases").glob("*.json"))}


def with_tables(page: str) -> str:
    """Return the page with both tables as they are now."""
    known = situations()
    return _between(_between(page, "articles", articles(known)), "cases", cases(known))


def _between(page: str, name: str, lines: list[str]) -> str:
    """Replace what stands between the two marks of that name."""
    begin, end = f"<!-- generated: {name} -->\n", f"<!-- end: {name} -->"
    before, found, rest = page.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"{PAGE.name} has no marks for {name}")
    return before + begin + "\n" + "".join(f"{line}\n" for line in lines) + "\n" + end + after


def cases(known: Mapping[str, Situation]) -> list[str]:
    """Write a row per case: what api.xml records of it."""
    standard = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    head = ("case", "what it is", "status", "source", "tokens", "live streams", "note", "articles' form")
    rows = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    fates = _fates(known, "off")
    with ExitStack() as stack:

        @cache
        def gateway(named: str) -> Gateway:
            return stack.enter_context(Gateway(POLICIES / "api.xml", POLICIES, json.loads(named)))

        def record(situation: Situation, mode: str) -> Mapping[str, Any]:
            named = {**standard, **situation.get("named", {}), MODE: mode}
            (sent,) = gateway(json.dumps(named)).run(situation["case"]).records
            return dict(sent)

        for name, situation in known.items():
            buffer = record(situation, "buffer")
            live = record(situation, "live") if buffer["streamed"] else buffer
            rows.append(_row(name, str(situation["about"]), buffer, live, fates[name]))
    return rows


def _row(name: str, about: str, buffer: Mapping[str, Any], live: Mapping[str, Any], fate: str) -> str:
    tokens = " / ".join("?" if buffer[count] is None else f"{buffer[count]:,}" for count in COUNTS)
    known = tokens if any(buffer[count] is not None for count in COUNTS) else ""
    difference = "" if live["usageSource"] == buffer["usageSource"] else live["usageSource"]
    note = buffer["note"] or ""
    if live["note"] != buffer["note"] and live["note"] != "stream-not-read":
        note = f"{note}; live: {live['note']}" if note else f"live: {live['note']}"
    cells = (
        f"`{name}`",
        _cell(about),
        str(buffer["statusCode"]),
        buffer["usageSource"],
        known,
        difference,
        _cell(note),
        fate,
    )
    return re.sub(r" +", " ", f"| {' | '.join(cells)} |")


def articles(known: Mapping[str, Situation]) -> list[str]:
    """Write a row per kind of case: what the articles' form does to such calls, behind its condition and without it."""
    behind = _fates(known, "off")
    passed = {name: situation for name, situation in known.items() if behind[name] == SILENT}
    without = {**behind, **_fates(passed, "on")}
    kinds = {name: name.partition("-")[0] for name in known}
    head = ["broken", "passed, not recorded", "recorded"]
    rows = [
        f"| cases | calls | {' | '.join(head)} | broken, were it not for the condition |",
        "|---|---|---|---|---|---|",
    ]
    for kind in [*dict.fromkeys(kinds.values()), None]:
        names = [name for name in known if kind in (None, kinds[name])]
        numbers = [[behind[name] for name in names].count(fate) for fate in FATES]
        more = [without[name] for name in names].count(BROKEN)
        label = f"`{kind}…`" if kind else "all"
        rows.append(f"| {label} | {len(names)} | {' | '.join(map(str, numbers))} | {more} |")
    return rows


BROKEN, SILENT, RECORDED = FATES = ("broken", "silent", "recorded")


def _fates(known: Mapping[str, Situation], every_status: str) -> dict[str, str]:
    with Gateway(HERE / "articles.xml", None, {"every-status": every_status}) as gateway:
        return {name: _fate(gateway.run(situation["case"])) for name, situation in known.items()}


def _fate(result: Result) -> str:
    return BROKEN if result.thrown else RECORDED if result.records else SILENT


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def main() -> None:
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(with_tables(page), encoding="utf-8")


if __name__ == "__main__":
    main()
