"""The generic format, to the letter of contract.md."""

import json
from typing import Any

import pytest

from connectors.base import BadSignature, Push, Stale
from connectors.config import Shop
from connectors.generic import Generic
from connectors.signing import hmac_sha256
from schemas.facts import Unusable
from schemas.records import Line, Observation, ParcelObservation, ParcelRef, RawEvent

GENERIC = Generic()
WEB = Shop("channel", "generic", "web", "s1", "k1")
NOW = 1_795_312_900.0
WHOLE = {
    "event_id": "e1", "order_id": "A1", "channel": "web", "shop_id": "s1", "axis": "fulfilment",
    "status": "PaymentConfirmed", "occurred_at": "2026-11-22T10:00:00+08:00", "operator": "u1", "trigger": "user_paid",
    "payable_minor": 12900, "currency": "CNY", "payment_method": "alipay", "customer_id": "c1", "province": "浙江",
    "lines": [{"sku": "S1", "qty": 1, "price_minor": 12900}], "parcels": [{"courier": "zto", "tracking_no": "7777"}],
}  # fmt: skip
NODE = {
    "event_id": "p1", "courier": "zto", "tracking_no": "7777", "text": "快件已到达杭州转运中心", "code": None, "status": None,
    "occurred_at": "2026-11-22T10:00:00+08:00", "place": "杭州",
}  # fmt: skip


def event(fact: Any, kind: str = "channel", source: str = "web", shop: str = "s1") -> RawEvent:
    """An envelope of one fact."""
    body = fact if isinstance(fact, bytes) else json.dumps(fact).encode()
    return RawEvent(event_id="e1", source=source, connector="generic", kind=kind, shop=shop, received_at=7, verified=True, payload=body)


def order(**change: Any) -> Observation:
    """The contract's order fact with some fields changed; those that are `...` are left out."""
    said = GENERIC.decode(event({key: value for key, value in (WHOLE | change).items() if value is not ...}))
    assert isinstance(said, Observation)
    return said


def node(**change: Any) -> ParcelObservation:
    """The contract's parcel fact with some fields changed."""
    fact = {key: value for key, value in (NODE | change).items() if value is not ...}
    said = GENERIC.decode(event(fact, "courier", "zto", "p1"))
    assert isinstance(said, ParcelObservation)
    return said


def reason(fact: Any, kind: str = "channel") -> tuple[str, str]:
    """Why a fact is a dead letter."""
    with pytest.raises(Unusable) as caught:
        GENERIC.decode(event(fact, kind))
    return caught.value.reason, caught.value.detail


def test_the_contracts_order_fact() -> None:
    """Every field of the example arrives."""
    assert order() == Observation(
        event_id="e1", source="web", source_kind="channel", order_key="web:s1:A1", channel="web", shop_id="s1",
        order_id="A1", axis="fulfilment", status="PaymentConfirmed", occurred_at=1795312800000, received_at=7,
        operator="u1", trigger="user_paid", payable_minor=12900, currency="CNY", payment_method="alipay",
        customer_id="c1", province="浙江", lines=[Line(sku="S1", qty=1, price_minor=12900)],
        parcels=[ParcelRef(courier="zto", tracking_no="7777")],
    )  # fmt: skip


def test_the_contracts_parcel_fact() -> None:
    """A node is read by its words; null is the same as absent."""
    said = node()
    assert (said.parcel_key, said.status, said.place, said.source) == ("zto:7777", "ArrivedAtHub", "杭州", "zto")


@pytest.mark.parametrize(
    "name", ["channel", "shop_id", "axis", "operator", "trigger", "payable_minor", "currency", "lines", "parcels", "customer_id"]
)
@pytest.mark.parametrize("value", [None, ...])
def test_optional_fields(name: str, value: Any) -> None:
    """What is not required may be null or absent; channel, shop and axis have the shop's own as defaults."""
    said = order(**{name: value})
    assert (said.channel, said.shop_id, said.axis) == ("web", "s1", "fulfilment")


@pytest.mark.parametrize("name", ["event_id", "order_id", "status", "occurred_at"])
@pytest.mark.parametrize("value", [None, ...])
def test_required_fields(name: str, value: Any) -> None:
    """A required field that is null or absent makes the fact invalid, and is named."""
    fact = {key: field for key, field in (WHOLE | {name: value}).items() if field is not ...}
    why, detail = reason(fact)
    assert why == "invalid"
    assert f"{name} is missing" in detail


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("event_id", 1), ("event_id", "x" * 129), ("event_id", "a\x00"), ("order_id", 7), ("order_id", ""), ("channel", "a:b"),
        ("axis", "money"), ("payable_minor", 129.0), ("payable_minor", "129"), ("payable_minor", -1), ("payable_minor", True),
        ("currency", "yuan"), ("lines", {}), ("lines", [{"qty": 1}]), ("lines", [{"sku": "S", "qty": 0}]),
        ("lines", [{"sku": "S", "price_minor": 1.5}]), ("parcels", [{"courier": "zto"}]), ("operator", 5), ("province", "\x00"),
    ],
)  # fmt: skip
def test_wrong_fields(name: str, value: Any) -> None:
    """A field of the wrong type or size makes the fact invalid, and is named."""
    why, detail = reason(WHOLE | {name: value})
    assert why == "invalid"
    assert name in detail


def test_empty_texts_are_absent() -> None:
    """A sender that writes an empty text where it knows nothing is understood."""
    said = order(operator="", trigger="", payment_method="", customer_id="", province="")
    assert {said.operator, said.trigger, said.payment_method, said.customer_id, said.province} == {None}
    assert node(place="", code="").place == "杭州转运中心"


def test_a_case_belongs_to_an_aftersale() -> None:
    """A case that is named on the fulfilment axis is not taken over; on the stock axis it is."""
    assert order(case_id="r1", aftersale_kind="refund_only", partial_refund=True).case_id is None
    assert order(case_id="r1", aftersale_kind="refund_only").aftersale_kind is None
    assert order(axis="stock", status="Restored", case_id="r1").case_id == "r1"


def test_unknown_fields_are_left_alone() -> None:
    """A newer sender may say more than we know."""
    assert order(colour="red").order_id == "A1"


@pytest.mark.parametrize("when", ["2026-11-22T10:00:00", "yesterday", 1795312800, ""])
def test_time_needs_an_offset(when: Any) -> None:
    """A time without an offset, or none at all, is a bad timestamp, not an invalid fact."""
    assert reason(WHOLE | {"occurred_at": when})[0] == "bad_timestamp"


@pytest.mark.parametrize("axis", ["fulfilment", "aftersale", "stock"])
def test_statuses_are_canonical(axis: str) -> None:
    """A status that the axis does not have is unmapped, and named."""
    fact = WHOLE | {"axis": axis, "status": "shipped", "case_id": "c", "aftersale_kind": "refund_only"}
    with pytest.raises(Unusable) as caught:
        GENERIC.decode(event(fact))
    assert (caught.value.reason, caught.value.code) == ("unmapped_status", "shipped")


def test_aftersale() -> None:
    """An after-sale fact carries its case and kind, and whether it is partial."""
    said = order(axis="aftersale", status="Refunded", case_id="r1", aftersale_kind="refund_only", partial_refund=True)
    assert (said.axis, said.case_id, said.aftersale_kind, said.partial_refund) == ("aftersale", "r1", "refund_only", True)


@pytest.mark.parametrize("gone", ["case_id", "aftersale_kind"])
def test_aftersale_needs_its_case(gone: str) -> None:
    """Without a case or its kind an after-sale fact is invalid."""
    fact = WHOLE | {"axis": "aftersale", "status": "Refunded", "case_id": "r1", "aftersale_kind": "refund_only", gone: None}
    assert reason(fact) == ("invalid", "the fact: an after-sale fact needs case_id and aftersale_kind")


@pytest.mark.parametrize("foreign", [{"channel": "app"}, {"shop_id": "s2"}])
def test_foreign_order(foreign: dict[str, str]) -> None:
    """A channel's shop speaks of its own orders only."""
    assert reason(WHOLE | foreign)[0] == "foreign_order"


@pytest.mark.parametrize("gone", ["channel", "shop_id"])
def test_a_system_says_whose_order(gone: str) -> None:
    """A system has no shop of its own to default to."""
    assert reason(WHOLE | {gone: None}, "system") == ("invalid", f"{gone} is missing: a system must say whose order it is")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"status": "Lost"}, "Lost"),
        ({"status": None, "code": "DISPATCH"}, "OutForDelivery"),
        ({"code": "GOT", "text": "已签收"}, "PickedUp"),
        ({"courier": "nobody", "code": "anything", "text": "已签收"}, "Signed"),
        ({"courier": "yto", "code": "SENT_SCAN", "text": "已签收"}, "OutForDelivery"),
        ({"courier": "zto", "code": "push:ARRIVAL"}, "ArrivedAtHub"),
        ({"courier": "zto", "code": "query:ARRIVAL"}, "AwaitingPickup"),
        ({"courier": "zto", "code": "SIGNED"}, "Signed"),
        ({"courier": "jtexpress", "code": "problem:A14"}, "Rejected"),
        ({"courier": "ems", "code": "704"}, "Signed"),
        ({"courier": "4px", "code": "FPX_S_OK"}, "Signed"),
    ],
)
def test_parcel_status(change: dict[str, Any], status: str) -> None:
    """A canonical status goes before a code, a code that has a table before words."""
    assert node(**change).status == status


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"status": "Flying"}, "Flying"),
        ({"code": "WARP"}, "WARP"),
        ({"courier": "nobody", "code": "WARP", "text": None}, "WARP"),
        ({"courier": "yto", "code": "WARP", "text": "已签收"}, "WARP"),
        ({"courier": "zto", "code": "query:WARP"}, "query:WARP"),
        ({"courier": "zto", "code": "ARRIVAL"}, "ARRIVAL"),
        ({"courier": "jt", "code": "10"}, "10"),
        ({"courier": "ems", "code": "743"}, "743"),
        ({"text": "您好"}, "(text)"),
        ({"text": '在官网"运单资料&签收图",可查看签收人信息'}, "(text)"),
    ],
)
def test_parcel_status_is_not_guessed(change: dict[str, Any], code: str) -> None:
    """Unknown statuses, codes and words are unmapped."""
    with pytest.raises(Unusable) as caught:
        node(**change)
    assert (caught.value.reason, caught.value.code) == ("unmapped_status", code)


def test_a_word_with_two_meanings_is_said() -> None:
    """A code that two fields of a courier's table read differently is no status, and the error says how to send it."""
    with pytest.raises(Unusable, match="push:ARRIVAL is ArrivedAtHub, query:ARRIVAL is AwaitingPickup; send the field too"):
        node(code="ARRIVAL", text=None)


def test_a_reversal_is_told_to_a_person() -> None:
    """A code that undoes an earlier scan has no status, and its dead letter says what to do."""
    with pytest.raises(Unusable, match="undoes an earlier one: look at the parcel"):
        node(courier="ems", code="743", text=None)


def test_a_code_gives_its_reason() -> None:
    """The reason of a code chooses the procedure of a held parcel where no words and no reason of the sender do."""
    assert node(courier="kuaidi100", code="207", text=None).reason == "over_area"
    assert node(courier="kuaidi100", code="207", text=None, reason="weather").reason == "weather"


def test_parcel_needs_one_of_three() -> None:
    """A node without status, code and text says nothing."""
    assert reason(NODE | {"text": None}, "courier") == ("invalid", "the fact: a parcel's fact needs one of status, code and text")


def test_couriers_speak_of_parcels() -> None:
    """An order's fact from a courier is invalid, a parcel's from a channel too."""
    assert "tracking_no is missing" in reason(WHOLE, "courier")[1]
    assert "order_id is missing" in reason(NODE)[1]


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'"x"', b"null", b"\xff", b"{", b'{"a":' * 50_000, b'{"event_id":"\\ud800"}'])
def test_what_is_no_json_object_is_undecodable(body: bytes) -> None:
    """Not the format at all: undecodable, whatever it is."""
    assert reason(body)[0] == "undecodable"
    assert len(GENERIC.split(WEB, Push(body))) == 1


def test_a_batch() -> None:
    """Facts of a batch stand for themselves, each with its own bytes, id and key."""
    body = b'{"events": [ {"event_id":"e1", "order_id":"A1"} ,{"event_id":2,"order_id":"A2"},3]}'
    facts = GENERIC.split(WEB, Push(body))
    assert [fact.payload for fact in facts] == [b'{"event_id":"e1", "order_id":"A1"}', b'{"event_id":2,"order_id":"A2"}', b"3"]
    assert [fact.key for fact in facts][:2] == ["web:s1:A1", "web:s1:A2"]
    assert facts[0].event_id == "e1"
    assert facts[2].key == facts[2].event_id


def test_an_empty_batch() -> None:
    """No events: accepted, none."""
    assert GENERIC.split(WEB, Push(b'{"events": []}')) == []
    assert GENERIC.acknowledge(WEB, 0).body == b'{"accepted": 0}'


def test_an_id_from_content_is_of_source_and_body() -> None:
    """The same unreadable body has one id per source."""
    other = Shop("channel", "generic", "app", "s1", "k")
    ids = {GENERIC.split(shop, Push(b"garbage"))[0].event_id for shop in (WEB, WEB, other)}
    assert len(ids) == 2


def signed(stamp: object, body: bytes = b"{}", secret: str = "k1") -> str:
    """A header with one digest."""
    return f"t={stamp},v1={hmac_sha256(secret, f'{stamp}.'.encode() + body)}"


@pytest.mark.parametrize("age", [0, 300, -300])
def test_signature_window(age: int) -> None:
    """Up to 300 s apart is taken."""
    GENERIC.verify(WEB, Push(b"{}", {"x-lockstep-signature": signed(int(NOW) - age)}), NOW)


@pytest.mark.parametrize("age", [301, -301, 10**8])
def test_stale(age: int) -> None:
    """More than 300 s apart is stale, either way."""
    with pytest.raises(Stale):
        GENERIC.verify(WEB, Push(b"{}", {"x-lockstep-signature": signed(int(NOW) - age)}), NOW)


def test_two_digests() -> None:
    """While a secret changes, one good digest of several is enough."""
    header = f"t={int(NOW)},v1={'0' * 64},{signed(int(NOW)).split(',')[1]}"
    GENERIC.verify(WEB, Push(b"{}", {"x-lockstep-signature": header}), NOW)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=1",
        "v1=00",
        "t=x,v1=00",
        f"t={int(NOW)},t={int(NOW)},v1=00",
        f"t=٣,v1={'0' * 64}",
        f"t={int(NOW)},v1=",
        "t=-5,v1=00",
        f"t={int(NOW)},v1=é",
    ],
)
def test_broken_headers(header: str) -> None:
    """A header that is not in the form is a bad signature."""
    with pytest.raises(BadSignature):
        GENERIC.verify(WEB, Push(b"{}", {"x-lockstep-signature": header}), NOW)
