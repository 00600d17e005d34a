"""The ingestion service as an ASGI application: what is posted is checked, stored, and only then acknowledged."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from chargeback.errors import StoreError
from chargeback.local.body import UnreadableBody, read_items
from chargeback.local.connection import Reset
from chargeback.local.faults import FAULTS, Fault, Faults
from chargeback.local.guard import GUARD
from chargeback.local.queries import query_route
from chargeback.local.refusals import ItemError, refused
from chargeback.local.store import Store

# Connection strings end in a slash, and SDKs put their path behind it: the service takes both slashes.
_TRACK = ("/v2.1/track", "/v2/track", "//v2.1/track", "//v2/track")
_LARGEST_BODY = 64 << 20
_LONGEST_LOG = 10_000


@dataclass(frozen=True, slots=True)
class Received:
    """One POST to the track endpoint, and what became of it."""

    path: str
    items: int
    """How many items it held; 0 when it could not be read."""
    bytes: int
    """Length of the body as it came, packed or not."""
    status: int | None
    """Of the answer; `None` when there was none."""
    fault: str | None
    """Kind of the fault that was switched on."""


class Service:
    """Takes telemetry for one resource."""

    def __init__(self, store: Store, instrumentation_key: str | None, clock: Callable[[], datetime]) -> None:
        """Store into `store`; with no `instrumentation_key` every key is known; ages are measured by `clock`."""
        self.faults = Faults()
        self.received: deque[Received] = deque(maxlen=_LONGEST_LOG)
        self._store = store
        self._key = instrumentation_key
        self._clock = clock
        self._closing = asyncio.Event()
        self.app = Starlette(
            routes=[
                *(Route(path, self._track, methods=["POST"]) for path in _TRACK),
                Route("/faults", self._set_faults, methods=["POST"]),
                Route("/faults", self._clear_faults, methods=["DELETE"]),
                query_route(store),
            ],
            middleware=GUARD,
        )

    def close(self) -> None:
        """Let go of hanging requests; to be called in the server's event loop."""
        self._closing.set()

    async def _track(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:  # half a body is no telemetry, and nobody waits for an answer
            return Reset()
        items: list[object] = []
        fault: Fault | None = None
        try:
            items = read_items(body, request.headers.get("content-encoding", ""), _LARGEST_BODY)
            errors = refused(items, self._key, self._clock())
            taken = self.faults.take(items)
            fault = taken[0] if taken else None
            response = await (self._accept(items, errors) if taken is None else self._fail(*taken, items, errors))
        except UnreadableBody as unreadable:
            response = _accounts(unreadable.status, 0, 0, [ItemError(0, unreadable.status, unreadable.message)])
        except StoreError as error:
            response = _accounts(500, len(items), 0, [ItemError(index, 500, str(error)) for index in range(len(items))])
        status = None if isinstance(response, Reset) else response.status_code
        self.received.append(Received(request.url.path, len(items), len(body), status, fault.kind if fault else None))
        return response

    async def _accept(self, items: Sequence[object], errors: Sequence[ItemError]) -> Response:
        """Store what is not refused, then say so."""
        await self._keep(_without(items, {error.index for error in errors}))
        accepted = len(items) - len(errors)
        status = 200 if not errors else 206 if accepted else 400
        return _accounts(status, len(items), accepted, errors)

    async def _fail(self, fault: Fault, hit: set[int], items: Sequence[object], errors: list[ItemError]) -> Response:
        """Answer as the fault says."""
        bad = {error.index for error in errors}
        if fault.kind == "refuse_items":
            errors += [ItemError(index, fault.item_status, fault.message) for index in sorted(hit - bad)]
            response = await self._accept(items, sorted(errors, key=lambda error: error.index))
        elif fault.kind == "short_count":
            await self._keep(_without(items, bad | hit))
            response = _accounts(200, len(items), len(items) - len(bad | hit), errors)
        else:
            good = _without(items, bad)
            await self._keep(good[: {"none": 0, "half": len(good) // 2, "all": len(good)}[fault.stored]])
            response = _failure(fault, len(items), partial(self._hang, fault.seconds))
        if fault.retry_after is not None:
            response.headers["Retry-After"] = str(fault.retry_after)
        return response

    async def _keep(self, items: Sequence[object]) -> None:
        envelopes = [item for item in items if isinstance(item, Mapping)]
        if envelopes:
            # Off the event loop: a query may hold the store, and faults and answers go on meanwhile.
            await run_in_threadpool(self._store.add, envelopes)

    async def _hang(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return

    async def _set_faults(self, request: Request) -> Response:
        try:
            faults = FAULTS.validate_json(await request.body())
        except ValidationError as error:
            return JSONResponse({"error": error.errors(include_url=False, include_input=False)}, 400)
        self.faults.switch_on(*faults)
        return JSONResponse({"faults": len(faults)})

    async def _clear_faults(self, _: Request) -> Response:
        self.faults.switch_off()
        return JSONResponse({"faults": 0})


def _without(items: Sequence[object], indexes: set[int]) -> list[object]:
    return [item for index, item in enumerate(items) if index not in indexes]


def _failure(fault: Fault, count: int, hang: Callable[[], Awaitable[None]]) -> Response:
    """Return the answer of a fault that spoils the whole request of `count` items."""
    if fault.kind in ("reset", "hang"):
        return Reset(hang if fault.kind == "hang" else None)
    if fault.kind == "empty_answer":
        return JSONResponse({})
    if fault.kind == "html":
        return HTMLResponse("<html><body>Please sign in.</body></html>")
    if fault.kind == "redirect":
        return Response(status_code=fault.status or 308, headers={"Location": fault.location or ""})
    status = fault.status or 500
    return _accounts(status, count, 0, [ItemError(index, status, fault.message) for index in range(count)])


def _accounts(status: int, received: int, accepted: int, errors: Sequence[ItemError]) -> Response:
    """Account for the items as the service does."""
    listed = [{"index": error.index, "statusCode": error.status, "message": error.message} for error in errors]
    return JSONResponse({"itemsReceived": received, "itemsAccepted": accepted, "errors": listed}, status)
