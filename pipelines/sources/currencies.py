"""How files mark amounts with a currency: ISO 4217 codes and signs. Nothing here converts money."""

from collections.abc import Iterable

_CODES = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF
    IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD
    MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB
    RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD
    UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CODES = frozenset(_CODES.split())
"""ISO 4217, list one: the currencies in use, without funds and metals."""

SIGNS = {
    "US$": "USD", "CA$": "CAD", "C$": "CAD", "AU$": "AUD", "A$": "AUD", "NZ$": "NZD", "HK$": "HKD", "S$": "SGD",
    "R$": "BRL", "€": "EUR", "£": "GBP", "₹": "INR", "₽": "RUB", "₺": "TRY", "₩": "KRW", "₪": "ILS", "₫": "VND",
    "₱": "PHP", "₦": "NGN", "฿": "THB", "₴": "UAH", "₸": "KZT", "zł": "PLN", "Kč": "CZK", "Ft": "HUF", "SFr.": "CHF",
    "Fr.": "CHF", "lei": "RON", "лв": "BGN",
}  # fmt: skip
"""Signs that stand for one currency."""

SHARED_SIGNS = ("$", "¥", "kr.", "kr", "Rs.", "Rs")
"""Signs of several currencies; which one is meant only the shop can say."""

MARK = "(?:" + "|".join(sign.replace("$", r"\$").replace(".", r"\.") for sign in (*SIGNS, *SHARED_SIGNS))
MARK += "|" + "|".join(sorted(CODES)) + ")"
"""Regular expression of one mark; longer signs stand before those that they begin with."""


def currencies_meant(marks: Iterable[str]) -> tuple[str, ...]:
    """Say which currencies marks stand for; a sign of several counts for itself unless a code explains it.

    >>> currencies_meant(["€", "EUR", "$"])
    ('$', 'EUR')
    >>> currencies_meant(["$", "USD"])
    ('USD',)
    """
    meant = {SIGNS.get(mark, mark) for mark in marks}
    if "$" in meant and sum(code.endswith("D") for code in meant & CODES) == 1:
        meant.discard("$")
    return tuple(sorted(meant))
