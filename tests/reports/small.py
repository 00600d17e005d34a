"""A statement small enough to be worked out by hand, and its sums.

    Retail   retail-web      gpt-4o        prompt     1,000,000 x 2.50 / 2.00 / 1.80 = 2.50     2.00     1.80
                                           completion   333,333 x 10 / 8 / 8         = 3.33333  2.666664 2.666664
    Retail   retail-mobile   gpt-4.1-mini  prompt        12,345 x 0.40               = 0.004938 (all three)
    Finance  finance-audit   gpt-4o        prompt         2,000 x 2.50               = 0.005    (all three)
    nobody   key-1           gpt-4o        prompt         6,000 x 2.50               = 0.015    (all three)

                         list                  contract              charged
    Retail               5.838268 -> 5.84      4.671602 -> 4.67      4.471602 -> 4.47
    Finance              0.005    -> 0.00      (half-even)
    nobody               0.015    -> 0.02      (half-even)
    together             5.86                  4.69                  4.49

Retail by model, rounded down and what remains, in cents:

    list      gpt-4o 583 + .333    gpt-4.1-mini 0 + .4938   one cent left: gpt-4.1-mini   5.83 0.01
    contract  gpt-4o 466 + .6664   gpt-4.1-mini 0 + .4938   one cent left: gpt-4o         4.67 0.00
    charged   gpt-4o 446 + .6664   gpt-4.1-mini 0 + .4938   one cent left: gpt-4o         4.47 0.00

so gpt-4o of all: list 5.83 + 0.00 + 0.02 = 5.85, contract 4.69, charged 4.49.
"""

from __future__ import annotations

from datetime import date

from chargeback.reports.statement import Excluded, Statement
from tests.reports.made_up import line, part, statement


def small() -> Statement:
    """The statement above, with 6 calls of owners, 4 of nobody, and 3 in no line."""
    return statement(
        line(part("prompt", 1_000_000, "2.50", "2.00", "1.80"), part("completion", 333_333, "10", "8"), calls=3),
        line(
            part("prompt", 12_345, "0.40"),
            day=date(2026, 10, 2),
            calls=2,
            consumer_id="retail-mobile",
            consumer_name="Retail mobile app",
            model="gpt-4.1-mini",
            deployment="mini-east",
        ),
        line(
            part("prompt", 2_000, "2.50"),
            business_unit="Finance",
            consumer_id="finance-audit",
            consumer_name="Audit assistant",
        ),
        line(
            part("prompt", 6_000, "2.50"),
            business_unit="",
            cost_center="",
            consumer_id="key-1",
            consumer_name="",
            calls=4,
        ),
        excluded=(Excluded("not-billed", "status 429", 1), Excluded("unpriced", "grok-4 has no price", 2)),
    )
