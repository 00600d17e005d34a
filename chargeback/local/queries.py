"""Answering queries as Application Insights' own query API does: https://api.applicationinsights.io/v1/apps/ID/query."""

from __future__ import annotations

import json
from dataclasses import dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chargeback.errors import QueryError, StoreError
from chargeback.local.connection import Reset
from chargeback.local.store import Store, Table
from chargeback.local.values import plain


@dataclass(frozen=True, slots=True)
class _Question:
    """What is posted; the API's other members (a time span, other resources) are refused instead of ignored."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    query: str


_QUESTION = TypeAdapter(_Question)


def query_route(store: Store) -> Route:
    """Return the route that answers queries from `store`; any name will do for the resource."""

    async def answer(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
            return _failed(415, "UnsupportedMediaType", "The query is not sent as application/json.")
        try:
            question = _QUESTION.validate_json(await request.body())
            # Off the event loop: telemetry is taken meanwhile.
            return _answered(await run_in_threadpool(store.query, question.query))
        except ClientDisconnect:
            return Reset()
        except ValidationError:
            return _failed(400, "BadArgumentError", 'The body is not of the form {"query": "..."}.')
        except QueryError as error:
            return _failed(400, "BadArgumentError", str(error))
        except StoreError as error:
            return _failed(500, "InternalServerError", str(error))

    return Route("/v1/apps/{app}/query", answer, methods=["POST"])


def _answered(table: Table) -> Response:
    columns = [{"name": name, "type": kind} for name, kind in zip(table.columns, table.types, strict=True)]
    rows = [plain(row) for row in table.rows]
    # Not JSONResponse: sums may be larger than the whole numbers that other writers know.
    text = json.dumps({"tables": [{"name": "PrimaryResult", "columns": columns, "rows": rows}]}, allow_nan=False)
    return Response(text, media_type="application/json")


def _failed(status: int, code: str, message: str) -> Response:
    return JSONResponse({"error": {"code": code, "message": message}}, status)
