"""How finely a currency is paid: the digits after the point of its minor unit, by ISO 4217."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from chargeback.errors import ReportError

_CODES_BY_DIGITS: Mapping[int, str] = MappingProxyType(
    {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
        2: """
        AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW
        CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR
        ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV
        MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD
        SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VES VED WST XCD XCG YER ZAR ZMW ZWG
        """,
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }
)

MINOR_DIGITS: Mapping[str, int] = MappingProxyType(
    {code: digits for digits, codes in _CODES_BY_DIGITS.items() for code in codes.split()}
)
"""Currency -> digits of its minor unit: `USD` 2, `JPY` 0."""


def minor_digits(currency: str) -> int:
    """Return the digits after the point that amounts of a currency are rounded to.

    Raises:
        ReportError: ISO 4217 has no such currency.
    """
    digits = MINOR_DIGITS.get(currency)
    if digits is None:
        raise ReportError(f"{currency!r} is no currency of ISO 4217: name one by its three capital letters, EUR say")
    return digits
