"""TikTok Shop: types, both spellings, cases, ids as texts, money, payment methods, parcels and days."""

from typing import Any

import pytest

from connectors.base import Push
from connectors.config import Shop
from connectors.intake import Address, envelope
from connectors.tiktok_shop import TABLE, TiktokShop
from ops.simulator.facts import Account, Order, Say
from ops.simulator.platforms import tiktok_shop as simulated
from schemas import codec
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelRef, RawEvent
from streams.days import shanghai_day
from tests.contract.connectors.kit import NOW
from tests.contract.connectors.platforms import tiktok_shop as side
from tests.unit.connectors.shop_floor import Floor, at

CONNECTOR = TiktokShop()


def pushed(message: bytes) -> list[Observation]:
    """What a push says."""
    records = Address(side.SHOP, CONNECTOR).receive(side.seal(side.SHOP, [message], NOW), NOW)
    return [CONNECTOR.decode(codec.decode(record.value, RawEvent)) for record in records]


def listed(feed: str, item: bytes) -> list[Observation]:
    """What an object of a list says."""
    records = [envelope(side.SHOP, fact, int(NOW * 1000)) for fact in CONNECTOR.pulled(side.SHOP, feed, item)]
    return [CONNECTOR.decode(codec.decode(record.value, RawEvent)) for record in records]


@pytest.mark.parametrize("code", TABLE.fields["order_status"])
def test_every_status_of_an_order_is_read(code: str) -> None:
    """Type 1 states what its row says; the same status of the list has the same id."""
    row = TABLE.fields["order_status"][code]
    (said,) = pushed(side.status(code))
    (asked,) = listed("orders", side.order(code))
    assert (said.status, said.axis, said.raw_code) == (row.status, "fulfilment", code)
    assert (asked.status, asked.event_id, asked.order_id) == (said.status, said.event_id, side.NUMBER)


@pytest.mark.parametrize("code", TABLE.fields["order_status_legacy"])
def test_the_old_numbers_are_read(code: str) -> None:
    """A number states what the word of the same meaning does."""
    (said,) = pushed(side.status(code))
    assert (said.status, said.raw_code) == (TABLE.fields["order_status_legacy"][code].status, code)


@pytest.mark.parametrize("code", TABLE.fields["return_status"])
def test_every_status_of_a_return_is_read(code: str) -> None:
    """Type 12 states a case; the list has the same fact under the same id."""
    (said,) = pushed(side.returned(code))
    (asked,) = listed("returns", side.listed_return(code))
    assert (said.axis, said.status, said.case_id) == ("aftersale", TABLE.fields["return_status"][code].status, "4035318504086604100")
    assert (asked.event_id, asked.status, asked.aftersale_kind) == (said.event_id, said.status, "refund_only")


@pytest.mark.parametrize(
    "code", ["RETURN_OR_REFUND_REQUEST_CANCEL", "RETURN_OR_REFUND_REQUEST_CANCELLED", "RETURN_OR_REFUND__REQUEST_CANCELLED"]
)
def test_both_spellings_close_the_case(code: str) -> None:
    """The pages spell a withdrawn request differently; all close the case."""
    (said,) = pushed(side.returned(code))
    assert said.status == "RefundClosed"


@pytest.mark.parametrize("code", TABLE.fields["cancel_status"])
def test_every_status_of_a_cancellation_is_read(code: str) -> None:
    """Type 11 states a refund without goods that ends no order by itself: it may be of some lines only."""
    row = TABLE.fields["cancel_status"][code]
    (said,) = pushed(side.cancelled(code, update_time=side.AT))
    (asked,) = listed("cancellations", side.listed_cancellation(code))
    assert (said.status, said.aftersale_kind, said.partial_refund, said.axis) == (row.status, "refund_only", True, "aftersale")
    assert (asked.event_id, asked.case_id) == (said.event_id, "4035318504086604101")


@pytest.mark.parametrize(
    ("kind", "meaning"), [("REFUND", "refund_only"), ("RETURN_AND_REFUND", "return_refund"), ("REPLACEMENT", None), ("NEW_KIND", None)]
)
def test_whether_goods_come_back(kind: str, meaning: str | None) -> None:
    """The return's type tells refund from return; an exchange is neither, an unknown type is not guessed."""
    (said,) = pushed(side.returned("AWAITING_BUYER_SHIP", kind))
    assert said.aftersale_kind == meaning


@pytest.mark.parametrize(
    ("more", "partial"),
    [
        ({"seller_proposed_return_type": "PARTIAL_REFUND"}, True),
        ({"seller_proposed_return_type": "PARTIAL_REFUND", "buyer_rejected_partial_refund": True}, False),
        ({}, False),
    ],
)
def test_a_partial_refund_is_known_from_the_list(more: dict[str, Any], partial: bool) -> None:
    """A listed return says where the seller's partial refund was taken."""
    (said,) = listed("returns", side.listed_return("RETURN_OR_REFUND_REQUEST_COMPLETE", **more))
    assert (said.status, said.partial_refund) == ("Refunded", partial)


def test_the_older_reverse_order() -> None:
    """Type 2 is a case by its own number; its numeric statuses are documented nowhere and are not guessed."""
    known = side.push(2, order_id=side.NUMBER, reverse_order_id="7", reverse_order_status="BUYER_SHIPPED_ITEM", update_time=side.AT)
    (said,) = pushed(known)
    assert (said.status, said.case_id) == ("ReturnInTransit", "7")
    with pytest.raises(Unusable) as caught:
        pushed(side.push(2, order_id=side.NUMBER, reverse_order_id="7", reverse_order_status=51, update_time=side.AT))
    assert (caught.value.reason, caught.value.code) == ("unmapped_status", "51")


def test_details_of_a_listed_order() -> None:
    """Money by the currency's digits, the method as it is named, pieces counted by article, each parcel once, ids as texts."""
    (said,) = listed("orders", side.order("AWAITING_SHIPMENT", tracking_number="JX12345", shipping_provider="J&T Express"))
    assert (said.payable_minor, said.currency, said.payment_method) == (1_500_000, "IDR", "cash_on_delivery")
    assert said.lines == [Line(sku="red-256", qty=2, price_minor=500_000), Line(sku="2729382476852921560", qty=1, price_minor=500_000)]
    assert [parcel.tracking_no for parcel in said.parcels] == ["JX12345"]
    assert isinstance(said.parcels[0], ParcelRef)
    assert (said.order_id, said.customer_id, said.province) == (side.NUMBER, "7021436810468230477", "Bali")


@pytest.mark.parametrize(
    ("amount", "currency", "minor"), [("1200", "JPY", 1200), ("21.3", "USD", 2130), ("99000", "VND", 99_000), ("0.01", "GBP", 1)]
)
def test_money_is_of_the_currency(amount: str, currency: str, minor: int) -> None:
    """Yen and dong have no decimals."""
    (said,) = listed("orders", side.order("AWAITING_SHIPMENT", payment={"currency": currency, "total_amount": amount}, line_items=[]))
    assert (said.payable_minor, said.currency) == (minor, currency)


@pytest.mark.parametrize(
    "payment", [{"currency": "XYZ", "total_amount": "1"}, {"total_amount": "1"}, {"currency": "JPY", "total_amount": "1.5"}]
)
def test_money_that_cannot_be_read_is_a_dead_letter(payment: dict[str, str]) -> None:
    """An unknown currency, or more decimals than it has, is said and never guessed."""
    with pytest.raises(Unusable) as caught:
        listed("orders", side.order("AWAITING_SHIPMENT", payment=payment, line_items=[]))
    assert caught.value.reason == "invalid"


@pytest.mark.parametrize(("moment", "day"), [(1795276799, "2026-11-21"), (1795276800, "2026-11-22"), (1795363199, "2026-11-22")])
def test_the_day_is_shanghais(moment: int, day: str) -> None:
    """Epoch seconds are UTC: 16:00 UTC begins Shanghai's next day."""
    (said,) = pushed(side.status("AWAITING_SHIPMENT", moment))
    assert (said.occurred_at, shanghai_day(said.occurred_at)) == (moment * 1000, day)


def test_a_cancellation_without_its_time_is_of_the_push() -> None:
    """The documented push has the request's time alone: a later status happened when it was pushed."""
    (asked,) = pushed(side.cancelled("CANCELLATION_REQUEST_PENDING"))
    (done,) = pushed(side.cancelled("CANCELLATION_REQUEST_COMPLETE"))
    assert (asked.occurred_at, done.occurred_at) == (side.AT * 1000, (side.AT + 123) * 1000)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (side.push(1, order_id=side.NUMBER, update_time=side.AT), "invalid"),
        (side.push(1, order_status="UNPAID", update_time=side.AT), "invalid"),
        (side.push(12, order_id=side.NUMBER, return_status="AWAITING_BUYER_SHIP", update_time=side.AT), "invalid"),
        (side.push(11, order_id=side.NUMBER, cancel_status="CANCELLATION_REQUEST_PENDING", update_time=side.AT), "invalid"),
        (side.push(99, order_id=side.NUMBER), "unmapped_status"),
        (side.push(1, order_id=side.NUMBER, order_status="UNPAID", update_time="soon"), "bad_timestamp"),
    ],
)
def test_what_cannot_be_read_is_said(message: bytes, reason: str) -> None:
    """One envelope and one reason for each kind of mistake."""
    with pytest.raises(Unusable) as caught:
        pushed(message)
    assert caught.value.reason == reason


def test_without_the_app_key_it_is_not_configured() -> None:
    """The app key is signed too, so a shop without it is refused at the start."""
    with pytest.raises(ValueError, match="app_key"):
        CONNECTOR.check(Shop("channel", "tiktok_shop", "tiktok_shop", "1", "secret"))


def test_an_orders_whole_life_has_no_jump() -> None:
    """All of TikTok's statuses in their order are normal progress, and on hold nothing is released."""
    floor = Floor(side.CASES[0])
    for minute, word in enumerate(["UNPAID", "ON_HOLD"]):
        floor.push(minute, side.status(word, at(minute)))
    assert floor.pool == []
    for minute, word in enumerate(["AWAITING_SHIPMENT", "AWAITING_COLLECTION", "IN_TRANSIT", "DELIVERED", "COMPLETED"], 2):
        floor.push(minute, side.status(word, at(minute)))
    assert (floor.jumps, floor.pool, floor.dead) == ([], ["release"], [])
    assert floor.state(floor.key).status == "Completed"


def test_pushed_and_listed_facts_meet() -> None:
    """What was pushed and is then listed is a duplicate, not a statement more; the list adds what a push does not say."""
    floor = Floor(side.CASES[0]).push(0, side.status("AWAITING_SHIPMENT", at(0))).pull(1, "orders", side.order("AWAITING_SHIPMENT"))
    assert (floor.dispositions, floor.pool) == (["change"], ["release"])
    assert floor.state(floor.key).sources[0].duplicates == 1


def test_an_exchange_withdraws_nothing() -> None:
    """A replacement that is done closes its case: nothing was refunded, and the order goes on."""
    floor = Floor(side.CASES[0]).push(0, side.status("AWAITING_SHIPMENT", at(0)))
    floor.push(1, side.returned("REPLACEMENT_REQUEST_PENDING", "REPLACEMENT", at(1)))
    floor.push(2, side.returned("REPLACEMENT_REQUEST_COMPLETE", "REPLACEMENT", at(2)))
    assert (floor.pool, floor.jumps, floor.state(floor.key).aftersale_status) == (["release"], [], "RefundClosed")


def test_a_case_that_is_opened_again() -> None:
    """A withdrawn request that is made again is the same case, asked for once more."""
    floor = Floor(side.CASES[0]).push(0, side.status("COMPLETED", at(0)))
    for minute, word in enumerate(["REQUEST_PENDING", "_REQUEST_CANCELLED", "REQUEST_PENDING", "REQUEST_COMPLETE"], 1):
        floor.push(minute, side.returned(f"RETURN_OR_REFUND_{word}", at=at(minute)))
    assert (floor.dispositions, floor.state(floor.key).aftersale_status) == (["change"] * 5, "Refunded")


def test_a_cancellation_of_some_lines_withdraws_nothing() -> None:
    """A cancelled line is paid back while the order goes on; the order's own CANCELLED ends it."""
    floor = Floor(side.CASES[0]).push(0, side.status("AWAITING_SHIPMENT", at(0)))
    floor.push(1, side.cancelled("CANCELLATION_REQUEST_COMPLETE", update_time=at(1)))
    assert floor.pool == ["release"]
    floor.push(2, side.status("CANCELLED", at(2)))
    assert floor.pool == ["release", "withdraw"]


ORDER = Order(
    channel="tiktok_shop",
    shop=side.SHOP.shop,
    number=side.NUMBER,
    customer="c",
    province="p",
    payable=1,
    sku="s",
    courier="zto",
    tracking="7",
)
PLAYS = [*(("fulfilment", status) for status in simulated.STATUSES), *(("aftersale", status) for status in simulated.RETURNS)]


@pytest.mark.parametrize(("axis", "status"), PLAYS)
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's TikTok writes and signs is taken and states what was to be said."""
    account = Account("tiktok_shop", side.SHOP.shop, side.SHOP.secret, app_key=f"{side.SHOP.app_key}")
    said = Say(speaker="tiktok_shop", order=ORDER, axis=axis, status=status, at=1795312800000, play=0, nonce=1)
    request = simulated.PLATFORM.seal(account, simulated.PLATFORM.write(account, [said]), int(NOW))
    push = Push(request.body, {name.lower(): value for name, value in request.headers.items()})
    (record,) = Address(side.SHOP, CONNECTOR).receive(push, NOW)
    found = CONNECTOR.decode(codec.decode(record.value, RawEvent))
    assert found.status == ("PaymentPending" if status == "Created" else status)
    assert (found.order_key, found.occurred_at) == (ORDER.key, 1795312800000)
