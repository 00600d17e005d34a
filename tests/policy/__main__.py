"""`python -m tests.policy CASES.json`: runs a file of cases through a policy; one JSON line per case."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.policy.gateway import Gateway, GatewayEndedError
from tests.policy.refusal import PolicyRefusedError
from tests.policy.result import Result

POLICIES = Path("infra") / "policies"
STREAM_MODE = "chargeback-stream-mode"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases; say on stderr, and with the exit code 1, why a policy or a case cannot be run."""
    options = _options().parse_args(arguments)
    try:
        with Gateway(options.policy, options.fragments or options.policy.parent, _named(options)) as gateway:
            for case in _cases(options.cases):
                sys.stdout.write(json.dumps(report(gateway.run(case)), ensure_ascii=False) + "\n")
    except (PolicyRefusedError, GatewayEndedError, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def report(result: Result) -> dict[str, Any]:
    """Return a result under the names of JSON; `thrown` is null or one text."""
    values = {_camel(name): value for name, value in dataclasses.asdict(result).items()}
    values["thrown"] = "; ".join(result.thrown) or None
    values["clientBody"] = result.client_body.decode(errors="replace")
    return values


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.policy", description=__doc__)
    parser.add_argument("cases", type=Path, help="a JSON list of cases, or one case a line")
    parser.add_argument("--policy", type=Path, default=POLICIES / "api.xml")
    parser.add_argument("--fragments", type=Path, help="the folder of <fragment id>.xml; without it, the policy's own")
    parser.add_argument("--stream-mode", choices=("buffer", "buffer-anthropic", "live"))
    parser.add_argument("--named", action="append", default=[], metavar="NAME=VALUE", help="a named value")
    return parser


def _named(options: argparse.Namespace) -> Mapping[str, str]:
    file = options.policy.parent / "named-values.json"
    named = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    for pair in options.named:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ValueError(f"--named takes NAME=VALUE, not {pair}")
        named[name] = value
    if options.stream_mode:
        named[STREAM_MODE] = options.stream_mode
    return {name: str(value) for name, value in named.items()}


def _cases(file: Path) -> list[dict[str, Any]]:
    text = file.read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return list(json.loads(text))
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


if __name__ == "__main__":
    sys.exit(main())
