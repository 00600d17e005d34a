"""Compiles expressions and the runner, once per content: what is built is kept in a temporary folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.policy import allowed
from tests.policy.documents import Document
from tests.policy.extraction import Expression
from tests.policy.refusal import PolicyRefusedError

CSHARP = Path(__file__).parent / "csharp"
IN_SCOPE = ("Stubs.cs", "Extensions.cs")
"""What expressions see; the other files are the runner."""
NEWTONSOFT = Path("/usr/lib/cli/Newtonsoft.Json-5.0/Newtonsoft.Json.dll")
REFERENCES = (str(NEWTONSOFT), "System.dll", "System.Core.dll", "System.Xml.dll", "System.Xml.Linq.dll")

_USINGS = """\
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
"""
_FINDING = re.compile(r"^(?P<file>.+?)\((?P<line>\d+)(?:,\d+)?\): error (?P<what>.+)$")
_SECONDS_TO_COMPILE = 120


class CompilerError(Exception):
    """What mcs said, line by line."""


@dataclass(frozen=True, slots=True)
class Built:
    runner: Path
    expressions: Path
    structures: Path
    """A folder: the documents' structures, `0.xml` and so on."""


def build(documents: Sequence[Document]) -> Built:
    """Compile; `PolicyRefusedError` for what does not compile and for types and members that are not allowed."""
    runner = _kept(_contents(CSHARP.glob("*.cs")), _compile_runner)
    expressions = [expression for document in documents for expression in document.expressions]
    source = csharp(expressions)
    rules = _contents([allowed.LIST, Path(allowed.__file__)])
    structures = [document.structure for document in documents]

    def compile_policy(folder: Path) -> None:
        for number, structure in enumerate(structures):
            (folder / f"{number}.xml").write_text(structure, encoding="utf-8")
        (folder / "Expressions.cs").write_text(source, encoding="utf-8")
        _compile_expressions(folder, runner / "Context.dll")
        if found := allowed.forbidden(folder / "Expressions.dll", expressions):
            raise PolicyRefusedError(found)

    folder = _kept([runner.name, *rules, source, *structures], compile_policy)
    return Built(runner / "Runner.exe", folder / "Expressions.dll", folder)


def csharp(expressions: Sequence[Expression]) -> str:
    """Write one method per expression; `#line` makes the compiler speak of the policy's lines."""
    methods = "\n".join(_method(expression) for expression in expressions)
    return f"{_USINGS}\npublic static class PolicyExpressions\n{{\n{methods}\n}}\n"


def _method(expression: Expression) -> str:
    body = expression.code if expression.code.startswith("{") else f"{{ return {expression.code}; }}"
    line = f'#line {expression.line} "{expression.file}"'
    head = f"public static object E{expression.number}(IProxyRequestContext context)"
    return f"{line}\n{head}\n{line}\n{body}\n#line default"


def _compile_runner(folder: Path) -> None:
    context = folder / "Context.dll"
    _mcs(["-target:library", f"-out:{context}", *(str(CSHARP / name) for name in IN_SCOPE)])
    others = sorted(str(file) for file in CSHARP.glob("*.cs") if file.name not in IN_SCOPE)
    _mcs([f"-out:{folder / 'Runner.exe'}", f"-r:{context}", *others])


def _compile_expressions(folder: Path, context: Path) -> None:
    source, out = folder / "Expressions.cs", folder / "Expressions.dll"
    try:
        _mcs(["-target:library", f"-out:{out}", f"-r:{context}", str(source)])
    except CompilerError as error:
        findings = [_FINDING.match(line) for line in str(error).splitlines()]
        reasons = [f"{found['file']}:{found['line']}: {found['what']}" for found in findings if found]
        raise PolicyRefusedError([reason.removeprefix(f"{folder}/") for reason in reasons] or [str(error)]) from error


def _mcs(arguments: Sequence[str]) -> None:
    """Run the compiler. It knows C# up to 7.2; `-langversion:7` is what API Management's expressions are."""
    command = ["mcs", "-langversion:7", "-nologo", *(f"-r:{name}" for name in REFERENCES), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS_TO_COMPILE, check=False)
    if done.returncode:
        raise CompilerError(done.stdout + done.stderr)


def _contents(files: Iterable[Path]) -> list[str]:
    return [file.read_text(encoding="utf-8") for file in sorted(files)]


def _kept(contents: Sequence[str], make: Callable[[Path], None]) -> Path:
    """Return the folder for these contents; `make` fills it if it is not there yet."""
    digest = hashlib.sha256("\0".join(contents).encode()).hexdigest()
    folder = _our_folder() / digest
    if folder.is_dir():
        return folder
    fresh = Path(tempfile.mkdtemp(dir=_our_folder()))
    try:
        make(fresh)
        fresh.rename(folder)
    except OSError:
        # Another test run was faster.
        if not folder.is_dir():
            raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return folder


def _our_folder() -> Path:
    """Return the folder for what is built: this user's own, because its programs are run."""
    folder = Path(tempfile.gettempdir()) / f"chargeback-policy-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to somebody else")
    return folder
