"""The body of a resource against the published type of its API version."""

from __future__ import annotations

import re
from difflib import get_close_matches

from tests.infra.bicep.declarations import BicepFile, Resource, near
from tests.infra.bicep.expressions import Array, Choice, Constant, Entry, Expression, Loop, Object
from tests.infra.bicep.kinds import kind_of, texts_of, written_out
from tests.infra.bicep.type_data import READ_ONLY, REQUIRED, ResourceType, Type

OF_THE_LANGUAGE = frozenset({"parent", "scope", "dependsOn"})
LOGGER_CREDENTIALS = frozenset(
    {"name", "connectionString", "endpointAddress", "identityClientId", "instrumentationKey"}
)
"""Keys of a logger's credentials, which its type leaves open (learn.microsoft.com: Logger, Create Or Update)."""


class Body:
    """Holds the values of one resource against its type."""

    def __init__(self, file: BicepFile, known: ResourceType) -> None:
        self._file = file
        self._known = known

    def resource(self, name: str, resource: Resource, body: Object) -> None:
        own = Object(body.line, tuple(entry for entry in body.entries if entry.key.literal not in OF_THE_LANGUAGE))
        if resource.existing:
            if body.get("name") is None:
                self._file.error(body.line, f"{name}: 'name' is required")
            for entry in own.entries:
                if entry.key.literal != "name":
                    self._file.error(entry.line, f"{name}.{entry.key.literal}: an existing resource has its name only")
            return
        self._object(own, self._known.body, name)

    def planned(self, name: str, body: Object) -> None:
        """Hold a whole body, evaluated and without what is of the language."""
        self._object(body, self._known.body, name)

    def _object(self, value: Object, kind: Type, where: str) -> None:
        kind = self._discriminated(value, kind, where)
        if kind["$type"] != "ObjectType":
            return
        known, seen, open_keys = kind["properties"], set[str](), False
        for entry in value.entries:
            key = entry.key.literal
            if key is None:
                open_keys = True
                continue
            if key in seen:
                self._file.error(entry.line, f"{where}.{key} stands twice")
            seen.add(key)
            self._entry(entry, key, kind, where)
        for key, of in known.items():
            if of["flags"] & REQUIRED and not of["flags"] & READ_ONLY and key not in seen and not open_keys:
                self._file.error(value.line, f"{where}: '{key}' is required")

    def _entry(self, entry: Entry, key: str, kind: Type, where: str) -> None:
        known, here = kind["properties"], f"{where}.{key}"
        if key in known:
            if known[key]["flags"] & READ_ONLY and not known[key]["flags"] & REQUIRED:
                self._file.error(entry.line, f"{here} is read-only")
                return
            self._value(entry.value, known[key]["type"], here)
            return
        same = next((name for name in known if name.lower() == key.lower()), None)
        if same:
            self._file.error(entry.line, f"{here}: write '{same}'")
        elif kind.get("name") == "LoggerContractPropertiesCredentials" and key not in LOGGER_CREDENTIALS:
            self._file.error(entry.line, f"{here}: there is no such key{near(key, LOGGER_CREDENTIALS)}")
        elif kind.get("additionalProperties"):
            self._value(entry.value, kind["additionalProperties"], here)
        else:
            writable = [name for name in known if not known[name]["flags"] & READ_ONLY]
            self._file.error(entry.line, f"{here}: there is no such property{near(key, writable)}")

    def _discriminated(self, value: Object, kind: Type, where: str) -> Type:
        """Return the one type of several that an object says it is of."""
        if kind["$type"] != "DiscriminatedObjectType":
            return kind
        by, elements = kind["discriminator"], kind["elements"]
        said = value.get(by)
        if said is None:
            self._file.error(value.line, f"{where}: '{by}' is required")
            return {"$type": "AnyType"}
        texts = texts_of(self._file, said)
        if not texts:
            return {"$type": "AnyType"}
        found = next((elements[name] for name in elements if name.lower() == texts[0].lower()), None)
        if found is None:
            self._file.error(value.line, f"{where}.{by}: '{texts[0]}' is none of {sorted(elements)}")
            return {"$type": "AnyType"}
        chosen = self._known.at(found)
        return {**chosen, "properties": {**kind["baseProperties"], **chosen["properties"]}}

    def _value(self, value: Expression, reference: Type, where: str) -> None:
        kind = self._known.at(reference)
        value = written_out(self._file, value)
        if isinstance(value, Choice):
            self._value(value.yes, kind, where)
            self._value(value.no, kind, where)
            return
        if kind_of(self._file, value) not in ("any", "null"):
            _CHECKS.get(kind["$type"], Body._anything)(self, value, kind, where)

    def _anything(self, value: Expression, kind: Type, where: str) -> None:
        """Everything is right where the type says nothing."""

    def _is(self, wanted: str, value: Expression, where: str) -> bool:
        found = kind_of(self._file, value)
        if found != wanted:
            self._file.error(value.line, f"{where}: is {found}, must be {wanted}")
        return found == wanted

    def _objects(self, value: Expression, kind: Type, where: str) -> None:
        if self._is("object", value, where) and isinstance(value, Object):
            self._object(value, kind, where)

    def _array(self, value: Expression, kind: Type, where: str) -> None:
        if not self._is("array", value, where):
            return
        items = value.items if isinstance(value, Array) else (value.body,) if isinstance(value, Loop) else ()
        for number, item in enumerate(items):
            self._value(item, kind["itemType"], f"{where}[{number}]")

    def _truth(self, value: Expression, _: Type, where: str) -> None:
        self._is("bool", value, where)

    def _number(self, value: Expression, kind: Type, where: str) -> None:
        if not self._is("int", value, where) or not isinstance(value, Constant) or value.value is None:
            return
        low, high = kind.get("minValue"), kind.get("maxValue")
        if (low is not None and value.value < low) or (high is not None and value.value > high):
            self._file.error(value.line, f"{where}: {value.value} is not in {low}..{high}")

    def _text(self, value: Expression, kind: Type, where: str) -> None:
        if not self._is("string", value, where):
            return
        for text in texts_of(self._file, value) or []:
            if not kind.get("minLength", 0) <= len(text) <= kind.get("maxLength", len(text)):
                self._file.error(value.line, f"{where}: '{text[:40]}' has {len(text)} characters: too few or too many")
            if kind.get("pattern") and not re.search(kind["pattern"], text):
                self._file.error(value.line, f"{where}: '{text[:40]}' does not match {kind['pattern']}")

    def _one_of(self, value: Expression, kind: Type, where: str) -> None:
        elements = [self._known.at(element) for element in kind.get("elements", [kind])]
        texts = [str(element["value"]) for element in elements if element["$type"] == "StringLiteralType"]
        others = {element["$type"] for element in elements} - {"StringLiteralType", "NullType"}
        if texts and others <= {"StringType"} and not self._is("string", value, where):
            return
        for text in texts_of(self._file, value) or []:
            if text in texts:
                continue
            if not others:
                self._file.error(value.line, f"{where}: '{text}' is none of {texts}")
            elif meant := get_close_matches(text.lower(), [known.lower() for known in texts], 1, 0.8):
                # The type takes any text there, but names some; one that is nearly like those is a slip.
                self._file.error(value.line, f"{where}: '{text}' is unknown; did you mean '{meant[0]}'?")


_CHECKS = {
    "ObjectType": Body._objects,
    "DiscriminatedObjectType": Body._objects,
    "ArrayType": Body._array,
    "BooleanType": Body._truth,
    "IntegerType": Body._number,
    "StringType": Body._text,
    "StringLiteralType": Body._one_of,
    "UnionType": Body._one_of,
}
