"""Money of cross-border channels: exact minor units by the currency's digits (ISO 4217), and names of payment methods.

A currency that the table does not have is an error, never two digits by guess: JPY 1200 is 1200 minor units, KWD 1.234 is 1234.
IDR has two digits in ISO 4217, however platforms show it.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from connectors.reading import minor
from schemas.facts import Unusable

_BY_DIGITS: Final[Mapping[int, str]] = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP BYN BZD CAD CDF CHE CHF CHW CNY"
        " COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR"
        " JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO"
        " NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS"
        " TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
DIGITS: Final[Mapping[str, int]] = MappingProxyType({code: digits for digits, codes in _BY_DIGITS.items() for code in codes.split()})
"""Minor digits of each currency and fund of ISO 4217's list one, without metals, baskets and test codes."""
_BETWEEN_WORDS: Final = re.compile(r"[\W_]+")
LONGEST_NAME: Final = 128  # characters of a payment method


def digits(currency: Any) -> int:
    """The decimals of a currency. Raises Unusable: an unknown one is never guessed."""
    found = DIGITS.get(currency) if isinstance(currency, str) else None
    if found is None:
        shown = repr(currency)[:24]
        raise Unusable("invalid", f"the currency {shown} is none of ISO 4217, so its minor unit is not known")
    return found


def in_minor(amount: Any, currency: Any) -> int | None:
    """An amount in units as text or number, in its currency's minor units; None where there is no amount.

    A float is taken by its shortest decimal text. Decimals beyond the currency's digits must be zeros. Raises Unusable.
    """
    if amount is None or amount == "":
        return None
    return minor(amount, digits(currency))


def payable(amount: Any, currency: Any) -> tuple[int | None, str | None]:
    """An amount to pay in minor units with its currency; neither where there is no amount. Raises Unusable."""
    exact = in_minor(amount, currency)
    if exact is not None and exact < 0:
        raise Unusable("invalid", f"the amount {str(amount)[:24]} is negative")
    return exact, (currency if exact is not None else None)


def method(name: Any) -> str | None:
    """A payment method as rules name it: the platform's own words in lower case, joined by `_`; None for none.

    `ShopeePay Wallet` and `SHOPEEPAY_WALLET` → `shopeepay_wallet`; `Cash on Delivery` → `cash_on_delivery`; `現付` stays.
    """
    if not isinstance(name, str):
        return None
    return _BETWEEN_WORDS.sub("_", name).strip("_").casefold()[:LONGEST_NAME] or None
