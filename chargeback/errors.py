"""What can go wrong, by what the caller must do next.

Every message says what happened, to what, and what to do. None holds payload, keys or tokens.
"""

from __future__ import annotations


class ChargebackError(Exception):
    """Base of every error this package raises on purpose."""


class SettingsError(ChargebackError):
    """A setting is missing or malformed; the message names it."""


class UnreadableRecord(ChargebackError):
    """One record cannot be billed as it stands: it becomes a dead letter, never a retry."""

    def __init__(self, reason: str, error_type: str) -> None:
        """Keep `reason` (short, stable, no payload) and `error_type` (a category to count by)."""
        super().__init__(reason)
        self.reason = reason
        self.error_type = error_type


class DeliveryError(ChargebackError):
    """Not every event is known to be accepted: the batch must be delivered again."""


class AllRefusedError(DeliveryError):
    """Every event was refused in words that nobody knows: the key may be wrong, or all of them are."""


class DeadLetterError(ChargebackError):
    """A rejected record could not be stored durably: the batch must be delivered again."""


class ForbiddenError(DeadLetterError):
    """A file of dead letters can be read and not be tagged by whoever asks."""


class HubError(ChargebackError):
    """Records are not known to be in the hub: they have to be sent again."""


class StoreError(ChargebackError):
    """A local Application Insights store cannot be opened or written."""


class QueryError(ChargebackError):
    """A KQL query cannot be composed or run."""


class CloudError(ChargebackError):
    """Azure did not answer, refused, or answered in part."""


class ReferenceDataError(ChargebackError):
    """A file of reference rows cannot be read, or takes no more rows."""


class StatementError(ChargebackError):
    """A closed month or a bill cannot be read, compared or stored."""


class PriceError(ChargebackError):
    """Prices cannot be had: a row says what no price can be, or the service that has prices did not answer."""


class ReportError(ChargebackError):
    """A statement cannot be shown as it stands."""
