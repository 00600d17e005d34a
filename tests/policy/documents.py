"""A policy and the fragments that it includes, read, filled in and checked against the reference."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.policy.extraction import Expression, extract
from tests.policy.reference import SECTIONS, faults
from tests.policy.refusal import PolicyRefusedError
from tests.policy.structure import Element, parse

ROOT = Path(__file__).parents[2]

_NAMED_VALUE = re.compile(r"\{\{\s*([A-Za-z0-9._-]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Document:
    fragment: str
    """Its id; nothing for the policy itself."""
    file: str
    structure: str
    expressions: tuple[Expression, ...]
    root: Element


def load(policy: Path, fragments: Path | None, named: Mapping[str, str]) -> list[Document]:
    """Read the policy, and from the folder `fragments` those it includes; all that is wrong is raised at once."""
    documents = [_read("", policy, named, 0)]
    faulty = list(_policy_faults(documents[0].root))
    for inclusion, section in _inclusions(documents[0].root):
        fragment = inclusion.attributes.get("fragment-id", "")
        file = fragments / f"{fragment}.xml" if fragments else None
        if file is None or not file.is_file():
            faulty.append(inclusion.refused(f"there is no fragment {fragment} in {fragments or 'no folder'}"))
            continue
        known = {document.fragment: document for document in documents}
        if fragment not in known:
            first_number = sum(len(document.expressions) for document in documents)
            known[fragment] = _read(fragment, file, named, first_number)
            documents.append(known[fragment])
        faulty += _fragment_faults(known[fragment].root, section)
    if faulty:
        raise PolicyRefusedError(list(dict.fromkeys(faulty)))
    return documents


def _read(fragment: str, path: Path, named: Mapping[str, str], first_number: int) -> Document:
    file = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    text = _filled_in(path.read_text(encoding="utf-8-sig"), file, named)
    extracted = extract(text, file, first_number)
    return Document(fragment, file, extracted.structure, extracted.expressions, parse(extracted.structure, file))


def _filled_in(text: str, file: str, named: Mapping[str, str]) -> str:
    missing = [
        f"{file}:{text.count(chr(10), 0, found.start()) + 1}: there is no named value {found[1]}"
        for found in _NAMED_VALUE.finditer(text)
        if found[1] not in named
    ]
    if missing:
        raise PolicyRefusedError(missing)
    return _NAMED_VALUE.sub(lambda found: named[found[1]], text)


def _policy_faults(root: Element) -> Iterator[str]:
    if root.name != "policies":
        yield root.refused(f"a policy is a document of policies, not of {root.name}")
        return
    seen = set()
    for section in root.children:
        if section.name not in SECTIONS:
            yield section.refused(f"{section.name} is no section")
            continue
        if section.name in seen:
            yield section.refused(f"{section.name} stands there twice")
        seen.add(section.name)
        yield from faults(section.children, section.name)


def _fragment_faults(root: Element, section: str) -> Iterator[str]:
    if root.name != "fragment":
        yield root.refused(f"a fragment is a document of fragment, not of {root.name}")
        return
    yield from faults(root.children, section, in_fragment=True)


def _inclusions(root: Element) -> Iterator[tuple[Element, str]]:
    """Yield each include-fragment of a policy with the section that it stands in."""
    for section in root.children:
        waiting = list(section.children)
        while waiting:
            element = waiting.pop()
            waiting += element.children
            if element.name == "include-fragment":
                yield element, section.name
