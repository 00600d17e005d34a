"""Which names' text may stay in a dead letter, and which names announce a prompt or a completion.

All in lower case, letters and digits only.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CALL_IDS = _names("requestid apimrequestid messageid operationid correlationid traceid responseid id")
"""The call's own ids, which may be 32 hex digits and are no keys."""

KEYS = _names("subscriptionkey apikey ocpapimsubscriptionkey")
"""What stands under these is a key, whatever it looks like."""

TIMES = _names("timestamp eventtime time timegenerated ts created createdat datetime")
"""They may be written in any culture's way, and are what a rejection may be about."""

TITLES = _names(
    """
    subscriptionid apimsubscriptionid subscription appsubscriptionkey appkey
    productid productname product costcenter costcentre xcostcenter
    apiid api operationname operation apioperation
    modelregion routelocation routename region gatewayregion location
    """
)
"""What the gateway's owner named: products, subscriptions, operations, places. Such names may be several words. (Some
policies write a subscription's name where others write its key.)"""

CODES = CALL_IDS | _names(
    """
    schema specversion category type kind object code status statuscode responsecode finishreason stopreason
    subject appid azp clientappid applicationid clientid tenantid userid enduserid useroid user
    deploymentid deploymentname deployment serveddeployment spilloverfrom backendid backendhost backend
    model modelname servicetier gatewayname targetservice usagesource note source
    forwarded streamed stream isstream isstreamcompletion durationms latencyms modeltime responsetime
    """
)
"""What a program made, or what a caller may fill with anything: one word, or two."""

KEPT = CODES | TITLES | TIMES | KEYS
"""Their text is kept when it is short and looks like what the name promises."""

ADDRESSES = _names("backendurl url")
"""Kept without their query, which may hold a key."""

RESPONSES = _names("response responsebody body properties message data usage")
"""They hold texts, and the usage among them: what is inside is looked at."""

ENCODED = _names("database64")
"""A CloudEvent's data in base64: what is inside is looked at."""

TEXTS = _names(
    """
    request requestbody requestmessages responsemessages messages prompt input choices content output text
    instructions tools arguments embedding query question answer
    """
)
"""All that is under them goes, whatever it is."""
