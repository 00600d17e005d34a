"""Where a query is answered: a store's file, or the server that holds it."""

from __future__ import annotations

import json
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from chargeback.cli.program import command
from chargeback.cli.stores import known
from chargeback.cli.tables import Rows
from chargeback.errors import ChargebackError, QueryError, StoreError

_HERE = ("127.0.0.1", "localhost")
_SECONDS = 600


def ask(store: str, kql: str) -> tuple[list[str], Rows]:
    """Return the columns and rows of the answer; `store` is a file or a local server's address.

    Raises:
        ChargebackError: there is no such store, or it cannot be read.
        QueryError: the query cannot be run.
    """
    if store.startswith(("http://", "https://")):
        return _ask_server(store, kql)
    path = known(Path(store))
    # Late, because the database takes longer to load than most commands run.
    from chargeback.local.store import Store, StoreHeld

    try:
        with Store(path) as opened:
            answer = opened.query(kql)
    except StoreHeld as held:
        raise StoreError(f"{held}; if that is {command()} local serve, ask it: --store http://127.0.0.1:8125") from held
    return list(answer.columns), answer.rows


def _ask_server(address: str, kql: str) -> tuple[list[str], Rows]:
    status, text = _post(address, json.dumps({"query": kql}))
    try:
        answer = json.loads(text)
        if status == 200:
            (table,) = answer["tables"]
            return [column["name"] for column in table["columns"]], table["rows"]
        said = str(answer["error"]["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise ChargebackError(
            f"what answers at {address} is no local Application Insights: name the address that local serve prints"
        ) from error
    raise QueryError(said)


def _post(address: str, body: str) -> tuple[int, bytes]:
    """Ask the server on this machine directly; a proxy that is meant for the world does not know it."""
    host, port = _host_and_port(address)
    connection = HTTPConnection(host, port, timeout=_SECONDS)
    try:
        connection.request("POST", "/v1/apps/local/query", body, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, HTTPException) as error:
        raise ChargebackError(
            f"no answer from {address} ({type(error).__name__}): start {command()} local serve, or name its file"
        ) from error
    finally:
        connection.close()


def _host_and_port(address: str) -> tuple[str, int]:
    try:
        parts = urlsplit(address)
        if parts.scheme == "http" and parts.hostname in _HERE and parts.path in ("", "/"):
            return parts.hostname, parts.port or 80
    except ValueError:  # a port that is no number
        pass
    raise ChargebackError(f"{address} is no local server's address: write it like http://127.0.0.1:8125")
