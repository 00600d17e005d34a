"""Which names' text may stay in a dead letter, and which names announce a prompt or a completion.

All in lower case, letters and digits only.
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


CALL_IDS = _names("requestid apimrequestid messageid operationid correlationid traceid responseid id")
"""The call's own ids, which may be 32 hex digits and are no keys."""

KEPT = CALL_IDS | _names(
    """
    schema specversion category type kind object code status statuscode responsecode finishreason stopreason
    timestamp eventtime time ts created createdat datetime
    subscriptionid apimsubscriptionid subscription subject appsubscriptionkey subscriptionkey appkey apikey
    ocpapimsubscriptionkey appid azp clientappid applicationid clientid tenantid userid enduserid useroid user
    productid productname product costcenter costcentre xcostcenter
    apiid api operationname operation apioperation deploymentid deploymentname deployment
    serveddeployment spilloverfrom modelregion routelocation routename backendid backendhost backend model modelname
    servicetier region gatewayregion gatewayname location targetservice usagesource note source
    forwarded streamed stream isstream isstreamcompletion durationms latencyms modeltime responsetime
    """
)
"""Their text is kept when it is short."""

ADDRESSES = _names("backendurl url")
"""Kept without their query, which may hold a key."""

RESPONSES = _names("response responsebody properties message data")
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
