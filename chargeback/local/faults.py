"""Faults that tests switch on: how the endpoint misbehaves, for how long, and what it keeps all the same."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import orjson
from pydantic import ConfigDict, TypeAdapter

Kind: TypeAlias = Literal[
    "status",
    "refuse_items",
    "short_count",
    "empty_answer",
    "html",
    "redirect",
    "reset",
    "hang",
]


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule. Rules stand in a row; the first that is not used up decides."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    kind: Kind
    """`status`: answers with `status`. `refuse_items`: refuses a share of the items, and the same ones while the rule
    lasts. `short_count`: drops a share of the items and counts the rest, without a word about them. `empty_answer`: 200
    and `{}`. `html`: 200 and a page, as a proxy would. `redirect`: to `location`. `reset`: a TCP reset instead of an
    answer. `hang`: nothing for `seconds`, then a reset."""
    times: int | None = None
    """How many requests it spoils; for ever without."""
    every: int = 1
    """Spoils every n-th request only, counted from the first that this rule sees."""
    only: str | None = None
    """Sees only requests with an item of this base type, such as `EventData`: who tests events wants to spoil events,
    and not what the program says of itself on the side, whenever that comes."""
    status: int | None = None
    """Of the answer; without, 500 (`status`) or 308 (`redirect`)."""
    retry_after: int | str | None = None
    """A `Retry-After` header, in seconds or as a date."""
    item_status: int = 500
    """Of each refused item (`refuse_items`)."""
    message: str = "Internal Server Error"
    """Of each refused item."""
    share: float = 1.0
    """Of the items, spread evenly, at least one (`refuse_items`, `short_count`)."""
    stored: Literal["none", "all", "half"] = "none"
    """What is kept although the request fails: a lost acknowledgement. Not for `refuse_items` and `short_count`, which
    keep what they do not refuse."""
    seconds: float = 3600.0
    """How long it hangs."""
    location: str | None = None


FAULTS = TypeAdapter(list[Fault])
"""Reads faults from JSON."""


class Faults:
    """The faults that are switched on; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: deque[_Rule] = deque()

    def switch_on(self, *faults: Fault) -> None:
        """Replace all faults by these."""
        with self._lock:
            self._rules = deque(map(_Rule, faults))

    def switch_off(self) -> None:
        """Go back to normal."""
        self.switch_on()

    def take(self, items: Sequence[object]) -> tuple[Fault, set[int]] | None:
        """Return the fault that spoils a request with these items, and the places of the items it hits."""
        with self._lock:
            while self._rules and self._rules[0].used_up:
                self._rules.popleft()
            return self._rules[0].take(items) if self._rules else None


class _Rule:
    """A fault, and how far it is used up."""

    def __init__(self, fault: Fault) -> None:
        self._fault = fault
        self._seen = 0
        self._used = 0
        self._fate: dict[bytes, bool] = {}

    @property
    def used_up(self) -> bool:
        return self._fault.times is not None and self._used >= self._fault.times

    def take(self, items: Sequence[object]) -> tuple[Fault, set[int]] | None:
        if self._fault.only not in (None, *map(_base_type, items)):
            return None
        self._seen += 1
        if self._seen % self._fault.every:
            return None
        self._used += 1
        if self._fault.kind == "refuse_items":
            return self._fault, self._refused(items)
        return self._fault, spread(len(items), self._fault.share)

    def _refused(self, items: Sequence[object]) -> set[int]:
        """Decide about items that are new; those sent again keep their fate, or sending again would cure them."""
        names = [orjson.dumps(item) for item in items]
        new = list(dict.fromkeys(name for name in names if name not in self._fate))
        hit = spread(len(new), self._fault.share)
        self._fate.update((name, index in hit) for index, name in enumerate(new))
        return {index for index, name in enumerate(names) if self._fate[name]}


def _base_type(item: object) -> object:
    data = item.get("data") if isinstance(item, Mapping) else None
    return data.get("baseType") if isinstance(data, Mapping) else None


def spread(count: int, share: float) -> set[int]:
    """Return the places of a share of `count` items, spread evenly, at least one."""
    chosen = min(count, max(1, round(count * share)))
    return {index * count // chosen for index in range(chosen)} if chosen else set()
