"""The .NET types and members that compiled expressions use, against the list of those allowed.

Read from the assembly, so nothing hides in a name; API Management itself looks at the source. What the compiler adds of
its own (delegates of lambdas, iterators) is in the assembly too and is let through here, so a few names are looked for
in the source as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import dnfile

from tests.policy.csharp_code import without_literals
from tests.policy.extraction import Expression

LIST = Path(__file__).with_name("allowed_types.txt")
CONTEXT = "Context"
"""The assembly with the types of `context`: all of those are allowed."""

# What a lambda, foreach, a query, an initialised array or an anonymous type becomes.
COMPILER = frozenset(
    {
        *("System.Object", "System.ValueType", "System.Enum", "System.Void", "System.RuntimeFieldHandle"),
        *("System.Func", "System.Action", "System.Predicate", "System.Comparison", "System.IDisposable"),
        *("System.Collections.IEnumerator", "System.Collections.IEnumerable"),
        *("System.Collections.Generic.EqualityComparer", "System.NotSupportedException", "System.ParamArrayAttribute"),
        *("System.Diagnostics.DebuggerHiddenAttribute", "System.Diagnostics.DebuggerBrowsableAttribute"),
        *("System.Diagnostics.DebuggerBrowsableState", "System.Diagnostics.DebuggerDisplayAttribute"),
        "System.Runtime.CompilerServices.CompilerGeneratedAttribute",
        "System.Runtime.CompilerServices.RuntimeCompatibilityAttribute",
        "System.Runtime.CompilerServices.RuntimeHelpers",
    }
)
# Parameters and results of members that are allowed; nothing of their own may be called.
IN_SIGNATURES = frozenset(
    {
        *("Newtonsoft.Json.JsonConverter", "System.IFormatProvider", "System.Text.RegularExpressions.MatchCollection"),
        *("System.Linq.IOrderedEnumerable", "System.Linq.IGrouping", "System.Linq.ILookup"),
        *("System.Collections.Generic.IEqualityComparer", "System.Collections.Generic.IComparer"),
    }
)
# Let through above for the compiler's sake; a policy that writes them is refused by API Management.
IN_SOURCE = re.compile(
    r"\b(?:Func|Action|Predicate|Comparison|IDisposable|EqualityComparer|RuntimeHelpers|NotSupportedException)\b"
)

_GENERIC_INSTANCE, _CLASS_OR_VALUE = 0x15, (0x11, 0x12)


@dataclass(frozen=True, slots=True)
class Members:
    names: frozenset[str]
    excluded: bool
    """The names are the only ones that are not allowed."""

    def allow(self, name: str) -> bool:
        """Say whether the member is allowed. Operators are no names: where the type is allowed, so are they."""
        if name.startswith("op_"):
            return True
        plain = re.sub(r"^[gs]et_", "", name)
        return (plain in self.names) != self.excluded


def read_list(text: str) -> Mapping[str, Members]:
    """Read lines of `type|members`; `All`, `All, except of: X`, or their names."""
    allowed = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            name, _, members = line.partition("|")
            everything = members.startswith("All")
            names = members.partition(":")[2] if everything else members.replace("(Constructor)", ".ctor")
            allowed[name] = Members(frozenset(filter(None, re.split(r",\s*", names.strip()))), everything)
    return allowed


def forbidden(assembly: Path, expressions: Sequence[Expression]) -> list[str]:
    """Return what the expressions use and must not: one line each, with the places that seem to use it."""
    used = sorted(set(_forbidden(assembly, read_list(LIST.read_text(encoding="utf-8")))))
    return [_located(name, kind, expressions) for kind, name in used] + list(_in_source(expressions))


def _forbidden(assembly: Path, allowed: Mapping[str, Members]) -> Iterator[tuple[str, str]]:
    tables = _tables(assembly)
    called = [
        (_full_name(owner), str(member.Name)) for member in tables.MemberRef or () if (owner := _owner(member, tables))
    ]
    owners = {owner for owner, _ in called}
    for row in tables.TypeRef or ():
        name = _full_name(row)
        if not (_ours(row) or name in allowed or name in COMPILER or (name in IN_SIGNATURES and name not in owners)):
            yield "type", name
    for owner, member in called:
        if owner in allowed and not allowed[owner].allow(member):
            yield "member", f"{owner}.{member}"


def _tables(assembly: Path) -> Any:
    """Return the assembly's metadata. `Any`, as below: dnfile has no types for what is in a column's row."""
    image: Any = dnfile
    return image.dnPE(str(assembly)).net.mdtables


def _owner(member: Any, tables: Any) -> Any:
    """Return the TypeRef row of the type that a member belongs to; `None` where that is ours or an array."""
    row: Any = member.Class.row
    if _is(row, dnfile.mdtable.TypeSpecRow):
        row = _generic_type(bytes(row.Signature.value), tables)
    return row if _is(row, dnfile.mdtable.TypeRefRow) and not _ours(row) else None


def _is(row: Any, kind: type) -> bool:
    return isinstance(row, kind)


def _generic_type(signature: bytes, tables: Any) -> Any:
    """Return the row of the generic type in a signature (ECMA-335 II.23.2.14); `None` for arrays and the like."""
    if len(signature) < 3 or signature[0] != _GENERIC_INSTANCE or signature[1] not in _CLASS_OR_VALUE:
        return None
    coded, more = signature[2], signature[3:]
    if coded & 0x80:
        coded = (coded & 0x3F) << 8 | more[0]
    kind, number = coded & 3, coded >> 2
    return tables.TypeRef.rows[number - 1] if kind == 1 else None


def _full_name(row: Any) -> str:
    scope = row.ResolutionScope.row if row.ResolutionScope else None
    name = str(row.TypeName).partition("`")[0]
    if isinstance(scope, dnfile.mdtable.TypeRefRow):
        outer = _full_name(scope)
        # List<T>.Enumerator goes with List<T>; TimeZoneInfo.AdjustmentRule is on the list by its own name.
        return outer if name in ("Enumerator", "KeyCollection", "ValueCollection") else f"{outer}.{name}"
    return f"{row.TypeNamespace}.{name}" if str(row.TypeNamespace) else name


def _ours(row: Any) -> bool:
    scope = row.ResolutionScope.row if row.ResolutionScope else None
    return isinstance(scope, dnfile.mdtable.AssemblyRefRow) and str(scope.Name) == CONTEXT


def _located(name: str, kind: str, expressions: Sequence[Expression]) -> str:
    simple = re.sub(r"^[gs]et_", "", name.rpartition(".")[2])
    word = re.compile(rf"\b{re.escape(simple)}\b")
    places = [place for expression in expressions for place in _places(expression, word)]
    where = ", ".join(dict.fromkeys(places)) or ", ".join(dict.fromkeys(expression.file for expression in expressions))
    return f"{where}: the {kind} {name} is not allowed in expressions"


def _in_source(expressions: Sequence[Expression]) -> Iterator[str]:
    for expression in expressions:
        for place in dict.fromkeys(_places(expression, IN_SOURCE)):
            name = IN_SOURCE.search(without_literals(expression.code))
            yield f"{place}: the type {name[0] if name else ''} is not allowed in expressions"


def _places(expression: Expression, word: re.Pattern[str]) -> Iterator[str]:
    code = without_literals(expression.code)
    for found in word.finditer(code):
        yield f"{expression.file}:{expression.line + code.count(chr(10), 0, found.start())}"
