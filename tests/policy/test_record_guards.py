"""Each guard of record-usage matters: where one is broken, a case of this folder shows it.

A guard is a text of the fragment and what a careless hand would leave of it. All broken fragments stand in one policy,
and a header of the call chooses: it is compiled once.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import pytest

from tests.policy.gateway import Gateway, GatewayEndedError
from tests.policy.result import Result
from tests.policy.test_policies_inbound import token
from tests.policy.test_record_cases import COUNTS, LARGEST, POLICIES, SITUATIONS, USUAL, expected, is_now

pytestmark = pytest.mark.needs_mono

Json: TypeAlias = dict[str, Any]

FRAGMENT = (POLICIES / "record-usage.xml").read_text(encoding="utf-8")
INCLUSION = '<include-fragment fragment-id="record-usage" />'
WHOLE = "whole"
MODE = '"{{chargeback-stream-mode}}"'
CHOSEN_MODE = 'context.Request.Headers.GetValueOrDefault("x-mode", "buffer")'

# What other policies of an API may do before the record is made.
HOSTILE = """<choose>
<when condition="@(context.Request.Headers.GetValueOrDefault("x-hostile", "") == "body")">
    <set-variable name="taken" value="@(context.Response.Body.As<string>())" />
</when>
<when condition="@(context.Request.Headers.GetValueOrDefault("x-hostile", "") == "variable")">
    <set-variable name="chargeback-app-id" value="@(5)" />
</when>
</choose>"""


@dataclass(frozen=True, slots=True)
class Scene:
    case: Json
    record: Mapping[str, Any]
    """The record, as far as it is certain."""
    partition_key: str = "sub-team-a"
    intact: bool = True


def answered(
    body: object,
    kind: str = "application/json",
    mode: str = "buffer",
    path: str = "",
    headers: Json | None = None,
    encoding: str = "",
    **record: Any,
) -> Scene:
    """Make a scene of one answer; `record` is what differs from the usual record."""
    request = {"headers": {"x-mode": mode, **(headers or {})}, **({"path": path} if path else {})}
    encoded = {"Content-Encoding": encoding} if encoding else {}
    response = {"headers": {"Content-Type": kind, **encoded}, "body": body}
    return Scene({"request": request, "response": response}, {**USUAL, "streamed": kind == STREAM, **record})


def stream(text: str, **given: Any) -> Scene:
    """Make a scene of one stream, read to its end."""
    return answered(text, kind=STREAM, **{"usageSource": "stream", **given})


STREAM = "text/event-stream"
NONE: Json = {"usageSource": "none", "note": "body-without-usage"}
TOO_LONG: Json = {"usageSource": "none", "note": "stream-event-too-long"}
REALTIME: Json = dict(
    zip(
        (
            *("completionTokens", "totalTokens", "cachedTokens", "audioPromptTokens", "imagePromptTokens"),
            *("audioCompletionTokens", "reasoningTokens"),
        ),
        (9, 16, 1, 2, 3, 4, 5),
        strict=True,
    )
)
PENDING: Json = {"usageSource": "pending", "note": "stream-not-read"}
LATE: Json = {"section": "outbound", "source": "other", "reason": "Late", "message": "later"}
GOOD = 'data: {"usage":{"prompt_tokens":7}}\n\n'
SEVEN: Json = {"promptTokens": 7}
ODD = ["x-ms-region", "x-ms-deployment-name", "x-ms-spillover-from-deployment"]


def long_headers(text: str, kept: str, **record: Any) -> Scene:
    """Make a scene whose every header and name is that text; `kept` is what the record keeps of it."""
    scene = answered({"model": "m"}, **{**NONE, "note": "body-without-usage"})
    request = {
        "headers": {"x-cost-center": text, "x-mode": "buffer"},
        "matched": {"deployment-id": text},
        "operation": text,
    }
    headers = {"Content-Type": "application/json", **dict.fromkeys(ODD, text)}
    case = {
        "request": request,
        "response": {"headers": headers, "body": {"model": "m"}},
        "subscription": {"id": "s" * 40},
        "product": {"id": text},
        "user": {"id": text},
        "api": {"id": text},
    }
    names = ["costCenter", "deploymentId", "operationId", "productId", "userId", "apiId", "modelRegion"]
    kept_names = dict.fromkeys([*names, "servedDeployment", "spilloverFrom"], kept)
    return Scene(case, {**scene.record, "model": "m", "subscriptionId": "s" * 40, **kept_names, **record}, "s" * 40)


def too_long() -> Scene:
    """Make a scene of names that JSON writes in six letters each, counts of twelve digits and a long subscription."""
    sign, most = "\x01", 999_999_999_999
    parts = ("cached_tokens", "cache_write_tokens", "audio_tokens", "image_tokens")
    usage = {
        "prompt_tokens": most,
        "completion_tokens": 1,
        "total_tokens": "x",
        "cache_creation": {"ephemeral_1h_input_tokens": most},
        "prompt_tokens_details": dict.fromkeys(parts, most),
        "completion_tokens_details": {"reasoning_tokens": most, "audio_tokens": most},
    }
    trace = "0af7651916cd43dd8448eb211c80319c"
    scene = long_headers(sign * 9000, sign * 8, costCenter=sign * 8)
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "Authorization": token(appid=sign * 300)}
    request = {**scene.case["request"], "headers": {**scene.case["request"]["headers"], **headers}}
    body = {"model": "\u2028" * 85, "service_tier": "\u2028" * 85, "usage": usage}
    response = {**scene.case["response"], "body": body}
    known = {"model": "\u2028" * 8, "serviceTier": "\u2028" * 8, "appId": sign * 8, "traceId": trace}
    said = {"usageSource": "body", "note": "count-unreadable", "subscriptionId": sign * 256}
    counts = {**dict.fromkeys(COUNTS, most), "completionTokens": 1, "totalTokens": most + 1}
    subscription = {"id": sign * 256}
    host = {"backendHost": "openai.b", "region": "West Eur"}
    case = {**scene.case, "request": request, "response": response, "subscription": subscription}
    record = {**scene.record, **known, **said, **counts, "durationMs": 999_999_999, **host}
    return Scene({**case, "elapsedMs": 999_999_999}, record, sign * 256)


TAKEN = answered(
    {"usage": {"prompt_tokens": 7}}, headers={"x-hostile": "body"}, usageSource="none", note="body-unreadable"
)
FOREIGN = answered({"usage": {"prompt_tokens": 7}}, headers={"x-hostile": "variable"}, **SEVEN)
OWN: Mapping[str, Scene] = {
    "body-taken": Scene(TAKEN.case, TAKEN.record, intact=False),
    "variable-of-another-type": FOREIGN,
    "live": stream(GOOD, mode="live", usageSource="pending", note="stream-not-read"),
    "buffer-anthropic-chat": stream(GOOD, mode="buffer-anthropic", usageSource="pending", note="stream-not-read"),
    "usage-in-plain-text": answered('{"usage":{"prompt_tokens":7}}', "text/plain", usageSource="none", note="not-json"),
    "cut-event-then-blank-line": stream('data: {"x":{\n\n' + GOOD, **SEVEN),
    "cut-event-then-blank-line-crlf": stream(('data: {"x":{\n\n' + GOOD).replace("\n", "\r\n"), **SEVEN),
    "usage-in-a-comment": stream(':    {"usage":{"prompt_tokens":999}}\n' + GOOD, **SEVEN),
    "text-with-a-quote": answered('{"x":"a\\"","usage":{"prompt_tokens":7}}', **SEVEN),
    "text-ends-with-backslash": answered('{"x":"\\\\","usage":{"prompt_tokens":7}}', **SEVEN),
    "cut-in-a-text": stream(GOOD + 'data: {"a":"b', **SEVEN),
    "cut-after-a-name": stream(GOOD + 'data: {"a"', **SEVEN),
    "cut-after-a-colon": stream(GOOD + 'data: {"a":', **SEVEN),
    "usage-beside": answered({"message": {"a": 1}, "x": {"usage": {"prompt_tokens": 999}}}, **NONE),
    "usage-below": answered({"x": [{"usage": {"prompt_tokens": 999}}]}, **NONE),
    "model-below": answered(
        {"model": "m", "x": {"y": {"model": "forged"}}, "usage": {"prompt_tokens": 7}}, model="m", **SEVEN
    ),
    "model-of-300-letters": answered({"model": "m" * 300, "usage": {"prompt_tokens": 7}}, **SEVEN),
    "model-with-an-escape": answered('{"model":"a\\"b","usage":{"prompt_tokens":7}}', **SEVEN),
    "model-and-tier-empty-at-last": stream(
        'data: {"model":"m","service_tier":"default"}\n\n'
        'data: {"model":"","service_tier":"","usage":{"prompt_tokens":7}}\n\n',
        model="m",
        serviceTier="default",
        **SEVEN,
    ),
    "usage-10-deep": answered(
        '{"usage":{"prompt_tokens":7,"x":' + "[" * 9 + "]" * 9 + "}}", usageSource="none", note="usage-unreadable"
    ),
    "more-behind-the-object": answered('{"a":1} {"usage":{"prompt_tokens":999}}', **NONE),
    "event-on-70-lines": stream(
        'data: {"a":[0\n' + "data: ,0\n" * 68 + 'data: ],"usage":{"prompt_tokens":7}}\n\n', **TOO_LONG
    ),
    "event-of-70-kb-on-lines": stream(
        'data: {"a":"' + "x" * 70_000 + '",\ndata: "usage":{"prompt_tokens":7}}\n\n', **TOO_LONG
    ),
    "many-events-on-lines": stream(
        'data: {"a":\ndata: 1}\n' * 70 + 'data: {"a":\ndata: 1,"usage":{"prompt_tokens":7}}\n', **SEVEN
    ),
    "usage-no-json-then-usage": stream(
        'data: {"usage":{"prompt_tokens":nope}}\n\n' + GOOD, note="usage-unreadable", **SEVEN
    ),
    "cache-beside-prompt-tokens": answered(
        {"usage": {"prompt_tokens": 7, "cache_read_input_tokens": 5}}, cachedTokens=5, **SEVEN
    ),
    "counts-that-shrink": stream(GOOD + 'data: {"usage":{"prompt_tokens":3}}\n\n', **SEVEN),
    "answer-packed": answered("\x1f\x08 packed", encoding="gzip", usageSource="none", note="body-encoded"),
    "too-many": answered(
        {"usage": {"prompt_tokens": 7, "completion_tokens": 10**12 + 1}}, note="count-unreadable", **SEVEN
    ),
    "too-many-together": answered(
        {"usage": {"prompt_tokens": 10**12, "completion_tokens": 1}}, usageSource="none", note="count-unreadable"
    ),
    "too-many-with-the-cache": answered(
        {"usage": {"input_tokens": 10**12, "cache_read_input_tokens": 1}}, usageSource="none", note="count-unreadable"
    ),
    "reasoning-without-prompt": answered(
        {"usage": {"completion_tokens": 5, "total_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 5}}},
        completionTokens=5,
        totalTokens=10,
        reasoningTokens=5,
    ),
    "cache-without-prompt": answered({"usage": {"cache_read_input_tokens": 5}}, cachedTokens=5),
    "total-with-cache": answered(
        {"usage": {"input_tokens": 7, "cache_read_input_tokens": 5, "output_tokens": 1, "total_tokens": 13}},
        promptTokens=12,
        cachedTokens=5,
        completionTokens=1,
        totalTokens=13,
    ),
    "only-cache-read": answered(
        {"usage": {"input_tokens": 0, "cache_read_input_tokens": 5}}, promptTokens=5, cachedTokens=5
    ),
    "only-completion": answered({"usage": {"completion_tokens": 7}}, completionTokens=7),
    "event-on-lines-crlf": stream('data: {"usage":\r\ndata: {"prompt_tokens":7}}\r\n\r\n', **SEVEN),
    "usage-at-the-top-first-alone": answered(
        '{"usage":{"prompt_tokens":7},"response":{"x":1,"usage":{"prompt_tokens":999}}}', **SEVEN
    ),
    "thread-messages": stream(GOOD, mode="buffer-anthropic", path="/openai/threads/t1/messages", **PENDING),
    "identity-in-capitals": answered({"model": "m"}, encoding="Identity", model="m", **NONE),
    "no-second-key": answered({"model": "m", "usage": {"prompt_tokens": 7}}, model="m", **SEVEN),
    "subscription-throws": Scene(
        {**answered({"usage": {"prompt_tokens": 7}}).case, "subscription": {"id": "s", "throws": True}},
        {"promptTokens": None, "note": "record-failed"},
        "nobody",
    ),
    "recorded-in-on-error": Scene(
        {**answered({"usage": {"prompt_tokens": 7}}).case, "failure": {**LATE, "keepsResponse": True}},
        {**USUAL, **SEVEN},
    ),
    "error-then-failure": Scene(
        {**answered({"error": {"code": "own"}}).case, "failure": {**LATE, "keepsResponse": True}},
        {**USUAL, "usageSource": "none", "note": "error:own"},
    ),
    "same-host": Scene(
        {**answered({"usage": {"prompt_tokens": 7}}).case, "backends": {"openai": "https://apim.example/openai"}},
        {**USUAL, **SEVEN, "backendHost": None},
    ),
    "message-start-as-json": answered({"type": "message_start", "message": {"usage": {"input_tokens": 7}}}, **SEVEN),
    "duration-then-nothing": stream(
        'data: {"usage":{"seconds":5}}\n\ndata: {"usage":{}}\n\n', usageSource="none", note="duration-usage"
    ),
    "parameter-is-empty": Scene(
        {
            "request": {"headers": {"x-mode": "buffer"}, "matched": {"deployment-id": ""}, "body": {"model": "asked"}},
            "response": {"headers": {"Content-Type": "application/json"}, "body": {"usage": {"prompt_tokens": 7}}},
        },
        {**USUAL, **SEVEN, "deploymentId": "asked"},
    ),
    "every-name-chat": answered(
        {"usage": {"prompt_tokens": 7, "prompt_tokens_details": {"cache_write_tokens": 6}}}, cacheWriteTokens=6, **SEVEN
    ),
    "every-name-responses": answered(
        {"usage": {"input_tokens": 7, "input_tokens_details": {"cache_write_tokens": 6}}}, cacheWriteTokens=6, **SEVEN
    ),
    "every-name-realtime": answered(
        {
            "usage": {
                "input_tokens": 7,
                "output_tokens": 9,
                "input_token_details": {"cached_tokens": 1, "audio_tokens": 2, "image_tokens": 3},
                "output_token_details": {"audio_tokens": 4, "reasoning_tokens": 5},
            }
        },
        **SEVEN,
        **REALTIME,
    ),
    "everything-too-long": too_long(),
    "took-a-minute": Scene(
        {**answered({"usage": {"prompt_tokens": 7}}).case, "elapsedMs": 61_250},
        {**USUAL, **SEVEN, "durationMs": 61_250},
    ),
    "bad-count-then-good": answered(
        {"usage": {"prompt_tokens": "many", "input_tokens": 7}}, note="count-unreadable", **SEVEN
    ),
    "headers-of-9000-letters": long_headers("x" * 9000, "x" * 256, costCenter="x" * 64),
    "headers-of-100-letters": long_headers("x" * 100, "x" * 100, costCenter="x" * 64),
    "headers-of-9000-signs": long_headers("語" * 9000, "語" * 64),
    "headers-of-9000-control-characters": long_headers("\x01" * 9000, "\x01" * 24),
}


def scene_of(name: str) -> Scene:
    """Return an own scene, or one of the case files."""
    if name in OWN:
        return OWN[name]
    expect = expected(name, "buffer")
    intact = expect["client"].get("intact", True)
    return Scene(SITUATIONS[name]["case"], expect["record"], expect.get("partitionKey", "sub-team-a"), intact)


@dataclass(frozen=True, slots=True)
class Guard:
    name: str
    text: str
    """Of the fragment, however it is spaced."""
    broken: str
    scene: str
    """The name of the case that shows it."""

    @property
    def pattern(self) -> re.Pattern[str]:
        return re.compile(r"\s+".join(re.escape(word) for word in self.text.split()))


SEEN = "depth == 1 || (depth == 2 && holder.Length > 0)"
UNREADABLE = "!long.TryParse(value.ToString(), out count) || count < 0 || count > 1000000000000"
CODE = "if (code == null || string.IsNullOrEmpty(code.ToString()))"
SIZES = "new [] { 256, 64, 24, 8 }"
GUARDS = [
    Guard("recorded once", '@(!context.Variables.ContainsKey("chargeback-recorded"))', "@(true)", "fail-after-record"),
    Guard(
        "catch: body",
        'catch (Exception) { answer["note"] = "body-unreadable"; }',
        "catch (Exception) { throw; }",
        "body-taken",
    ),
    Guard(
        "catch: usage",
        'catch (Exception) { answer["note"] = "usage-unreadable"; }',
        "catch (Exception) { throw; }",
        "usage-no-json-then-usage",
    ),
    Guard(
        "variable of another type",
        'context.Variables["chargeback-app-id"] as string',
        '(string)context.Variables["chargeback-app-id"]',
        "variable-of-another-type",
    ),
    Guard("null: body", "if (response.Body == null)", "if (false)", "body-missing"),
    Guard("body kept", "As<string>(preserveContent: true)", "As<string>(preserveContent: false)", "chat"),
    Guard("live", 'mode != "buffer" && ', 'mode == "" && ', "live"),
    Guard("only Anthropic's", '"buffer-anthropic" && anthropic)', '"buffer-anthropic")', "buffer-anthropic-chat"),
    Guard(
        "only JSON",
        'if (!streamed && type.IndexOf("json", StringComparison.OrdinalIgnoreCase) < 0)',
        "if (false)",
        "usage-in-plain-text",
    ),
    Guard("blank body", "if (string.IsNullOrWhiteSpace(text))", "if (text == null)", "body-blank"),
    Guard("byte order mark", "text[0] == '\\uFEFF' ? 1 : 0", "0", "stream-bom"),
    Guard("blank line", '{ pending = ""; lines = 0; } if', "{ } if", "cut-event-then-blank-line"),
    Guard(
        "CR LF is one end", "text[end + 1] == '\\n' ? 2 : 1", "text[end + 1] == '\\n' ? 1 : 1", "event-on-lines-crlf"
    ),
    Guard("CR alone is an end", "new [] { '\\r', '\\n' }", "new [] { '\\n' }", "stream-cr"),
    Guard("only what is posted", 'if (context.Request.Method != "POST")', "if (false)", "get-stored-response"),
    Guard("numbers that are none", "|0[0-9xX])", "|QQ)", "count-octal"),
    Guard("numbers too long", "[0-9]{19,}|", "QQ|", "count-10-to-the-400"),
    Guard("top before holder", "(depth == 1 || !outer)", "true", "usage-at-the-top-first"),
    Guard("top after holder", "outer = depth == 1;", "outer = true;", "responses-stream"),
    Guard("usage of the top stays", "else if (!outer || memberDepth == 1)", "else", "usage-at-the-top-first-alone"),
    Guard(
        "threads are not Anthropic's",
        ' && path.IndexOf("/threads/", StringComparison.OrdinalIgnoreCase) < 0',
        "",
        "thread-messages",
    ),
    Guard(
        "encoded, in capitals",
        '.Equals("identity", StringComparison.OrdinalIgnoreCase)',
        '.Equals("identity")',
        "identity-in-capitals",
    ),
    Guard("only data lines", "if (!isData) { continue; }", "if (at + 5 > end) { continue; }", "usage-in-a-comment"),
    Guard("several lines", "if (pending.Length > 0) {", "if (false) {", "stream-event-on-several-lines"),
    Guard("escaped quotes", "if ((at - 1 - slash) % 2 == 0) { break; }", "break;", "text-with-a-quote"),
    Guard(
        "escaped backslashes",
        "while (document[slash - 1] == '\\\\') { slash--; }",
        "if (document[slash - 1] == '\\\\') { slash--; }",
        "text-ends-with-backslash",
    ),
    Guard("end within a text", "if (at < 0) { break; } if (!counts)", "if (!counts)", "cut-in-a-text"),
    Guard("top level", SEEN, "depth >= 1", "usage-below"),
    Guard("top level, one below", SEEN, "depth == 1 || depth == 2", "usage-beside"),
    Guard("within response", SEEN, "depth == 1", "responses-stream"),
    Guard("holder ends", 'if (depth <= 1) { holder = ""; }', "", "usage-beside"),
    Guard("names that count", "if (!counts) { continue; }", "", "model-below"),
    Guard("length of a word", "at - start <= 258 ?", "true ?", "model-of-300-letters"),
    Guard(
        "end after a name",
        "var after = at; while (after < end && char",
        "var after = at; while (char",
        "cut-after-a-name",
    ),
    Guard(
        "end before a colon",
        "if (after < end && document[after] == ':')",
        "if (document[after] == ':')",
        "cut-after-a-name",
    ),
    Guard("end after a colon", "after++; while (after < end && char", "after++; while (char", "cut-after-a-colon"),
    Guard("end before a value", "name = after < end && (document", "name = (document", "cut-after-a-colon"),
    Guard("only texts and objects", "(document[after] == '\"' || document[after] == '{') ?", "true ?", "usage-list"),
    Guard(
        "last of two names", '{ usage = ""; outer = depth == 1; }', "{ outer = depth == 1; }", "usage-twice-last-null"
    ),
    Guard("escapes in a model", "if (word.IndexOf('\\\\') >= 0) { word = \"\"; }", "", "model-with-an-escape"),
    Guard("empty model", 'name == "model" && word.Length > 0', 'name == "model"', "model-and-tier-empty-at-last"),
    Guard(
        "empty tier",
        'name == "service_tier" && word.Length > 0',
        'name == "service_tier"',
        "model-and-tier-empty-at-last",
    ),
    Guard("type at the top", 'name == "type" && depth == 1', 'name == "type"', "anthropic-stream-cut"),
    Guard("member's end", "depth == memberDepth", "depth >= memberDepth", "chat"),
    Guard("small member", "at - memberFrom <= 16384", "true", "generated-large-usage"),
    Guard("depth limit", "deepest - memberDepth <= 8", "true", "usage-10-deep"),
    Guard(
        "says that it is not small",
        '{ answer["note"] = "usage-unreadable"; } member',
        "{ } member",
        "generated-large-usage",
    ),
    Guard("end of the object", "if (depth <= 0) { break; }", "", "more-behind-the-object"),
    Guard("no hint", "hint.Length == 0 ? null : hint", "hint", "chat"),
    Guard("secret: 32 digits", "(?<![0-9A-Fa-f])[0-9A-Fa-f]{32}(?![0-9A-Fa-f])|", "", "cost-center-is-a-key"),
    Guard("secret: 44 letters", "[0-9A-Za-z+/_-]{43}=|", "", "cost-center-is-base64"),
    Guard("secret: 84 letters", "(?<![0-9A-Za-z])[0-9A-Za-z]{84}(?![0-9A-Za-z])|", "", "cost-center-is-84-letters"),
    Guard("secret: token", "eyJ[0-9A-Za-z]|", "", "backend-tells-keys"),
    Guard("secret: OpenAI's", "(?<![0-9A-Za-z])sk-[0-9A-Za-z_-]{16}|", "", "cost-center-is-an-openai-key"),
    Guard("secret: bearer", "(?i:bearer |basic )", "(?i:basic )", "cost-center-is-bearer"),
    Guard("secret: basic", "(?i:bearer |basic )", "(?i:bearer )", "cost-center-is-basic"),
    Guard("secret: in capitals", "(?i:bearer |basic )", "(?:bearer |basic )", "cost-center-is-basic"),
    Guard("secret: own key", "text.IndexOf(key, StringComparison.Ordinal) >= 0", "false", "cost-center-is-the-own-key"),
    Guard("secret: no own key", "!string.IsNullOrEmpty(key) && ", "", "no-second-key"),
    Guard("secret: nobody's keys", "context.Subscription == null ? new string[0] : ", "", "caller-no-subscription"),
    Guard("secret: removed", "if (secret) { record[name]", "if (false) { record[name]", "cost-center-is-a-key"),
    Guard("secret: a note says so", 'name == "note" ? "error:unknown" : null', "null", "error-code-is-a-key"),
    Guard("secret: not in a name", '"deploymentId", "servedDeployment"', '"servedDeployment"', "deployment-is-a-key"),
    Guard("secret: not in headers", '"spilloverFrom", "modelRegion", ', "", "backend-tells-keys"),
    Guard("encoded", 'encoded ? "body-encoded" : ', "", "answer-packed"),
    Guard("lines of an event", "lines < 64 && ", "", "event-on-70-lines"),
    Guard("size of an event", "part.Length < 65536", "true", "event-of-70-kb-on-lines"),
    Guard("lines counted anew", "lines = 0; complete", "complete", "many-events-on-lines"),
    Guard("placeholder", 'found.Remove("output_tokens"); ', "", "anthropic-stream-cut"),
    Guard("null: tier", "if (tier != null && tier.Type", "if (tier.Type", "chat"),
    Guard("null: code", CODE, "if (string.IsNullOrEmpty(code.ToString()))", "error-without-code"),
    Guard("empty code", CODE, "if (code == null)", "error-code-empty"),
    Guard("null: type", "code != null && Regex", "Regex", "error-without-code"),
    Guard(
        "form of a code", 'Regex.IsMatch(code.ToString(), "^[A-Za-z0-9_.-]{1,64}\\\\z")', "true", "error-code-is-prose"
    ),
    Guard("error is kept", 'else if (answer["note"] == null)', "else", "error-429"),
    Guard("null: note", '(string)answer["note"] ?? "";', '(string)answer["note"];', "chat"),
    Guard("cache beside the prompt", 'usage["prompt_tokens"] == null && ', "", "cache-beside-prompt-tokens"),
    Guard(
        "details are objects",
        "usage[path.Substring(0, dot)] as JObject",
        "(JObject)usage[path.Substring(0, dot)]",
        "count-details-not-objects",
    ),
    Guard("null: details", "holder == null ? null : ", "", "embeddings"),
    Guard("null: value", "value == null || value.Value == null", "value.Value == null", "embeddings"),
    Guard("null: count", "value == null || value.Value == null", "value == null", "count-null"),
    Guard("count is a number", UNREADABLE, "!long.TryParse(value.ToString(), out count) && count < 0", "count-word"),
    Guard("count not negative", "count < 0 || ", "", "count-negative"),
    Guard("count not too high", "count < 0 || count > 1000000000000", "count < 0", "too-many"),
    Guard("sum not too high", "counts.Values.Any(count => count > 1000000000000)", "false", "too-many-together"),
    Guard("counts only grow", "|| counts[name] < count", "|| true", "counts-that-shrink"),
    Guard(
        "reasoning: counts there",
        "if (hasPrompt && hasCompletion && total == prompt + completion + reasoning)",
        "if (total == prompt + completion + reasoning)",
        "reasoning-without-prompt",
    ),
    Guard("reasoning: beside", "total == prompt + completion + reasoning", "true", "chat"),
    Guard("cache: prompt there", "if (beside && hasPrompt)", "if (beside)", "cache-without-prompt"),
    Guard("cache: total there", "if (hasTotal && total", "if (total", "only-cache-read"),
    Guard("cache: total without", "total == prompt + completion) {", "true) {", "total-with-cache"),
    Guard("total: parts there", "if (hasPrompt && hasCompletion && !hasTotal)", "if (!hasTotal)", "only-completion"),
    Guard(
        "total: prompt there",
        "if (hasPrompt && hasCompletion && !hasTotal)",
        "if (hasCompletion && !hasTotal)",
        "only-completion",
    ),
    Guard(
        "total: completion there",
        "if (hasPrompt && hasCompletion && !hasTotal)",
        "if (hasPrompt && !hasTotal)",
        "only-cache-read",
    ),
    Guard(
        "total: its own",
        "if (hasPrompt && hasCompletion && !hasTotal)",
        "if (hasPrompt && hasCompletion)",
        "chat-wrong-total",
    ),
    Guard("no counts, no source", 'counts.Count > 0 || (string)answer["source"] == "pending"', "true", "usage-empty"),
    Guard("cut only without completion", "!hasCompletion && note.Length == 0", "note.Length == 0", "anthropic-stream"),
    Guard(
        "no reason",
        'Regex.IsMatch(failure.Reason ?? "", "^[A-Za-z0-9_.-]{1,64}\\\\z") ? failure.Reason : "unknown"',
        "failure.Reason",
        "fail-without-reason",
    ),
    Guard(
        "refused is not forwarded",
        'failure.Reason != "BackendConnectionFailure" || ',
        "true || ",
        "fail-backend-refused",
    ),
    Guard(
        "refused after an answer",
        ' || context.Variables.ContainsKey("chargeback-answered")',
        "",
        "retry-429-then-refused",
    ),
    Guard("null: api", "context.Api == null ? null : ", "", "caller-nothing-known"),
    Guard("null: operation", "context.Operation == null ? null : ", "", "caller-nothing-known"),
    Guard("null: deployment", "context.Deployment == null ? null : ", "", "caller-nothing-known"),
    Guard("null: parameters", "if (context.Request.MatchedParameters != null) {", "{", "caller-nothing-known"),
    Guard("null: response's status", "response == null ? 500 : ", "", "fail-without-response"),
    Guard("null: response's headers", "response == null ? null : response.H", "response.H", "fail-without-response"),
    Guard("null: kind of the response", 'var type = header == null ? "" : ', "var type = ", "fail-without-response"),
    Guard("null: header", 'var text = header == null ? "" : ', "var text = ", "fail-without-response"),
    Guard("no header", "text.Length == 0 ? null : text", "text", "chat"),
    Guard("a calendar of its own", 'now.Year.ToString("D4")', 'now.ToString("yyyy")', "culture-thai"),
    Guard(
        "signs of its own",
        '+ ":" + now.Minute',
        '+ now.ToString(":mm").Substring(0, 1) + now.Minute',
        "culture-finnish",
    ),
    Guard("null: subscription", "context.Subscription == null ? null : ", "", "caller-no-subscription"),
    Guard("null: product", "context.Product == null ? null : ", "", "caller-no-product"),
    Guard("null: user", "context.User == null ? null : ", "", "chat"),
    Guard("no application", "application.Length == 0 ? null : ", "", "chat"),
    Guard("no deployment", "string.IsNullOrEmpty(asked) ? null : ", "", "only-completion"),
    Guard("no trace", "trace.Success ? trace.Groups[1].Value : null", "trace.Groups[1].Value", "chat"),
    Guard(
        "trace's form",
        '"^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"',
        '"(.*)"',
        "trace-id-garbage",
    ),
    Guard("no note", "note.Length == 0 ? null : note", "note", "chat"),
    Guard("cut", "text.Length > limit) { property", "text.Length > 999999) { property", "headers-of-9000-letters"),
    Guard("cut again", SIZES, "new [] { 256 }", "headers-of-9000-signs"),
    Guard("cut a third time", SIZES, "new [] { 256, 64, 8 }", "headers-of-9000-control-characters"),
    Guard("cut a fourth time", SIZES, "new [] { 256, 64, 24 }", "everything-too-long"),
    Guard("cut no more than needed", "<= 4096) { break; }", "<= 0) { break; }", "headers-of-100-letters"),
    Guard("cost centre's 64", "Math.Min(64, longest)", "longest", "headers-of-100-letters"),
    Guard("request id is whole", 'property.Name == "requestId" || ', "", "headers-of-9000-control-characters"),
    Guard("trace is whole", 'property.Name == "traceId" || ', "", "everything-too-long"),
    Guard("schema is whole", '|| property.Name == "schema" ? 36', "? 36", "everything-too-long"),
    Guard("note is whole", 'property.Name == "note" ? Math.Max(24, longest) : ', "", "everything-too-long"),
    Guard(
        "subscription is whole", 'property.Name == "subscriptionId" ? 256 : ', "", "headers-of-9000-control-characters"
    ),
    Guard("null: text of a property", '(string)property.Value ?? ""', "(string)property.Value", "chat"),
    Guard(
        "key: subscription",
        "!string.IsNullOrEmpty(context.Subscription.Id) ? context.Subscription.Id : app",
        "false ? context.Subscription.Id : app",
        "chat",
    ),
    Guard(
        "key: null subscription",
        "return context.Subscription != null && ",
        "return ",
        "token-only",
    ),
    Guard(
        "key: empty subscription",
        "&& !string.IsNullOrEmpty(context.Subscription.Id) ?",
        "?",
        "caller-empty-subscription",
    ),
    Guard(
        "partition key's catch",
        'catch (Exception) { return "nobody"; }',
        "catch (Exception) { throw; }",
        "subscription-throws",
    ),
    Guard(
        "record's catch",
        'catch (Exception) { record["note"] = "record-failed"; }',
        "catch (Exception) { throw; }",
        "subscription-throws",
    ),
    Guard("milliseconds", "context.Elapsed.TotalMilliseconds", "context.Elapsed.Milliseconds", "took-a-minute"),
    Guard(
        "next name after a bad count",
        'note = "count-unreadable"; continue; }',
        'note = "count-unreadable"; break; }',
        "bad-count-then-good",
    ),
    Guard(
        "failure says why only without usage",
        'if (failure != null && source == "none")',
        "if (failure != null)",
        "recorded-in-on-error",
    ),
    Guard(
        "error's code stays",
        'if (!note.StartsWith("error:", StringComparison.Ordinal))',
        "if (true)",
        "error-then-failure",
    ),
    Guard("host of its own", "forwarded && host != original ? host : null", "forwarded ? host : null", "same-host"),
    Guard(
        "cut is of streams",
        'if (source == "stream" && answer["started"] != null',
        'if (answer["started"] != null',
        "message-start-as-json",
    ),
    Guard("duration once", "duration = duration || usage", "duration = usage", "duration-then-nothing"),
    Guard(
        "empty parameter",
        "if (string.IsNullOrEmpty(asked)) { asked",
        "if (asked == null) { asked",
        "parameter-is-empty",
    ),
    Guard("cache writes of chat", "prompt_tokens_details.cache_write_tokens|", "", "every-name-chat"),
    Guard("cache writes of responses", "input_tokens_details.cache_write_tokens|", "", "every-name-responses"),
    Guard("audio of realtime", "|output_token_details.audio_tokens", "", "every-name-realtime"),
    Guard("reasoning of realtime", "|output_token_details.reasoning_tokens", "", "every-name-realtime"),
    Guard("images of realtime", "|input_token_details.image_tokens", "", "every-name-realtime"),
    Guard(
        "key: application",
        "application.Length > 0 ? application : context",
        "true ? application : context",
        "caller-only-user",
    ),
]  # fmt: skip  (a guard per line is a table)


@cache
def broken_fragment(guard: Guard) -> str:
    """Return the fragment without that guard."""
    text, count = guard.pattern.subn(lambda _: guard.broken, FRAGMENT, count=1)
    assert count, f"{guard.name}: {guard.text} is not in record-usage.xml"
    return text


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Run api.xml, where the header x-guard chooses which record-usage it includes."""
    folder = tmp_path_factory.mktemp("guards")
    for file in POLICIES.glob("*.xml"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    fragments = {WHOLE: FRAGMENT} | {
        str(number): broken_fragment(guard) for number, guard in enumerate(GUARDS) if guard.pattern.search(FRAGMENT)
    }
    for name, text in fragments.items():
        (folder / f"{name}.xml").write_text(text.replace(MODE, CHOSEN_MODE), encoding="utf-8")
    choices = "\n".join(
        f'<when condition="@(context.Request.Headers.GetValueOrDefault("x-guard", "") == "{name}")">'
        f'<include-fragment fragment-id="{name}" /></when>'
        for name in fragments
    )
    policy = (folder / "api.xml").read_text(encoding="utf-8").replace(INCLUSION, f"<choose>\n{choices}\n</choose>")
    (folder / "guards.xml").write_text(policy.replace("<outbound>", "<outbound>" + HOSTILE), encoding="utf-8")
    named = json.loads((POLICIES / "named-values.json").read_text(encoding="utf-8"))
    with Gateway(folder / "guards.xml", folder, named) as running:
        yield running


def run(gateway: Gateway, fragment: str, scene: Scene) -> Result:
    request = scene.case.get("request", {})
    headers = {**request.get("headers", {}), "x-guard": fragment}
    return gateway.run({**scene.case, "request": {**request, "headers": headers}})


def differences(result: Result, scene: Scene) -> list[str]:
    """Say what is not as the scene expects it."""
    found = list(result.thrown)
    if result.client_body_intact != scene.intact:
        found.append("the client's body")
    if len(result.records) != 1 or not isinstance(result.records[0], dict):
        return [*found, f"records: {result.records}"]
    (record,) = result.records
    if result.bytes[0] > LARGEST:
        found.append(f"{result.bytes[0]} bytes")
    if not is_now(record.get("timestamp")):
        found.append("no timestamp")
    if result.partition_keys != [scene.partition_key]:
        found.append(f"partition key {result.partition_keys}")
    return found + [f"{key}: {record.get(key)!r}" for key, value in scene.record.items() if record.get(key) != value]


@pytest.mark.parametrize("name", sorted({guard.scene for guard in GUARDS}))
def test_the_whole_fragment_passes_the_scene(gateway: Gateway, name: str) -> None:
    scene = scene_of(name)
    assert differences(run(gateway, WHOLE, scene), scene) == []


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_broken_guard_is_noticed(gateway: Gateway, guard: Guard) -> None:
    assert guard.pattern.search(FRAGMENT), f"{guard.text} is not in record-usage.xml"
    scene = scene_of(guard.scene)
    try:
        found = differences(run(gateway, str(GUARDS.index(guard)), scene), scene)
    except GatewayEndedError:
        return  # the process did not survive it
    assert found, f"without the guard `{guard.name}` all is as before: {guard.text}"
