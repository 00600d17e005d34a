"""A gateway for calls: a policy, built once, that case after case is run through."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.policy import result
from tests.policy.assembly import build
from tests.policy.documents import load
from tests.policy.result import Result
from tests.policy.runner import Runner


class GatewayEndedError(Exception):
    """The process ended in the middle of a case: the case is not of the form, or an expression does not end."""


class Gateway:
    """Runs cases through a policy, as an API's policy below a global one that does nothing but forward.

    A case is a JSON object; every key may be missing:

    - `name`, `requestId`, `elapsedMs`
    - `request`: `headers`, `body`, `matched` (template parameters), `query`, `operation`, `path`, `method`, `ip`
    - `response`: `status`, `reason`, `headers`, `body`; or `responses`: a list, for retries, whose last repeats.
      "timeout" and "refused" stand for an answer that does not come; so does `backend`.
    - `body` is a text, or any JSON, written compactly; `bodyBase64` are bytes; `bodyRepeat` is [piece, times]
    - `subscription` ("throws": true: once there is a response, reading its id fails), `product`, `api`, `deployment`
      (objects; null: missing), `user` (missing unless given), `backends` (id -> URL); null for the request's `matched`
      or `operation`: missing; `culture`, such as "th-TH"
    - `tokens`: false, a reason, or {"reason", "message"}: the token of the call is not valid
    - `limits`: {"exceeded": "llm-token-limit", "quota": true, "retryAfter", "reason", "remainingTokens",
      "remainingQuotaTokens", "remainingCalls", "estimatedTokens", "consumedTokens"}
    - `failure`: {"section", "source", "reason", "message", "status", "after", "noResponse", "keepsResponse"}: the
      section fails before its first policy or, with "after": true, behind its last; on-error then sees the failure's
      own response, or none ("noResponse"), or the backend's ("keepsResponse")
    """

    def __init__(self, policy: Path, fragments: Path | None = None, named: Mapping[str, str] | None = None) -> None:
        documents = load(policy, fragments, named or {})
        built = build(documents)
        files = [
            argument
            for number, document in enumerate(documents)
            for argument in (document.fragment, document.file, str(built.structures / f"{number}.xml"))
        ]
        self._arguments = [str(built.runner), str(built.expressions), *files]
        self._runner: Runner | None = None

    def __enter__(self) -> Gateway:
        self._runner = Runner(self._arguments)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._runner:
            self._runner.stop()
        self._runner = None

    def run(self, case: Mapping[str, Any]) -> Result:
        """Run one case through inbound, backend and outbound, and on-error where something fails."""
        if self._runner is None:
            raise RuntimeError("run cases inside `with Gateway(...) as gateway`")
        name = str(case.get("name", ""))
        line = self._runner.answer(json.dumps(_written_out(case)).encode())
        if not line:
            why = self._runner.last_words()
            self._runner.stop()
            self._runner = Runner(self._arguments)
            raise GatewayEndedError(f"case {name!r}: {why}")
        return result.read(name, line)


def _written_out(case: Mapping[str, Any]) -> dict[str, Any]:
    """Return the case with its bodies as texts, written here: the runner's JSON would change numbers and dates."""
    written = dict(case)
    for side in ("request", "response"):
        if isinstance(case.get(side), Mapping):
            written[side] = _with_text(case[side])
    if "responses" in case:
        written["responses"] = [_with_text(each) if isinstance(each, Mapping) else each for each in case["responses"]]
    return written


def _with_text(message: Mapping[str, Any]) -> dict[str, Any]:
    body = message.get("body")
    if body is None or isinstance(body, str):
        return dict(message)
    return {**message, "body": json.dumps(body, separators=(",", ":"), ensure_ascii=False)}
