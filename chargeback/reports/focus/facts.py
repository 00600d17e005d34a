"""What FOCUS 1.2 says of its columns, as data: `facts.json`, whose notice names the licence of the specification."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the specification."""

    name: str
    type: str
    """`String`, `Decimal`, `Date/Time` or `JSON`."""
    level: str
    """`Mandatory`, `Conditional` or `Recommended`."""
    nullable: bool
    format: str = ""
    """`currency`, `unit`, or empty."""
    allowed: tuple[str, ...] = ()
    """All values there are; empty where any will do."""
    non_negative: bool = False


_FACTS = json.loads(Path(__file__).with_name("facts.json").read_text(encoding="utf-8"))

VERSION: str = _FACTS["version"]
COLUMNS: tuple[Column, ...] = tuple(
    Column(**{**fact, "allowed": tuple(fact.get("allowed", ()))}) for fact in _FACTS["columns"]
)
"""All 57, in the specification's order."""
SUBCATEGORIES: Mapping[str, frozenset[str]] = MappingProxyType(
    {category: frozenset(values) for category, values in _FACTS["subcategories"].items()}
)
"""ServiceCategory -> its ServiceSubcategories."""
SKU_PRICE_KEYS: frozenset[str] = frozenset(_FACTS["sku_price_keys"])
"""Keys of SkuPriceDetails that the specification defines; any other begins with `x_`."""
