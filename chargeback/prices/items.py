"""The answer of the Azure Retail Prices API: a page of items, each one meter's price in one region."""

from __future__ import annotations

import json
from decimal import Decimal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from chargeback.errors import PriceError


class RetailPrice(BaseModel):
    """One item of the answer: a meter's price in one region from one day on."""

    model_config = ConfigDict(alias_generator=to_camel, extra="ignore", frozen=True)

    meter_name: str
    product_name: str
    unit_of_measure: str
    retail_price: Decimal = Field(ge=0, allow_inf_nan=False)
    currency_code: str
    arm_region_name: str | None = ""
    effective_start_date: AwareDatetime
    meter_id: str = ""
    type: str
    tier_minimum_units: Decimal = Decimal(0)


class Page(BaseModel):
    """One page of the answer."""

    model_config = ConfigDict(extra="ignore")

    items: list[RetailPrice] = Field(alias="Items")
    """`Count` beside them is this page's, not the answer's: it says nothing new."""
    next_page_link: str | None = Field(alias="NextPageLink", default=None)
    """Null or empty on the last page."""


def read_page(text: bytes, place: str) -> Page:
    """Read one answer; `place` is who gave it, for messages.

    Raises:
        PriceError: it is no page of prices.
    """
    try:
        # Prices as they are written: a price is never a binary fraction.
        return Page.model_validate(json.loads(text, parse_float=Decimal))
    except ValidationError as error:
        found = error.errors()[0]
        why = f"at {'.'.join(map(str, found['loc'])) or 'its top'}, {found['msg']}"
    except (ValueError, RecursionError):
        why = "it is no JSON"
    raise PriceError(f"the answer of {place} is no price list ({why}): check the address, and try again later")
