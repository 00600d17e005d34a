"""`python -m tests.infra.bicep FILE ...`: check Bicep files; the exit status is 1 if there is an error."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.infra.bicep.checker import check


def main(arguments: list[str]) -> int:
    """Print the findings and their number; a file that is not there is said to be missing."""
    paths = [Path(argument) for argument in arguments]
    missing = [path for path in paths if not path.is_file()]
    if missing or not paths:
        _say(f"usage: python -m tests.infra.bicep FILE.bicep ...; not there: {', '.join(map(str, missing)) or 'none'}")
        return 2
    findings = check(paths)
    for finding in findings:
        _say(str(finding))
    errors = sum(finding.severity == "error" for finding in findings)
    _say(f"{len(paths)} files, {errors} errors, {len(findings) - errors} warnings")
    return 1 if errors else 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
