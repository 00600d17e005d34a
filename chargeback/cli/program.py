"""How this program was started, for texts that tell what to type next, and how it speaks aside."""

from __future__ import annotations

import shlex
import shutil
import sys
from pathlib import Path

NAME = "chargeback"
_MODULE = Path(__file__).resolve().parents[1] / "__main__.py"


def command() -> str:
    """Return what to type in the current folder to start the program as it was started."""
    started = Path(sys.argv[0])
    if started.resolve() == _MODULE:
        return f"{_typed(Path(sys.executable))} -m {NAME}"
    # Anything else than the installed script has called us as a library, and knows our name at most.
    return _typed(started) if started.stem == NAME else NAME


def shown(path: Path) -> str:
    """Return a path as it is typed in the current folder: relative where it lies below, and whole elsewhere."""
    whole, here = path.absolute(), Path.cwd()
    return shlex.quote(str(whole.relative_to(here) if whole.is_relative_to(here) else whole))


def say(sentence: str) -> None:
    """Say something aside, on stderr, in the program's name."""
    print(f"{NAME}: {sentence}", file=sys.stderr, flush=True)


def _typed(program: Path) -> str:
    """Return the name alone if that finds the very same file, else where it is."""
    found = shutil.which(program.name)
    return program.name if found and Path(found).absolute() == program.absolute() else shown(program)
