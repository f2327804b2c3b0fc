"""What the fuzzer found in connectors and tables, each by the smallest push that shows it."""

from dataclasses import replace

import pytest

from connectors.intake import Address
from connectors.reading import epoch, minor
from connectors.registry import decoders
from schemas import codec, couriers, mapping, phrases
from schemas.facts import Unusable
from schemas.records import RawEvent
from streams.normalise.normalise import normalise
from streams.policy import Policy
from tests.contract.connectors.cases import CASES, NOW, Case, douyin, jushuitan, pinduoduo, taobao

BY_NAME = {case.name: case for case in CASES if case.name != "generic"}
HUGE = 10**30


def reason(case: Case, message: bytes) -> str:
    """Why the only fact of a push ends as a dead letter."""
    (publication,) = Address(case.shop, case.connector).receive(case.push(message), NOW)
    with pytest.raises(Unusable) as caught:
        normalise(codec.decode(publication.value, RawEvent), decoders(), Policy())
    return caught.value.reason


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("douyin", douyin("101", 1, order_status=2, pay_time=1795312800, pay_amount=HUGE)),
        ("douyin", douyin("101", 1, order_status=2, pay_time=1795312800, total_amount=HUGE)),
        ("pinduoduo", pinduoduo("pdd_trade_TradeConfirmed", 1, pay_amount=HUGE)),
        ("pinduoduo", pinduoduo("pdd_trade_TradeConfirmed", 1, pay_amount=-HUGE)),
        ("jushuitan", jushuitan(items=[{"sku_id": "S1", "qty": HUGE}])),
        ("jushuitan", jushuitan(pay_amount="1e999999")),
        ("taobao", taobao("taobao_trade_TradeBuyerPay", 1, payment="9e9999999")),
    ],
)
def test_an_amount_beyond_all_bounds_is_the_senders_fault(name: str, message: bytes) -> None:
    """A number that no column holds makes a dead letter `invalid`, not one that says that our fold has failed."""
    assert reason(BY_NAME[name], message) == "invalid"


@pytest.mark.parametrize(
    "amount", ["1e999999", "-9e9999999", "9" * 5_000, 10**5_000, "sNaN", [[]], {"a": 1}], ids=lambda amount: type(amount).__name__
)
def test_no_amount_escapes(amount: object) -> None:
    """Unusable, whatever Decimal and int would raise."""
    with pytest.raises(Unusable) as caught:
        minor(amount)
    assert len(caught.value.detail) < 200


def test_a_time_of_thousands_of_digits_is_a_bad_timestamp() -> None:
    """An integer that Python refuses to print is no reason to fail."""
    with pytest.raises(Unusable) as caught:
        epoch(10**5_000, 1)
    assert caught.value.reason == "bad_timestamp"


def test_long_texts_do_not_fill_the_cache() -> None:
    """Texts that differ beyond what is looked at have one reading, which is kept once."""
    phrases._read.cache_clear()
    for n in range(50):
        assert phrases.read("快件已签收" + "。" * phrases.LONGEST + str(n)).status == "Signed"
    assert phrases._read.cache_info().currsize == 1


@pytest.mark.parametrize("text", ["[" * 5_000, "a: 1", "a: [1]\nb: 2026-11-22", "? [x]\n: [y]", "- 1", "a: {b: [c]}"])
def test_tables_raise_value_errors_only(text: str) -> None:
    """Whatever the file holds."""
    for parse in (mapping.parse, phrases.parse):
        with pytest.raises(ValueError, match="t"):
            parse(text, "t")
    try:
        couriers.parse(text, "t")
    except ValueError as error:
        assert str(error).startswith("t: ")  # noqa: PT017 (some of them are tables of names)


@pytest.mark.parametrize("case", [case for case in CASES if not case.connector.pull_only], ids=lambda case: f"{case.name}-{case.shop.kind}")
def test_a_replayed_push_is_harmless(case: Case) -> None:
    """The same bytes with the same signature: the same ids under the same keys, at any time at which they are still taken."""
    push, address = case.push(*(case.messages if case.many else case.messages[:1])), Address(case.shop, case.connector)
    first, again = (address.receive(push, now) for now in (NOW, NOW + 200))
    assert [(one.topic, one.key, codec.decode(one.value, RawEvent).event_id) for one in first] == [
        (one.topic, one.key, codec.decode(one.value, RawEvent).event_id) for one in again
    ]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.name}-{case.shop.kind}")
def test_no_answer_and_no_envelope_holds_a_secret(case: Case) -> None:
    """Sentinels in every secret of a shop: they are in no refusal, no representation, no envelope and no record's headers."""
    told = ("SECRET-a7c1", "TOKEN-a7c1", case.shop.aes_key or "")
    shop = replace(case.shop, secret=told[0], token=told[1])
    address = Address(shop, case.connector)
    seen = [repr(shop), repr(address), str(shop)]
    for push in (case.seal(shop, case.messages[:1], NOW), case.seal(shop, case.messages[:1], NOW - 9_999), case.push()):
        try:
            seen += [repr(each) for each in address.receive(push, NOW)]
        except Exception as error:  # noqa: BLE001 (whatever is raised, its text must not hold a secret)
            seen += [str(error), repr(error)]
    assert all(sentinel not in text for text in seen for sentinel in told if sentinel)
