"""XML as couriers push it, by the standard library's expat, with everything refused that makes XML dangerous.

No document type, so no entities of its own and no files from elsewhere; a bounded depth. The encoding is the caller's: what
arrives in a form is text already, whatever the XML declaration says.
"""

import re
from dataclasses import dataclass, field
from typing import Final, NoReturn
from xml.parsers import expat

DEEPEST: Final = 16


class NotPlain(ValueError):
    """Not XML, or more of it than a courier has to send."""


@dataclass
class Element:
    """An element: its attributes, and the text of each child that holds text only. `data` are its own bytes."""

    name: str
    data: bytes
    fields: dict[str, str] = field(default_factory=dict)


def elements(data: bytes, name: str, encoding: str = "utf-8") -> list[Element]:
    """Every outermost element of this name, in order; attributes and children's texts are its fields. Raises NotPlain."""
    walk = _Walk(data, name, encoding)
    try:
        walk.parser.Parse(data, True)  # noqa: FBT003 -- expat takes no names: this is all of it
    except expat.ExpatError as error:
        raise NotPlain(f"no XML: {error}") from None
    return walk.found


class _Walk:
    """The handlers of one parse."""

    def __init__(self, data: bytes, name: str, encoding: str) -> None:
        self.data, self.name = data, name
        self.found: list[Element] = []
        self.path: list[str] = []
        self.inside: int | None = None  # depth of the wanted element
        self.start = 0
        self.text: list[str] = []
        self.closing = re.compile(rb"</" + re.escape(name.encode()) + rb"\s*>")
        self.parser = expat.ParserCreate(encoding)
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self.open
        self.parser.EndElementHandler = self.close
        self.parser.CharacterDataHandler = self.text.append
        self.parser.StartDoctypeDeclHandler = self.refuse

    def refuse(self, *_: object) -> NoReturn:
        raise NotPlain("a document type is not taken")

    def open(self, name: str, attributes: dict[str, str]) -> None:
        self.path.append(name)
        self.text.clear()
        if len(self.path) > DEEPEST:
            raise NotPlain(f"more than {DEEPEST} levels")
        if self.inside is None and name == self.name:
            self.inside, self.start = len(self.path), self.parser.CurrentByteIndex
            self.found.append(Element(name, b"", dict(attributes)))

    def close(self, name: str) -> None:
        depth = len(self.path)
        self.path.pop()
        if self.inside is not None and depth == self.inside + 1:
            self.found[-1].fields.setdefault(name, "".join(self.text).strip())
        if depth == self.inside:
            end = self.parser.CurrentByteIndex  # where its closing tag begins, or, of <a/>, where it is over
            tag = self.closing.match(self.data, end)
            self.found[-1].data, self.inside = self.data[self.start : tag.end() if tag else end], None
        self.text.clear()
