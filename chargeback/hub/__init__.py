"""The usage hub, as the command line talks to it: records are sent, each as an event of its own. Not deployed."""

from __future__ import annotations

from chargeback.hub.sender import Outgoing, Sender, connect

__all__ = ["Outgoing", "Sender", "connect"]
