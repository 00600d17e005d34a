"""A document's elements with their lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from tests.policy.refusal import PolicyRefusedError


@dataclass(slots=True)
class Element:
    file: str
    line: int
    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def refused(self, why: str) -> str:
        """Say what is wrong with this element, and where it stands."""
        return f"{self.file}:{self.line}: {why}"


def parse(xml: str, file: str) -> Element:
    """Read a document whose expressions are out of it; `PolicyRefusedError` if it is not well formed."""
    top = Element(file, 0, "", {})
    path = [top]
    parser = expat.ParserCreate()
    parser.buffer_text = True

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(file, parser.CurrentLineNumber, name, attributes)
        path[-1].children.append(element)
        path.append(element)

    def text(piece: str) -> None:
        path[-1].text += piece

    parser.StartElementHandler = start
    parser.EndElementHandler = lambda _: path.pop() and None
    parser.CharacterDataHandler = text
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise PolicyRefusedError(
            [f"{file}:{error.lineno}: not well formed: {expat.ErrorString(error.code)}"]
        ) from error
    return top.children[0]
