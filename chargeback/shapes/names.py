"""The names that policies in the wild give to the contract's fields, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from urllib.parse import urlsplit

from chargeback.errors import UnreadableRecord
from chargeback.keys import FINGERPRINT, fingerprint
from chargeback.shapes.texts import plain_text
from chargeback.shapes.times import read_time
from chargeback.usage import count, plain

REQUEST_IDS = ("requestId", "RequestId", "apimRequestId", "message-id", "operation_id", "correlationId")
"""The gateway's own ids, the surest first. `id` is the model's and identifies nothing."""

_NOT_MODELS = frozenset({"streaming", "completions"})
_LONGEST_NAME = 64
_WIDEST = 2**63

_SPELLINGS = {
    "timestamp": "timestamp eventtime time timegenerated ts",
    "subscriptionId": "subscriptionid apimsubscriptionid subscription",
    "keyId": "appsubscriptionkey subscriptionkey appkey apikey ocpapimsubscriptionkey",
    "appId": "appid azp clientappid applicationid clientid",
    "userId": "userid enduserid useroid user subject",
    "productId": "productid productname product",
    "costCenter": "costcenter costcentre xcostcenter",
    "apiId": "apiid api",
    "operationId": "operationid operationname operation apioperation",
    "deploymentId": "deploymentid deploymentname deployment",
    "servedDeployment": "serveddeployment",
    "spilloverFrom": "spilloverfrom",
    "modelRegion": "modelregion routelocation",
    "backendId": "backendid",
    "backendHost": "backendhost backend backendurl",
    "model": "model modelname",
    "serviceTier": "servicetier",
    "region": "region gatewayregion",
    "statusCode": "statuscode responsecode status",
    "forwarded": "forwarded",
    "streamed": "streamed stream isstream isstreamcompletion",
    "durationMs": "durationms latencyms",
    "traceId": "traceid",
    "promptTokens": "prompttokens inputtokens usageprompttokens usageinputtokens",
    "completionTokens": "completiontokens outputtokens responsetokens usagecompletiontokens usageoutputtokens",
    "totalTokens": "totaltokens usagetotaltokens",
    "cachedTokens": "cachedtokens promptcachedtokens usageprompttokensdetailscachedtokens"
    " usageinputtokensdetailscachedtokens cachereadinputtokens usagecachereadinputtokens promptcachehittokens"
    " cachedprompttokens cachedinputtokens cachereadtokens",
    "cacheWriteTokens": "cachewritetokens cachecreationinputtokens cachewriteinputtokens usagecachecreationinputtokens",
    "cacheWrite1hTokens": "cachewrite1htokens",
    "audioPromptTokens": "audioprompttokens audioinputtokens usageprompttokensdetailsaudiotokens",
    "imagePromptTokens": "imageprompttokens imageinputtokens",
    "reasoningTokens": "reasoningtokens usagecompletiontokensdetailsreasoningtokens"
    " usageoutputtokensdetailsreasoningtokens",
    "audioCompletionTokens": "audiocompletiontokens audiooutputtokens usagecompletiontokensdetailsaudiotokens",
}
_MEANINGS = {
    spelling: (field, rank)
    for field, spellings in _SPELLINGS.items()
    for rank, spelling in enumerate(spellings.split())
}
"""Plain name -> the field it stands for, and how near it is to the field's own name."""
_KEY_NAMES = frozenset({"subscriptionkey", "apikey", "ocpapimsubscriptionkey"})
"""What stands under these is a key, whatever it looks like."""
COUNTS = frozenset(field for field in _SPELLINGS if field.endswith("Tokens"))
CONSUMERS = ("subscriptionId", "keyId", "appId", "userId")
"""Fields of the caller that decide who pays."""


def meaning(name: str) -> str | None:
    """Return the contract field that a policy's name stands for, if any."""
    return found[0] if (found := _known(name)) else None


def _known(name: str) -> tuple[str, int] | None:
    if len(name) > _LONGEST_NAME or name == "operation_id":  # a request id, where operationId is an operation
        return None
    return _MEANINGS.get(plain(name))


def fields_of(source: Mapping[str, object]) -> dict[str, object]:
    """Read every field that is known by name; of several names for one field the nearest that says something counts.

    Raises:
        UnreadableRecord: a count cannot be read, or no time can. Other fields that cannot are left unknown.
    """
    found = [(*known, name, value) for name, value in source.items() if (known := _known(name))]
    found.sort(key=itemgetter(1))
    fields: dict[str, object] = {}
    no_time: UnreadableRecord | None = None
    for field, _, name, value in found:
        if fields.get(field) is not None:
            continue
        try:
            fields[field] = _key(value) if plain(name) in _KEY_NAMES else _READERS.get(field, _text)(field, value)
        except UnreadableRecord as error:
            if field != "timestamp":
                raise
            no_time = error
    if no_time is not None and fields.get("timestamp") is None:
        raise no_time
    fields["requestId"] = request_id(source)
    return fields


def has_counts(source: Mapping[str, object]) -> bool:
    """Tell whether any name is a count's, known or not."""
    return any(meaning(name) in COUNTS for name in source)


def knows_counts(source: Mapping[str, object]) -> bool:
    """Tell whether there is a value under the name of any count."""
    return any(meaning(name) in COUNTS for name, value in source.items() if value not in (None, ""))


def request_id(source: Mapping[str, object]) -> str | None:
    """Return the gateway's id of the call."""
    return next((text for name in REQUEST_IDS if (text := plain_text(source.get(name)))), None)


def _key(value: object) -> str | None:
    text = plain_text(value)
    return fingerprint(text) if text is not None and not FINGERPRINT.fullmatch(text) else text


def _text(_: str, value: object) -> str | None:
    return plain_text(value)


def _model(_: str, value: object) -> str | None:
    text = plain_text(value)
    return None if text is None or text.lower() in _NOT_MODELS else text


def _host(_: str, value: object) -> str | None:
    """Keep a host alone: what follows it in an address may hold a key."""
    text = plain_text(value)
    if text is None:
        return None
    try:
        return urlsplit(text if "//" in text else f"//{text}").hostname
    except ValueError:
        return None


def _whole(_: str, value: object) -> int | None:
    try:
        number = round(float(value)) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None
    return number if number is not None and abs(number) < _WIDEST else None


def _flag(_: str, value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else None


def _count(field: str, value: object) -> int | None:
    return count(value, field)


_READERS: dict[str, Callable[[str, object], object]] = {
    "timestamp": lambda _, value: read_time(value),
    "model": _model,
    "backendHost": _host,
    "statusCode": _whole,
    "durationMs": _whole,
    "forwarded": _flag,
    "streamed": _flag,
    **dict.fromkeys(COUNTS, _count),
}
