"""Shopee: the callback URL that is signed, statuses of orders, returns and packages, payment methods, money and days."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from connectors import money, server
from connectors.base import BadSignature, Push
from connectors.intake import Address, Publication, addresses, envelope
from connectors.metrics import Metrics
from connectors.pull.base import PULLED
from connectors.registry import CONNECTORS
from connectors.shopee import TABLE, Shopee, sign
from ops.simulator.facts import Account, Order, Say
from ops.simulator.platforms import shopee as simulated
from schemas import codec
from schemas.facts import Unusable
from schemas.records import Line, Observation, RawEvent
from streams.days import shanghai_day
from streams.orders.rules import RuleSet
from tests.contract.connectors.kit import NOW, data
from tests.contract.connectors.platforms import shopee as side
from tests.unit.connectors.shop_floor import Floor, at

CONNECTOR = Shopee()


def pushed(message: bytes) -> list[Observation]:
    """What a push says."""
    records = Address(side.SHOP, CONNECTOR).receive(side.seal(side.SHOP, [message], NOW), NOW)
    return [CONNECTOR.decode(codec.decode(record.value, RawEvent)) for record in records]


def listed(feed: str, item: bytes) -> list[Observation]:
    """What an object of a list says."""
    records = [envelope(side.SHOP, fact, int(NOW * 1000)) for fact in CONNECTOR.pulled(side.SHOP, feed, item)]
    events = [codec.decode(record.value, RawEvent) for record in records]
    assert all(event.headers[PULLED] == feed for event in events)
    return [CONNECTOR.decode(event) for event in events]


@pytest.mark.parametrize(
    "url",
    [
        "http://erp.example.com/push/shopee?from=shopee",
        "https://erp.example.com/push/shopee",
        side.URL + "/",
        "https://10.0.0.7/hooks/shopee/1",
    ],
)
def test_the_callback_url_is_part_of_what_is_signed(url: str) -> None:
    """A signature for another address, such as what a proxy makes of it, does not fit: the configured one counts alone."""
    body = side.status("READY_TO_SHIP")
    CONNECTOR.verify(side.SHOP, Push(body, {"authorization": sign("shpk-secret", side.URL, body)}), NOW)
    with pytest.raises(BadSignature):
        CONNECTOR.verify(side.SHOP, Push(body, {"authorization": sign("shpk-secret", url, body)}), NOW)


@pytest.mark.parametrize("options", [{}, {"callback_url": ""}, {"callback_url": "erp.example.com/push"}, {"callback_url": "ftp://a/b"}])
def test_without_the_callback_url_it_is_not_configured(options: dict[str, str]) -> None:
    """A shop that does not say which address Shopee signs for is refused at the start, with what to do."""
    with pytest.raises(ValueError, match=r"options\.callback_url"):
        addresses([replace(side.SHOP, options=options)], CONNECTORS)


def test_the_answer_is_empty() -> None:
    """2xx with an empty body is what Shopee asks for; anything else is pushed again."""
    reply = CONNECTOR.acknowledge(side.SHOP, 1)
    assert (reply.status, reply.body) == (200, b"")


class Sink:
    """A Kafka that takes everything."""

    def __init__(self) -> None:
        self.records: list[Publication] = []

    async def publish(self, records: Sequence[Publication]) -> None:
        """As connectors.publish.Publisher."""
        self.records += records

    async def ready(self) -> bool:
        """It is there."""
        return True


async def test_behind_a_proxy_the_server_answers_with_nothing() -> None:
    """Pushed to an address that is not the signed one, as a proxy does, a push is taken and gets 200 and no byte."""
    sink, body = Sink(), side.status("READY_TO_SHIP")
    settings = server.ServerSettings("127.0.0.1", 0, "", (side.SHOP,), clock=lambda: NOW)
    push = side.seal(side.SHOP, [body], NOW)
    async with TestClient(TestServer(server.build(settings, sink, Metrics()))) as client:
        answer = await client.post(f"/hooks/shopee/{side.SHOP.shop}", data=body, headers=dict(push.headers))
        assert (answer.status, await answer.read(), len(sink.records)) == (200, b"", 1)


@pytest.mark.parametrize("code", TABLE.fields["order_status"])
def test_every_status_of_an_order_is_read(code: str) -> None:
    """Code 3 states what its row says; the same status of the list has the same id."""
    row = TABLE.fields["order_status"][code]
    (said,) = pushed(side.status(code))
    (asked,) = listed("orders", side.order(code))
    assert (said.status, said.axis, said.raw_code) == (row.status, row.axis, code)
    assert (asked.status, asked.axis, asked.event_id) == (said.status, said.axis, said.event_id)


@pytest.mark.parametrize("code", TABLE.fields["return_status"])
def test_every_status_of_a_return_is_read(code: str) -> None:
    """Code 29 states the return's status as a case of its own; the list has the same fact under the same id."""
    (said,) = pushed(side.returned(code))
    (asked,) = listed("returns", side.listed(code))
    assert (said.axis, said.status) == ("aftersale", TABLE.fields["return_status"][code].status)
    assert (said.case_id, said.aftersale_kind, said.occurred_at) == ("261122171852695", "refund_only", 1795312800000)
    assert (asked.event_id, asked.case_id, asked.aftersale_kind) == (said.event_id, said.case_id, said.aftersale_kind)


@pytest.mark.parametrize("code", TABLE.fields["logistics_status"])
def test_a_package_states_only_that_a_person_is_needed(code: str) -> None:
    """One package of perhaps several neither ends an order nor pays or ships it: OnHold is stated, the rest is not."""
    row = TABLE.fields["logistics_status"][code]
    found = pushed(side.push(30, ordersn=side.SN, package_number="OFG1", fulfillment_status=code, update_time=side.AT))
    assert [said.status for said in found] == (["OnHold"] if row.status == "OnHold" else [])


@pytest.mark.parametrize(
    ("codes", "word", "status"),
    [
        (["LOGISTICS_PICKUP_DONE", "LOGISTICS_READY"], "PROCESSED", "PartiallyShipped"),
        (["LOGISTICS_DELIVERY_DONE", "LOGISTICS_REQUEST_CREATED"], "READY_TO_SHIP", "PartiallyShipped"),
        (["LOGISTICS_PICKUP_DONE", "LOGISTICS_PICKUP_DONE"], "PROCESSED", "Packed"),
        (["LOGISTICS_READY", "LOGISTICS_READY"], "READY_TO_SHIP", "PaymentConfirmed"),
        (["LOGISTICS_PICKUP_DONE", "LOGISTICS_READY"], "CANCELLED", "Cancelled"),
        (["LOGISTICS_PICKUP_DONE", "LOGISTICS_READY"], "SHIPPED", "Shipped"),
        ([], "PROCESSED", "Packed"),
    ],
)
def test_a_split_order(codes: list[str], word: str, status: str) -> None:
    """An order that is still to be shipped is partly shipped once some, not all, of its packages have gone."""
    packages = [{"package_number": f"OFG{n}", "logistics_status": code} for n, code in enumerate(codes)]
    (said,) = listed("orders", side.order(word, package_list=packages))
    assert said.status == status


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("ShopeePay Wallet", "shopeepay_wallet"),
        ("shopeepay_wallet", "shopeepay_wallet"),
        ("Shopee Wallet", "shopee_wallet"),
        ("Cash on Delivery", "cash_on_delivery"),
        ("現付", "現付"),
        ("Kredivo - 3 Months Installment", "kredivo_3_months_installment"),
        ("A method of tomorrow", "a_method_of_tomorrow"),
        ("", None),
        (None, None),
    ],
)
def test_the_payment_method_arrives_as_the_platform_names_it(given: str | None, said: str | None) -> None:
    """Any method, known to us or not, is in the observation, so that a rule can name it and none is lost for want of one."""
    (found,) = listed("orders", side.order("READY_TO_SHIP", payment_method=given))
    assert (found.payment_method, found.status) == (said, "PaymentConfirmed")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [
        (48.9, "SGD", 4890),
        (1004.0, "VND", 1004),
        (152000, "IDR", 15_200_000),
        (0.07, "BRL", 7),
        (1409.9, "MYR", 140_990),
        (None, "SGD", None),
    ],
)
def test_money_is_of_the_currency(amount: float | None, currency: str, minor: int | None) -> None:
    """Floats by their shortest text, digits by the currency."""
    item = {"model_sku": "s", "model_quantity_purchased": 2, "model_discounted_price": amount}
    (said,) = listed("orders", side.order("READY_TO_SHIP", total_amount=amount, currency=currency, item_list=[item]))
    assert (said.payable_minor, said.currency) == (minor, currency if minor is not None else None)
    assert said.lines == [Line(sku="s", qty=2, price_minor=minor)]


@pytest.mark.parametrize("wrong", [{"currency": "XYZ"}, {"currency": None}, {"total_amount": 1.005}, {"total_amount": -1.0}])
def test_money_that_cannot_be_read_is_a_dead_letter(wrong: dict[str, Any]) -> None:
    """An unknown currency, or more decimals than it has, is said and never guessed."""
    with pytest.raises(Unusable) as caught:
        listed("orders", side.order("READY_TO_SHIP", **wrong))
    assert caught.value.reason == "invalid"


@pytest.mark.parametrize(("moment", "day"), [(1795276799, "2026-11-21"), (1795276800, "2026-11-22"), (1795363199, "2026-11-22")])
def test_the_day_is_shanghais(moment: int, day: str) -> None:
    """Epoch seconds are UTC: 16:00 UTC begins Shanghai's next day, whatever the market's own zone."""
    (said,) = pushed(side.status("READY_TO_SHIP", moment))
    assert (said.occurred_at, shanghai_day(said.occurred_at)) == (moment * 1000, day)


@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([("return_status", "REQUESTED"), ("return_status", "ACCEPTED")], "RefundApproved"),
        ([("return_status", "ACCEPTED"), ("refund_amount", 12)], "RefundApproved"),
        ([("refund_amount", 12)], None),
        ([], None),
    ],
)
def test_the_last_status_among_the_changes_counts(values: list[tuple[str, Any]], status: str | None) -> None:
    """A return's push names what has changed; without its status it states nothing."""
    changes = [{"update_field": name, "old_value": "", "new_value": value, "update_time": side.AT} for name, value in values]
    found = pushed(side.push(29, order_sn=side.SN, return_sn="9", updated_values=changes))
    assert [said.status for said in found] == ([status] if status else [])


def test_details_of_a_listed_order() -> None:
    """Buyer, place and lines are read; what Shopee has masked names nobody."""
    (said,) = listed("orders", side.order("READY_TO_SHIP"))
    assert (said.customer_id, said.province, said.lines) == ("9193214", "Singapore", [Line(sku="sku-red", qty=2, price_minor=2445)])
    (masked,) = listed("orders", side.order("READY_TO_SHIP", recipient_address={"state": "S****"}, buyer_user_id=0, item_list=[{}]))
    assert (masked.customer_id, masked.province, masked.lines) == (None, None, [])


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (side.push(3, status="READY_TO_SHIP", update_time=side.AT), "invalid"),
        (side.push(3, ordersn=side.SN, update_time=side.AT), "invalid"),
        (side.push(29, ordersn=side.SN, return_status="ACCEPTED", update_time=side.AT), "invalid"),
        (side.push(99, ordersn=side.SN), "unmapped_status"),
        (side.push(3, ordersn=side.SN, status="SHIPPED", update_time="yesterday"), "bad_timestamp"),
        (data({"code": 3, "shop_id": 727720655}), "invalid"),
    ],
)
def test_what_cannot_be_read_is_said(message: bytes, reason: str) -> None:
    """One envelope and one reason for each kind of mistake."""
    with pytest.raises(Unusable) as caught:
        pushed(message)
    assert caught.value.reason == reason


def test_an_orders_whole_life_has_no_jump() -> None:
    """Shopee's statuses in their order, a retry and the package's own pushes between them, are normal progress."""
    floor = Floor(side.CASES[0])
    words = ["UNPAID", "PENDING", "READY_TO_SHIP", "PROCESSED", "RETRY_SHIP", "PROCESSED", "SHIPPED", "TO_CONFIRM_RECEIVE", "COMPLETED"]
    for minute, word in enumerate(words):
        floor.push(minute, side.status(word, at(minute)))
        package = side.push(30, ordersn=side.SN, fulfillment_status="LOGISTICS_PICKUP_DONE", update_time=at(minute))
        floor.push(minute, package)
    assert (floor.jumps, floor.pool, floor.dead) == ([], ["release"], [])
    assert floor.state(floor.key).status == "Completed"


def test_a_request_to_cancel_that_is_withdrawn() -> None:
    """IN_CANCEL holds the order; decided either way it goes on, or ends and is withdrawn."""
    floor = Floor(side.CASES[0]).push(0, side.status("READY_TO_SHIP", at(0))).push(1, side.status("IN_CANCEL", at(1)))
    assert (floor.state(floor.key).sources[0].status, floor.pool) == ("OnHold", ["release"])
    floor.push(2, side.status("READY_TO_SHIP", at(2))).push(3, side.status("CANCELLED", at(3)))
    assert (floor.jumps, floor.pool) == ([], ["release", "withdraw"])


@pytest.mark.parametrize("method", ["ShopeePay Wallet", "A method of tomorrow", None])
def test_no_order_is_lost_for_its_payment_method(method: str | None) -> None:
    """A listed order is released whatever it was paid with; its state names the method for rules and people."""
    floor = Floor(side.CASES[0]).pull(1, "orders", side.order("READY_TO_SHIP", payment_method=method))
    assert (floor.pool, floor.dead) == (["release"], [])
    assert floor.state(floor.key).payment_method == money.method(method)


def test_a_rule_names_the_method() -> None:
    """A pool rule of `shopeepay_wallet` holds the orders that were paid with it, and no others."""
    rules = RuleSet.parse("rules: [{id: wallet, when: \"payment_method == 'shopeepay_wallet'\", action: hold}]")
    found = [listed("orders", side.order("READY_TO_SHIP", payment_method=name))[0] for name in ("ShopeePay Wallet", "Cash on Delivery")]
    assert [rules.judge({"payment_method": said.payment_method}).action for said in found] == ["hold", "release"]


ORDER = Order(
    channel="shopee", shop="727720655", number=side.SN, customer="c", province="p", payable=100, sku="s", courier="zto", tracking="7"
)


PLAYS = [*(("fulfilment", status) for status in simulated.STATUSES), *(("aftersale", status) for status in simulated.RETURNS)]


@pytest.mark.parametrize(("axis", "status"), PLAYS)
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's Shopee writes and signs is taken and states what was to be said."""
    account = Account("shopee", side.SHOP.shop, side.SHOP.secret, options=side.SHOP.options)
    said = Say(speaker="shopee", order=ORDER, axis=axis, status=status, at=1795312800000, play=0, nonce=1)
    request = simulated.PLATFORM.seal(account, simulated.PLATFORM.write(account, [said]), int(NOW))
    push = Push(request.body, {name.lower(): value for name, value in request.headers.items()})
    (record,) = Address(side.SHOP, CONNECTOR).receive(push, NOW)
    found = CONNECTOR.decode(codec.decode(record.value, RawEvent))
    assert found.status == ("PaymentPending" if status == "Created" else status)
    assert (found.order_key, found.occurred_at) == (ORDER.key, 1795312800000)
