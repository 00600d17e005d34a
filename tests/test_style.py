"""House style that no linter checks: sizes, names, and exceptions that say why."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

LONGEST_MODULE = 200
LONGEST_FUNCTION = 40
EMPTY_WORDS = frozenset({"util", "utils", "helper", "helpers", "manager", "common", "misc"})

_EXCEPTION = re.compile(r"#\s*(?:noqa\b|type:\s*ignore|fmt:\s*(?:off|skip))")
_NAMED = r"(?:noqa:\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|type:\s*ignore\[[a-z-]+(?:,\s*[a-z-]+)*\]|fmt:\s*(?:off|skip))"
_REASONED = re.compile(rf"#\s*{_NAMED}\s+[(#].{{5,}}")


def shipped(root: Path) -> list[Path]:
    return [root / "function_app.py", *sorted((root / "chargeback").rglob("*.py"))]


def everything(root: Path) -> list[Path]:
    return [*shipped(root), *sorted((root / "tests").rglob("*.py"))]


def long_modules(root: Path) -> list[str]:
    """Return the modules of the deployed code that are above 200 lines."""
    counted = ((file, len(file.read_text(encoding="utf-8").splitlines())) for file in shipped(root))
    return [f"{file.relative_to(root)}: {lines} lines" for file, lines in counted if lines > LONGEST_MODULE]


def long_functions(root: Path) -> list[str]:
    """Return the functions above 40 lines, from the first decorator to the last line, docstring included."""
    return [
        f"{file.relative_to(root)}: {name} has {lines} lines"
        for file in shipped(root)
        for name, lines in _functions(ast.parse(file.read_text(encoding="utf-8")))
        if lines > LONGEST_FUNCTION
    ]


def _functions(tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            yield node.name, (node.end_lineno or node.lineno) - first + 1


def empty_names(root: Path) -> list[str]:
    """Return the modules and folders whose names say nothing of what is in them."""
    return [
        str(file.relative_to(root))
        for file in everything(root)
        for part in file.relative_to(root).with_suffix("").parts
        if EMPTY_WORDS & set(part.lower().split("_"))
    ]


def bare_exceptions(root: Path) -> list[str]:
    """Return every exception from a linter's rule that does not name the rule, or does not say why it is made.

    The form is `# noqa: CODE  (why)`, or `# noqa: CODE  # why`.
    """
    return [
        f"{file.relative_to(root)}:{number}"
        for file in everything(root)
        for number, comment in _comments(file)
        if _EXCEPTION.search(comment) and not _REASONED.search(comment)
    ]


def _comments(file: Path) -> Iterator[tuple[int, str]]:
    with file.open("rb") as source:
        for token in tokenize.tokenize(source.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


RULES = [long_modules, long_functions, empty_names, bare_exceptions]


@pytest.mark.parametrize("rule", RULES)
def test_the_project_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    assert rule(ROOT) == []


def function(lines: int) -> str:
    """Write a function of that many lines: one for its name, the rest below."""
    return "def f():\n" + "    pass\n" * (lines - 1)


@pytest.mark.parametrize(
    ("rule", "file", "text", "finding"),
    [
        (long_modules, "chargeback/shapes/flat.py", "\n" * 201, "chargeback/shapes/flat.py: 201 lines"),
        (long_modules, "function_app.py", "#\n" * 201, "function_app.py: 201 lines"),
        (long_functions, "chargeback/events.py", function(41), "chargeback/events.py: f has 41 lines"),
        (long_functions, "chargeback/events.py", "@a\n" + function(40), "chargeback/events.py: f has 41 lines"),
        (long_functions, "function_app.py", "async " + function(41), "function_app.py: f has 41 lines"),
        (empty_names, "chargeback/shapes/utils.py", "", "chargeback/shapes/utils.py"),
        (empty_names, "chargeback/common/keys.py", "", "chargeback/common/keys.py"),
        (empty_names, "tests/kql_helpers.py", "", "tests/kql_helpers.py"),
        (bare_exceptions, "chargeback/keys.py", "x = 1  # noqa", "chargeback/keys.py:1"),
        (bare_exceptions, "chargeback/keys.py", "x = 1  # noqa: S105", "chargeback/keys.py:1"),
        (bare_exceptions, "tests/test_keys.py", "x = 1  # type: ignore[arg-type]", "tests/test_keys.py:1"),
    ],
)  # fmt: skip  (one violation per line is a table)
def test_a_planted_violation_is_found(
    tmp_path: Path, rule: Callable[[Path], list[str]], file: str, text: str, finding: str
) -> None:
    _write(tmp_path / "function_app.py", "")
    _write(tmp_path / file, text)
    assert rule(tmp_path) == [finding]


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        (long_modules, "\n" * 200),
        (long_functions, function(40)),
        (bare_exceptions, "x = 1  # noqa: S105  (made up)"),
        (bare_exceptions, "x = 1  # type: ignore[arg-type]  # as the library has it"),
    ],
)
def test_what_keeps_the_rule_is_not_found(tmp_path: Path, rule: Callable[[Path], list[str]], text: str) -> None:
    _write(tmp_path / "function_app.py", text)
    assert rule(tmp_path) == []


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
