"""Shopify: the product of an order's three fields, refunds by amounts, parcels, offsets, currencies and 64-bit ids."""

import itertools
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from connectors.base import MAX_FACTS, BadSignature, Push, TooMany
from connectors.config import Shop
from connectors.intake import Address, envelope
from connectors.shopify import TABLE, Shopify, stated
from ops.simulator.facts import Account, Order, Say
from ops.simulator.platforms import shopify as simulated
from schemas import codec
from schemas.facts import Unusable
from schemas.records import Line, Observation, RawEvent
from streams.days import shanghai_day
from tests.contract.connectors.kit import NOW, data
from tests.contract.connectors.platforms import shopify as side
from tests.unit.connectors.shop_floor import Floor, at

CONNECTOR = Shopify()
FINANCIAL: tuple[str, ...] = tuple(TABLE.fields["financial_status"])
PAID = ("paid", "partially_refunded")


def pushed(message: bytes, topic: str = "orders/updated", shop: Shop = side.SHOP) -> list[Observation]:
    """What a push says."""
    records = Address(shop, CONNECTOR).receive(side.seal(shop, [message], NOW, topic), NOW)
    return [CONNECTOR.decode(codec.decode(record.value, RawEvent)) for record in records]


def listed(item: bytes) -> list[Observation]:
    """What a listed order says."""
    records = [envelope(side.SHOP, fact, int(NOW * 1000)) for fact in CONNECTOR.pulled(side.SHOP, "orders", item)]
    return [CONNECTOR.decode(codec.decode(record.value, RawEvent)) for record in records]


def expected(financial: str | None, fulfillment: str | None, cancelled: bool) -> str | None:
    """What the three fields say together, written down apart from the code."""
    if cancelled or fulfillment == "restocked":
        return "Cancelled"
    if fulfillment is not None:
        return {"partial": "PartiallyShipped", "fulfilled": "Shipped"}[fulfillment]
    if financial in {"voided", "expired"}:
        return "Cancelled"
    if financial in PAID:
        return "PaymentConfirmed"
    return "PaymentPending" if financial in {"pending", "authorized", "partially_paid"} else None


@pytest.mark.parametrize(
    ("financial", "fulfillment", "cancelled"),
    list(itertools.product([*FINANCIAL, None], [None, "partial", "fulfilled", "restocked"], [False, True])),
)
def test_the_product_of_three_fields(financial: str | None, fulfillment: str | None, cancelled: bool) -> None:
    """Cancelled before all, goods before money; unfulfilled is paid only where the money says so."""
    said = stated(side.AT if cancelled else None, None, fulfillment, financial)
    assert (said and said.status) == expected(financial, fulfillment, cancelled)


@pytest.mark.parametrize(("fulfillment", "financial"), [("teleported", "paid"), (None, "teleported"), ("fulfilled", "teleported")])
def test_an_unknown_word_in_either_field_is_said(fulfillment: str | None, financial: str) -> None:
    """A word that no row has is never read as something near it, also where the other field would decide."""
    with pytest.raises(Unusable) as caught:
        stated(None, None, fulfillment, financial)
    assert (caught.value.reason, caught.value.code) == ("unmapped_status", "teleported")


def test_a_refunded_order_says_it_of_the_whole() -> None:
    """Each refund is a partial case of its own; `refunded` is the order's case, whole, beside what has shipped."""
    refunds = [side.refund(), side.refund(id=2, created_at="2026-11-21T21:30:00-05:00")]
    shipped, first, second, whole = pushed(side.order("refunded", "fulfilled", refunds=refunds, fulfillments=[side.parcel()]))
    assert (shipped.axis, shipped.status) == ("fulfilment", "Shipped")
    assert [(case.case_id, case.status, case.partial_refund) for case in (first, second)] == [
        ("509562969", "Refunded", True),
        ("2", "Refunded", True),
    ]
    assert (whole.case_id, whole.status, whole.partial_refund) == (str(side.NUMBER), "Refunded", False)
    assert whole.occurred_at == 1795314600000


def test_a_refunded_order_that_never_shipped_says_only_that() -> None:
    """Nothing is left to ship: no payment is stated of an order whose money has gone back."""
    found = pushed(side.order("refunded", None, refunds=[side.refund()]))
    assert [(said.axis, said.partial_refund) for said in found] == [("aftersale", True), ("aftersale", False)]


@pytest.mark.parametrize(
    ("refund", "status"),
    [
        (side.refund(), "Refunded"),
        (side.refund(status="pending"), "RefundApproved"),
        (side.refund(status="failure"), "RefundApproved"),
        (side.refund(amount="0.00"), None),
        (side.refund(transactions=[]), None),
        (side.refund(transactions=[{"kind": "void", "status": "success", "amount": "9.00", "currency": "USD"}]), None),
    ],
)
def test_a_refund_is_known_by_its_amounts(refund: dict[str, Any], status: str | None) -> None:
    """Money that went back is Refunded, money on its way approved; goods put back without money are no refund."""
    found = pushed(data(refund), "refunds/create")
    assert [(said.status, said.partial_refund, said.case_id) for said in found] == ([(status, True, "509562969")] if status else [])


@pytest.mark.parametrize(("kind", "meaning"), [("return", "return_refund"), ("no_restock", "refund_only"), ("cancel", "refund_only")])
def test_whether_goods_come_back(kind: str, meaning: str) -> None:
    """A refund's lines say whether they were returned."""
    (said,) = pushed(data(side.refund(kind)), "refunds/create")
    assert said.aftersale_kind == meaning


def test_a_refund_pushed_and_listed_is_one_fact() -> None:
    """The refund of refunds/create has the id that it has inside its order."""
    (alone,) = pushed(data(side.refund()), "refunds/create")
    _, inside = listed(side.order("partially_refunded", refunds=[side.refund()]))
    assert (alone.event_id, alone.case_id, alone.status) == (inside.event_id, inside.case_id, inside.status)


def test_a_topic_more_is_no_fact_more() -> None:
    """orders/create and orders/paid of the same state are one fact; a later change is another."""
    message = side.order("paid")
    ids = {pushed(message, topic)[0].event_id for topic in ("orders/create", "orders/paid", "orders/updated")}
    (later,) = pushed(side.order("paid", updated_at="2026-11-21T21:00:01-05:00"), "orders/updated")
    assert len(ids) == 1
    assert later.event_id not in ids


def test_parcels_and_their_time() -> None:
    """Every tracking number of a fulfillment is a parcel; the order was shipped when the last of them was made."""
    later = side.parcel(id=3, created_at="2026-11-21T22:00:00-05:00", tracking_numbers=[], tracking_number="9400")
    gone = side.parcel("cancelled", id=4, tracking_numbers=["none"])
    (said,) = pushed(side.order("paid", "fulfilled", fulfillments=[side.parcel(), later, gone]))
    assert [parcel.tracking_no for parcel in said.parcels] == ["1Z2345", "1Z2346", "9400"]
    assert {parcel.courier for parcel in said.parcels} == {"usps"}
    assert said.occurred_at == 1795316400000


def test_a_tracking_number_that_comes_later_is_not_a_repetition() -> None:
    """The same shipment with another parcel is a fact of its own, so that the parcel is linked."""
    (before,) = pushed(side.order("paid", "fulfilled", fulfillments=[side.parcel(tracking_numbers=[], tracking_number=None)]))
    (after,) = pushed(side.order("paid", "fulfilled", fulfillments=[side.parcel()]))
    assert before.parcels == []
    assert len(after.parcels) == 2
    assert before.event_id != after.event_id


def test_one_parcel_is_not_the_whole() -> None:
    """A fulfillment states that something has gone and which parcel; whether it was all, its order says."""
    (said,) = pushed(data(side.parcel()), "fulfillments/create")
    assert (said.status, [parcel.tracking_no for parcel in said.parcels]) == ("PartiallyShipped", ["1Z2345", "1Z2346"])
    assert pushed(data(side.parcel("pending")), "fulfillments/create") == []


@pytest.mark.parametrize(
    ("amount", "currency", "minor"),
    [("403.00", "USD", 40_300), ("1200", "JPY", 1_200), ("12.345", "KWD", 12_345), ("150000.00", "IDR", 15_000_000)],
)
def test_money_is_of_the_currency(amount: str, currency: str, minor: int) -> None:
    """Yen have no decimals, dinars three."""
    (said,) = pushed(side.order(total_price=amount, currency=currency, line_items=[{"sku": "a", "quantity": 2, "price": amount}]))
    assert (said.payable_minor, said.currency, said.lines) == (minor, currency, [Line(sku="a", qty=2, price_minor=minor)])


@pytest.mark.parametrize("wrong", [{"currency": "XYZ"}, {"currency": None}, {"total_price": "1.005"}, {"currency": "JPY"}])
def test_money_that_cannot_be_read_is_a_dead_letter(wrong: dict[str, Any]) -> None:
    """An unknown currency, or more decimals than it has, is said and never guessed."""
    with pytest.raises(Unusable) as caught:
        pushed(side.order(**{"total_price": "403.10"} | wrong))
    assert caught.value.reason == "invalid"


@pytest.mark.parametrize(
    ("when", "moment", "day"),
    [
        ("2026-11-21T11:00:00-05:00", 1795276800000, "2026-11-22"),
        ("2026-11-21T10:59:59-05:00", 1795276799000, "2026-11-21"),
        ("2026-11-22T05:30:00+14:00", 1795275000000, "2026-11-21"),
        ("2026-11-21T16:00:00Z", 1795276800000, "2026-11-22"),
        ("2026-11-22T00:00:00+08:00", 1795276800000, "2026-11-22"),
    ],
)
def test_the_day_is_shanghais(when: str, moment: int, day: str) -> None:
    """Whatever the shop's own zone, a time is exact and its day is Shanghai's."""
    (said,) = pushed(side.order(updated_at=when))
    assert (said.occurred_at, shanghai_day(said.occurred_at)) == (moment, day)


@pytest.mark.parametrize("when", ["2026-11-21T11:00:00", "yesterday", None, 1795276800])
def test_a_time_without_an_offset_is_none(when: object) -> None:
    """Shopify writes offsets; a time without one is not read in any zone."""
    with pytest.raises(Unusable) as caught:
        pushed(side.order(updated_at=when))
    assert caught.value.reason == "bad_timestamp"


def test_ids_of_64_bits_stay_exact() -> None:
    """An id beyond 2^53 is read digit by digit."""
    (said,) = pushed(side.order().replace(str(side.NUMBER).encode(), b"9007199254740993"))
    assert (said.order_id, said.customer_id) == ("9007199254740993", "115310627314723954")


def test_payment_methods_are_named_as_they_are() -> None:
    """Every gateway of an order is named; none is known to us in advance."""
    (said,) = pushed(side.order(payment_gateway_names=["gift_card", "Cash on Delivery (COD)"]))
    (none,) = pushed(side.order(payment_gateway_names=[]))
    assert (said.payment_method, none.payment_method) == ("gift_card+cash_on_delivery_cod", None)


@pytest.mark.parametrize("name", ["demo", "demo.myshopify.com"])
def test_a_shop_by_its_name_or_domain(name: str) -> None:
    """The shop may be configured by its domain or its first label; another shop's order is foreign either way."""
    shop = Shop("channel", "shopify", "shopify", name, "shpss-secret")
    (said,) = pushed(side.order(), shop=shop)
    assert said.shop_id == name
    with pytest.raises(Unusable) as caught:
        pushed(side.order(note=side.FOREIGN), shop=shop)
    assert caught.value.reason == "foreign_order"


def test_one_bad_refund_is_one_dead_letter() -> None:
    """A refund without a time is said by itself; the order and its other refund are read."""
    message = side.order("partially_refunded", refunds=[side.refund(created_at=None), side.refund(id=2)])
    records = Address(side.SHOP, CONNECTOR).receive(side.seal(side.SHOP, [message], NOW, "orders/updated"), NOW)
    events = [codec.decode(record.value, RawEvent) for record in records]
    assert len({event.event_id for event in events}) == 3
    assert [CONNECTOR.decode(event).status for event in (events[0], events[2])] == ["PaymentConfirmed", "Refunded"]
    with pytest.raises(Unusable, match=r"offset|time"):
        CONNECTOR.decode(events[1])


def test_an_order_of_too_many_refunds() -> None:
    """More facts than one push may hold are refused, before they cost anything."""
    message = side.order(refunds=[side.refund(id=number) for number in range(MAX_FACTS + 1)])
    with pytest.raises(TooMany):
        CONNECTOR.split(side.SHOP, side.seal(side.SHOP, [message], NOW, "orders/updated"))


def test_base64_counts_case() -> None:
    """The digest in another case is another digest."""
    good = side.seal(side.SHOP, [side.order()], NOW)
    CONNECTOR.verify(side.SHOP, good, NOW)
    with pytest.raises(BadSignature):
        CONNECTOR.verify(side.SHOP, Push(good.body, {"x-shopify-hmac-sha256": good.headers["x-shopify-hmac-sha256"].swapcase()}), NOW)


def iso(minute: float) -> str:
    """A minute of the shop floor, as a shop in New York has it."""
    return datetime.fromtimestamp(at(minute), UTC).astimezone(timezone(timedelta(hours=-5))).isoformat()


def test_an_order_shipped_in_parts() -> None:
    """Paid, a first parcel, the last one: normal progress, released once, both parcels linked to the order."""
    first, second = side.parcel(created_at=iso(2)), side.parcel(id=3, created_at=iso(4), tracking_numbers=["9400"])
    floor = Floor(side.CASES[0]).push(0, side.order("pending", updated_at=iso(0))).push(1, side.order("paid", updated_at=iso(1)))
    floor.push(2, side.order("paid", "partial", updated_at=iso(2), fulfillments=[first]))
    floor.push(4, side.order("paid", "fulfilled", updated_at=iso(4), fulfillments=[first, second]))
    state = floor.state(floor.key)
    assert (floor.jumps, floor.pool, floor.dead, state.status) == ([], ["release"], [], "Shipped")
    assert sorted(state.parcels) == ["usps:1Z2345", "usps:1Z2346", "usps:9400"]


def test_a_partial_refund_withdraws_nothing_and_the_whole_does() -> None:
    """Money back for a part leaves the order in the pool; the order's `refunded` takes it out."""
    floor = Floor(side.CASES[0]).push(0, side.order("paid", updated_at=iso(0))).push(1, data(side.refund()))
    assert floor.pool == ["release"]
    floor.push(2, side.order("refunded", updated_at=iso(2), refunds=[side.refund(), side.refund(id=2, created_at=iso(2))]))
    assert (floor.pool, floor.dead) == (["release", "withdraw"], [])


def test_pushed_and_listed_facts_meet() -> None:
    """What was pushed and is then listed unchanged is a duplicate; a refund inside the list is the one that was pushed."""
    floor = Floor(side.CASES[0]).push(0, side.order("paid", updated_at=iso(0))).push(0, data(side.refund()))
    floor.pull(1, "orders", side.order("partially_refunded", updated_at=iso(0), refunds=[side.refund()]))
    assert floor.dispositions == ["change", "change"]
    assert floor.state(floor.key).sources[0].duplicates == 2


ORDER = Order(
    channel="shopify",
    shop=side.SHOP.shop,
    number=str(side.NUMBER),
    customer="c",
    province="p",
    payable=12_990,
    sku="s",
    courier="sf",
    tracking="SF1",
)
PLAYS = [*(("fulfilment", status) for status in simulated.STATES), *(("aftersale", status) for status in simulated.REFUNDS)]


@pytest.mark.parametrize(("axis", "status"), PLAYS)
def test_the_simulators_side_is_understood(axis: str, status: str) -> None:
    """What the demo's Shopify writes and signs is taken and states what was to be said."""
    account = Account("shopify", side.SHOP.shop, side.SHOP.secret)
    said = Say(
        speaker="shopify", order=ORDER, axis=axis, status=status, at=1795312800000, play=0, nonce=1, payable=12_990, with_parcel=True
    )
    request = simulated.PLATFORM.seal(account, simulated.PLATFORM.write(account, [said]), int(NOW))
    push = Push(request.body, {name.lower(): value for name, value in request.headers.items()})
    (record,) = Address(side.SHOP, CONNECTOR).receive(push, NOW)
    found = CONNECTOR.decode(codec.decode(record.value, RawEvent))
    assert found.status == ("PaymentPending" if status == "Created" else status)
    assert (found.order_key, found.occurred_at) == (ORDER.key, 1795312800000)
    if status == "Shipped":
        assert [(parcel.courier, parcel.tracking_no) for parcel in found.parcels] == [("sf", "SF1")]


def test_headers_that_are_no_text_are_kept_as_such() -> None:
    """A header with bytes that are no UTF-8 is no reason to fail: it is not signed."""
    push = Push(b"{}", {"x-shopify-topic": "orders/\udcff", "x-shopify-shop-domain": "\udcff"})
    shop = Shop("channel", "shopify", "shopify", "s", "shpss-secret")
    (record,) = [envelope(shop, fact, 0) for fact in Shopify().split(shop, push)]
    assert codec.decode(record.value, RawEvent).headers["domain"] == "?"
