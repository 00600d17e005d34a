"""Keeps web pages out: a browser on this machine must neither read the store nor write to it for a page."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class NoWebPages:
    """Refuses what a browser sends for a page: only browsers name an origin, and they name it with every POST."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on."""
        refused = scope["type"] == "http" and "origin" in Headers(scope=scope)
        await (PlainTextResponse("Not for web pages.", 403) if refused else self._app)(scope, receive, send)


# A page could also be served under a name that is then pointed to this machine: it would be of the same origin.
GUARD = (Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"]), Middleware(NoWebPages))
