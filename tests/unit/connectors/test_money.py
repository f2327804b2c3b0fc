"""Minor units by the currency, exactly, and names of payment methods."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors import money
from schemas.facts import Unusable


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        ("403.00", "USD", 40_300),
        (48.9, "SGD", 4_890),
        (0.1, "CNY", 10),
        (1004.0, "VND", 1_004),
        ("1200", "JPY", 1_200),
        ("1200.00", "KRW", 1_200),
        ("1.234", "KWD", 1_234),
        (12.5, "BHD", 12_500),
        ("15000", "IDR", 1_500_000),
        (1409.9, "MYR", 140_990),
        ("9007199254740993.01", "TWD", 900_719_925_474_099_301),
        (None, "USD", None),
        ("", "USD", None),
        (0, "THB", 0),
    ],
)
def test_the_minor_units_of_a_currency(amount: object, currency: str, minor: int | None) -> None:
    """Yen and dong have no decimals, dinars three, rupiah two by ISO 4217; a float is its shortest text."""
    assert money.in_minor(amount, currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [
        ("1.5", "JPY"),
        ("1.234", "USD"),
        ("1.2345", "KWD"),
        (0.1 + 0.2, "USD"),
        ("1e400", "USD"),
        ("ten", "USD"),
        (True, "USD"),
        ("NaN", "USD"),
    ],
)
def test_what_is_no_sum_of_the_currency(amount: object, currency: str) -> None:
    """More decimals than the currency has, or no number at all, is an error and never rounded."""
    with pytest.raises(Unusable) as caught:
        money.in_minor(amount, currency)
    assert caught.value.reason == "invalid"


@pytest.mark.parametrize("currency", ["XXX", "usd", "RMB", "", None, 156, ["USD"], "DOGE", "US\x00"])
def test_an_unknown_currency_is_never_guessed(currency: object) -> None:
    """A currency that ISO 4217 does not have is an error; without an amount nobody asks for it."""
    with pytest.raises(Unusable, match="none of ISO 4217"):
        money.in_minor("1.00", currency)
    assert money.in_minor(None, currency) is None


def test_what_is_paid_has_a_currency_or_neither() -> None:
    """No amount, no currency; a negative amount is no amount to pay."""
    assert money.payable("48.90", "SGD") == (4_890, "SGD")
    assert money.payable(None, "SGD") == (None, None)
    with pytest.raises(Unusable, match="negative"):
        money.payable("-1.00", "SGD")


def test_the_table_is_of_three_letters_each_once() -> None:
    """Every currency has one number of digits, and the big ones are there."""
    assert all(len(code) == 3 and code.isascii() and code.isupper() for code in money.DIGITS)
    assert sum(len(codes.split()) for codes in money._BY_DIGITS.values()) == len(money.DIGITS) > 150
    shopee_and_tiktok = "SGD MYR THB TWD IDR VND PHP BRL MXN COP CLP PLN EUR GBP USD JPY ARS CNY"
    assert set(shopee_and_tiktok.split()) <= money.DIGITS.keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("ShopeePay Wallet", "shopeepay_wallet"),
        ("shopeepay_wallet", "shopeepay_wallet"),
        ("SHOPEEPAY_WALLET", "shopeepay_wallet"),
        ("Cash on Delivery", "cash_on_delivery"),
        ("Bank BCA (Manual Transfer)", "bank_bca_manual_transfer"),
        ("Dragonpay - Remittance Center", "dragonpay_remittance_center"),
        ("Kredivo - 3 Months Installment", "kredivo_3_months_installment"),
        ("現付", "現付"),
        ("CCDC", "ccdc"),
        ("  PayPal  ", "paypal"),
        ("---", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_payment_method_has_one_name(name: object, said: str | None) -> None:
    """The platform's own words in lower case, joined by `_`, whatever stands between them."""
    assert money.method(name) == said


@given(st.text(max_size=300))
def test_a_name_is_its_own_name(name: str) -> None:
    """Naming a method twice changes nothing, so a rule may be written from what was seen."""
    once = money.method(name)
    assert once is None or len(once) <= money.LONGEST_NAME
    assert money.method(once) == once


@given(st.integers(0, 10**15), st.sampled_from(sorted(money.DIGITS)))
def test_exact_for_every_currency(minor: int, currency: str) -> None:
    """What is written with the currency's decimals is read back without loss."""
    digits = money.digits(currency)
    text = f"{minor // 10**digits}.{minor % 10**digits:0{digits}d}" if digits else str(minor)
    assert money.in_minor(text, currency) == minor
