"""Azure's own figures for a month, fetched and held against ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from chargeback.cli.months import month_of, query_of
from chargeback.cli.sources import Source
from chargeback.errors import ChargebackError
from chargeback.reports.answer import Answer, joined
from chargeback.reports.bill import Charge, charges
from chargeback.reports.compose import Period
from chargeback.reports.metered import AccountMetrics, GatewayMetrics
from chargeback.reports.reconcile_month import reconcile
from chargeback.reports.reconciliation import Reconciliation, above_of
from chargeback.reports.statement import Statement

_RECORDED = "tokens-by-deployment-and-day"


@dataclass(frozen=True, slots=True)
class Controls:
    """What was named to hold a month against."""

    accounts: Sequence[str]
    """Resource ids."""
    gateway: str
    """Resource id, or empty."""
    apis: Sequence[str]
    """Of the gateway; all of them where none is named."""
    bill: Sequence[Path]
    management: str
    """Address of Azure's management API; empty for the public cloud."""

    @property
    def any(self) -> bool:
        """Whether there is anything to compare with."""
        return bool(self.accounts or self.gateway or self.bill)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What Azure says of a month; what was not named is empty or `None`."""

    accounts: Sequence[AccountMetrics]
    gateway: GatewayMetrics | None
    bill: Sequence[Charge] | None


def fetch(controls: Controls, month: str) -> Fetched:
    """Return Azure's own figures of a month: they are had sooner than ours, and what is named wrongly is said at once.

    Raises:
        ChargebackError: nothing is named, a bill without an account, or something named cannot be read.
    """
    if not controls.any:
        raise ChargebackError("name what to compare with: --account ID, --apim ID, or --bill FILE with --account ID")
    if controls.bill and not controls.accounts:
        raise ChargebackError("a bill is compared account by account: name the accounts with --account ID")
    if controls.apis and not controls.gateway:
        raise ChargebackError("--api is about a gateway: name it with --apim ID")
    period = month_of(month)
    bill = list(charges(controls.bill, f"{period[0]:%Y-%m}")) if controls.bill else None
    return Fetched(*_metrics(controls, _whole_days(period)), bill)


def compared(
    fetched: Fetched, statement: Statement, source: Source, reference: Path | None, at_least: Decimal
) -> Reconciliation:
    """Return the comparison of a month with what was fetched; `at_least` is the share that is asked for, in per cent.

    Raises:
        ChargebackError: the source does not answer, or the bill is in another currency.
    """
    recorded = _recorded(source, month_of(statement.month), reference)
    found = reconcile(statement, recorded, fetched.accounts, fetched.gateway, fetched.bill)
    return replace(found, above=above_of(found, at_least))


def _recorded(source: Source, period: Period, reference: Path | None) -> Answer:
    def of(part: Period) -> str:
        return query_of(_RECORDED, part, reference)

    if not source.resource:
        return source.answer(of(period), period)
    return joined(source.by_day(of, _whole_days(period), lambda *_: None))


def _metrics(controls: Controls, period: Period) -> tuple[list[AccountMetrics], GatewayMetrics | None]:
    if not (controls.accounts or controls.gateway):
        return [], None
    # Late, because Azure's libraries take longer to load than most commands run.
    from chargeback.cloud import sign_in
    from chargeback.cloud.metrics import account_metrics, gateway_requests
    from chargeback.cloud.rest import MANAGEMENT, Rest

    with Rest(controls.management or MANAGEMENT, sign_in()) as arm:
        accounts = [account_metrics(arm, one, period) for one in dict.fromkeys(controls.accounts)]
        gateway = gateway_requests(arm, controls.gateway, period, controls.apis) if controls.gateway else None
    return accounts, gateway


def _whole_days(period: Period) -> Period:
    """Leave out days that have not begun."""
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    return (period[0], min(period[1], tomorrow)) if tomorrow > period[0] else period
