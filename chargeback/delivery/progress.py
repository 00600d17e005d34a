"""How far a batch of events has come, and what to do with those that the service does not take."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from chargeback.delivery.answer import Answer, ItemError
from chargeback.delivery.envelope import Item
from chargeback.errors import AllRefusedError, DeliveryError
from chargeback.events import Refusal

log = logging.getLogger(__name__)

HOST_RETRIES_BEFORE_GIVING_UP = 5


@dataclass(slots=True)
class Progress:
    """The accounts of one batch, POST after POST."""

    attempts: int = 0
    _accepted: int = 0
    _final: list[Refusal] = field(default_factory=list)
    _doubtful: list[Refusal] = field(default_factory=list)

    def book(self, answer: Answer, sent: list[Item]) -> list[Item]:
        """Book what an answer decided about the items it was given; return what has to be sent again."""
        if answer.for_now:
            return sent
        self._accepted += len(sent) - len(answer.errors)
        again = []
        for place, error in answer.errors.items():
            item = sent[place]
            if error.final:
                self._final.append(_refusal(item, error))
            elif error.for_now:
                again.append(item)
            else:
                self._doubtful.append(_refusal(item, error))
        return again

    def refusals(self, host_retries: int) -> list[Refusal]:
        """Return what goes to the dead letter, once nothing has to be sent again.

        Items refused in words that nobody knows are decided here. Alone they may mean a wrong key, and a wrong key
        must not empty the hub into the dead letter. Beside accepted items they are about the item, and after enough
        deliveries by the host it goes to the dead letter: it would block the rest for ever.

        Raises:
            DeliveryError: the batch must be delivered again.
        """
        if not self._doubtful:
            return self._final
        words = self._doubtful[0].message
        if not self._accepted:
            raise AllRefusedError(f"all events are refused: {words} (check the connection string)")
        if host_retries < HOST_RETRIES_BEFORE_GIVING_UP:
            raise DeliveryError(f"{len(self._doubtful)} events are refused in unknown words: {words}")
        log.error("%d events go to the dead letter, refused in unknown words: %s", len(self._doubtful), words)
        return self._final + self._doubtful


def _refusal(item: Item, error: ItemError) -> Refusal:
    return Refusal(item[0], error.status, error.message)
