"""What couriers' pushes have of their own, beyond the conformance suite: answers, headers, several forms, what decides."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from connectors import server
from connectors.base import BadSignature, Push
from connectors.config import Shop
from connectors.intake import Address, Publication
from connectors.markup import NotPlain, elements
from connectors.metrics import Metrics
from connectors.registry import CONNECTORS
from ops.simulator.facts import Account, Order, Say
from ops.simulator.platforms import PLATFORMS
from schemas import codec
from schemas.facts import Unusable
from schemas.records import ParcelObservation, RawEvent
from tests.contract.connectors.kit import NOW, Case, Seal
from tests.contract.connectors.platforms import couriers as platform

CASES = {case.name: case for case in reversed(platform.CASES)}  # of two the first
BOMB = (
    b'<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<Request><Body><WaybillRoute mailno="&b;" opCode="50"/></Body></Request>'
)
THIEF = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><UpdateInfo><mailNo>&x;</mailNo></UpdateInfo>'


def events(case: Case, push: Push) -> list[RawEvent]:
    """The envelopes of a push."""
    return [codec.decode(one.value, RawEvent) for one in Address(case.shop, case.connector).receive(push, NOW)]


def said(name: str, *messages: bytes) -> list[ParcelObservation]:
    """What a push of these messages states."""
    case = CASES[name]
    return [case.connector.decode(event) for event in events(case, case.seal(case.shop, messages, NOW))]


def why(name: str, message: bytes) -> tuple[str, str | None, str]:
    """Why a message is a dead letter."""
    case = CASES[name]
    (event,) = events(case, case.seal(case.shop, [message], NOW))
    with pytest.raises(Unusable) as caught:
        case.connector.decode(event)
    return caught.value.reason, caught.value.code, caught.value.detail


# SF


def test_sf_keeps_its_secret_in_the_address() -> None:
    """Without the token, or with another, nothing is taken; the refusal does not say what it should have been."""
    case = CASES["sf"]
    for query in ({}, {"token": ""}, {"token": "a-long-secret-of-the-addresS"}, {"token": "é"}):
        with pytest.raises(BadSignature) as caught:
            case.connector.verify(case.shop, Push(b"{}", query=query), NOW)
        assert case.shop.secret not in str(caught.value)


def test_sf_answers_in_the_form_of_the_push() -> None:
    """JSON for JSON, XML for a form and for XML alone."""
    connector, shop = CASES["sf"].connector, CASES["sf"].shop
    route = platform.sf_xml("50")
    assert connector.answer(shop, platform.seal_sf(shop, [platform.sf("50")], NOW), 1, NOW).content_type == "application/json"
    for push in (platform.seal_sf_xml(shop, [route], NOW), Push(b"<Request><Body>" + route + b"</Body></Request>")):
        reply = connector.answer(shop, push, 1, NOW)
        assert (reply.content_type, reply.body) == ("text/xml", b'<Response service="RoutePushService"><Head>OK</Head></Response>')


def test_sf_one_fact_in_both_forms_has_one_id() -> None:
    """A route in JSON and in XML is the same fact."""
    case, both = CASES["sf"], []
    for seal, route in ((platform.seal_sf, platform.sf("50", remark="已收件")), (platform.seal_sf_xml, platform.sf_xml("50"))):
        both += events(case, seal(case.shop, [route], NOW))
    assert len({event.event_id for event in both}) == 1
    assert len({case.connector.decode(event) for event in both}) == 1


def test_sf_repeats_are_duplicates() -> None:
    """Trap 5: the id is of waybill, opCode, acceptTime and remark, whatever number the platform gives the repeat."""
    first, again = (events(CASES["sf"], platform.seal_sf(CASES["sf"].shop, [platform.sf("50", id=number)], NOW)) for number in ("1", "2"))
    assert first[0].event_id == again[0].event_id
    assert said("sf", platform.sf("50", remark="x"))[0].event_id != first[0].event_id


def test_sf_routes_of_several_waybills() -> None:
    """A push of ten routes may be of ten parcels; a single route may stand without a list."""
    routes = [platform.sf("50", mailno=f"SF{number}") for number in range(10)]
    assert [one.tracking_no for one in said("sf", *routes)] == [f"SF{number}" for number in range(10)]
    alone = Push(b'{"Body":{"WaybillRoute":' + routes[3] + b"}}", query={"token": CASES["sf"].shop.secret})
    assert len(events(CASES["sf"], alone)) == 1


@pytest.mark.parametrize(
    ("code", "more", "status"),
    [
        ("8000", {"reasonCode": "1"}, "Signed"),
        ("8000", {"reasonCode": "6"}, "Lost"),
        ("70", {}, "DeliveryAttemptFailed"),
        ("70", {"reasonCode": "46"}, "Exception"),
        ("70", {"reasonCode": "999"}, "DeliveryAttemptFailed"),
        ("99", {"reasonCode": "2"}, "Returning"),
        ("305", {}, "InTransit"),
        ("31337", {"secondaryStatusCode": "1301", "firstStatusCode": "13"}, "DeliveryAttemptFailed"),
        ("31337", {"secondaryStatusCode": "9", "firstStatusCode": "4"}, "Signed"),
        ("80", {"secondaryStatusCode": "301"}, "Signed"),
    ],
)
def test_sf_what_decides(code: str, more: dict[str, str], status: str) -> None:
    """The pair of opCode and reasonCode, then opCode, then the two statuses, and those only for a code that is new."""
    assert [one.status for one in said("sf", platform.sf(code, **more))] == [status]


def test_sf_8000_with_an_unknown_reason_is_not_silent() -> None:
    """A reason that no table has is a dead letter that names the pair."""
    assert why("sf", platform.sf("8000", reasonCode="3"))[:2] == ("unmapped_status", "8000+3")


def test_sf_words_do_not_decide() -> None:
    """Trap 4: the remark of 8000 speaks of signing whatever happened; its code says returned."""
    (one,) = said("sf", platform.sf("8000", remark="快件已签收", reasonCode="4"))
    assert one.status == "Returned"


@pytest.mark.parametrize("body", [BOMB, b"content=" + urlencode({"": BOMB})[1:].encode(), b"<a>" * 5000, b"content=%3Ca%3E&x", b"<a/>"])
def test_dangerous_xml_is_a_dead_letter(body: bytes) -> None:
    """Entities, documents without a route and nesting without end are kept, not read."""
    case = CASES["sf"]
    (event,) = events(case, Push(body, query={"token": case.shop.secret}))
    with pytest.raises(Unusable) as caught:
        case.connector.decode(event)
    assert caught.value.reason in {"undecodable", "invalid"}


def test_sf_secrets_are_long() -> None:
    """A secret that could be guessed is refused before anything starts."""
    with pytest.raises(ValueError, match="16 characters at least"):
        CASES["sf"].connector.check(replace(CASES["sf"].shop, secret="short"))


@pytest.mark.parametrize("name", ["cainiao", "yto", "sto"])
def test_a_digest_whose_plus_was_not_encoded(name: str) -> None:
    """A `+` of Base64 that the sender left as it is, which a form reads as a space, is still the same digest."""
    case = CASES[name]
    pushes = (case.seal(replace(case.shop, secret=f"k{number}"), case.messages[:1], NOW) for number in range(999))
    number, push = next((number, push) for number, push in enumerate(pushes) if "+" in push.form["data_digest"])
    case.connector.verify(replace(case.shop, secret=f"k{number}"), Push(push.body.replace(b"%2B", b"+")), NOW)


# XML


def test_xml_from_elsewhere_is_refused() -> None:
    """A document type is refused before anything of it is read."""
    for data in (BOMB, THIEF):
        with pytest.raises(NotPlain, match="a document type is not taken"):
            elements(data, "UpdateInfo")


@given(st.binary(max_size=80) | st.text(alphabet="<a/> x='&;!DOCTYPE[]>\x00收", max_size=60).map(str.encode))
def test_no_xml_breaks_it(data: bytes) -> None:
    """Whatever comes, it is read or refused in one way; what is cut out is a part of it."""
    try:
        found = elements(data, "a")
    except NotPlain:
        return
    assert all(element.data in data and element.data.startswith(b"<a") for element in found)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"<r><a x='1'/><a x='2'></a></r>", [b"<a x='1'/>", b"<a x='2'></a>"]),
        (b"<r><a><a/></a></r>", [b"<a><a/></a>"]),
        (b"<r><a>1</a ></r>", [b"<a>1</a >"]),
        (b'<a x=">"/>', [b'<a x=">"/>']),
        (b"<ab/>", []),
    ],
)
def test_xml_is_cut_byte_for_byte(data: bytes, found: list[bytes]) -> None:
    """Outermost elements of the name, as they were sent."""
    assert [element.data for element in elements(data, "a")] == found


def test_xml_texts() -> None:
    """Attributes and the texts of children, with what is escaped; a child with children has no text."""
    (element,) = elements('<a x="&lt;"><b> 收 &amp; 发 </b><c><d>1</d></c></a>'.encode(), "a")
    assert element.fields == {"x": "<", "b": "收 & 发", "c": ""}


# YTO


def test_yto_answers_with_the_order() -> None:
    """The answer names the order of the push, and never what would be markup."""
    case = CASES["yto"]
    push = case.seal(case.shop, [platform.yto_scan("GOT")], NOW)
    assert b"<txLogisticID>A1</txLogisticID><success>true</success>" in case.connector.answer(case.shop, push, 1, NOW).body
    evil = platform.yto_scan("GOT").replace(b">A1<", b">&lt;x/&gt;<")
    assert b"<txLogisticID></txLogisticID>" in case.connector.answer(case.shop, case.seal(case.shop, [evil], NOW), 1, NOW).body


@pytest.mark.parametrize("at", ["2026-11-22 10:00:00", "2026-11-22 10:00:00.0 CST", "2026-11-22 10:00:00.0", "2026-11-22 10:00:00 CST"])
def test_yto_times(at: str) -> None:
    """A time as Java writes it is GMT+8, like the plain one."""
    assert said("yto", platform.yto_scan("GOT", at=at))[0].occurred_at == 1795312800000


def test_yto_reads_the_push_not_the_query() -> None:
    """A word of the query's list in a push is unknown."""
    assert why("yto", platform.yto_scan("已签收"))[:2] == ("unmapped_status", "已签收")


# J&T


@pytest.mark.parametrize(
    ("scan", "status"),
    [
        (("快件揽收", "1"), "PickedUp"),
        (("快件揽收", "10"), "PickedUp"),
        (("快件签收", "10"), "Signed"),
        (("", "100"), "Signed"),
        (("", "9"), "Signed"),
        (("问题件扫描", "", "客户拒收"), "Rejected"),
        (("问题件扫描", "", "A30"), "Held"),
        (("问题件扫描", ""), "Exception"),
    ],
)
def test_jt_what_decides(scan: tuple[str, ...], status: str) -> None:
    """The problem, then the scan's name, then its number."""
    assert [one.status for one in said("jt", platform.jt_scan(*scan))] == [status]


@pytest.mark.parametrize("code", ["1", "10"])
def test_jt_a_number_with_two_meanings_is_not_read(code: str) -> None:
    """1 and 10 mean different things in J&T's two numberings: without the scan's name they are dead letters that say so."""
    reason, named, detail = why("jt", platform.jt_scan("", code))
    assert (reason, named) == ("unmapped_status", code)
    assert "several meanings" in detail


def test_jt_reversals_are_told() -> None:
    """Trap 8: a return that is withdrawn is a dead letter for a person, not silence."""
    assert "look at the parcel" in why("jt", platform.jt_scan("退件撤销", "171"))[2]


def test_jt_zones_and_accounts() -> None:
    """A detail's own zone counts, and another account's push is refused."""
    node = json.loads(platform.jt_scan("快件揽收")) | {"timeZone": "GMT+07:00"}
    assert said("jt", json.dumps(node).encode())[0].occurred_at == 1795312800000 + 3_600_000
    case = CASES["jt"]
    with pytest.raises(BadSignature, match="apiAccount"):
        case.connector.verify(replace(case.shop, app_key="other"), case.push(), NOW)


# Aggregators


def test_kdniao_reads_state_ex_before_state() -> None:
    """Trap 10: of the newest node without an action StateEx decides (202: out for delivery), not State (2: on its way)."""
    older, newest = platform.kdniao_node("", "您好", "2026-11-22 09:00:00"), platform.kdniao_node("", "您好啊")
    case = CASES["kdniao"]
    first, second = events(case, case.seal(case.shop, [older, newest], NOW))
    assert case.connector.decode(second).status == "OutForDelivery"
    with pytest.raises(Unusable):
        case.connector.decode(first)


def test_kdniao_answers_with_account_and_time() -> None:
    """The answer names the account and says when, in GMT+8; without an account it cannot be configured."""
    case = CASES["kdniao"]
    reply = json.loads(case.connector.answer(case.shop, case.push(), 1, NOW).body)
    assert reply == {"EBusinessID": "1672544", "UpdateTime": "2026-11-22 10:01:40", "Success": True, "Reason": ""}
    with pytest.raises(ValueError, match="EBusinessID"):
        case.connector.check(replace(case.shop, app_key=None))


def test_kdniao_parcels_without_a_trace_have_no_fact() -> None:
    """A failed subscription states nothing."""
    case = CASES["kdniao"]
    body = '{"Data":[{"ShipperCode":"YTO","LogisticCode":"YT1","Success":false,"Reason":"三天无轨迹","State":"0","Traces":null}]}'
    assert case.connector.split(case.shop, Push(urlencode({"RequestData": body}).encode())) == []


@pytest.mark.parametrize(
    ("node", "at"),
    [
        ({"time": 1795312800000}, 1795312800000),
        ({"time": "1795312800000"}, 1795312800000),
        ({"time": "2026-11-22 10:00:00"}, 1795312800000),
        ({"time": "2026-11-22 02:00:00", "timeZone": "UTC+0"}, 1795312800000),
        ({"time": "2026-11-22 05:00:00", "timeZone": "+03:00"}, 1795312800000),
        ({"time": "2026-11-22 10:00:00", "timeZone": "Mars"}, 1795312800000),
    ],
)
def test_cainiao_times(node: dict[str, Any], at: int) -> None:
    """In ms, or a text in GMT+8, or in the zone that the node names."""
    message = json.dumps(node | {"desc": "x", "actionCode": "GTMS_SIGNED"}).encode()
    assert said("cainiao", message)[0].occurred_at == at


def test_cainiao_numbers_and_a_single_node() -> None:
    """The numeric statuses are read too, and a node that stands alone with its waybill."""
    assert said("cainiao", platform.cainiao_node("600", "", "派送中"))[0].status == "OutForDelivery"
    case = CASES["cainiao"]
    alone = '{"mailNo":"YT9","cpCode":"YTO","time":1795312800000,"desc":"x","actionCode":"GTMS_SIGNED"}'
    (fact,) = case.connector.split(case.shop, Push(urlencode({"logistics_interface": alone}).encode()))
    assert (fact.key, fact.source) == ("yto:YT9", "yto")


def test_track17_older_signature_in_the_body() -> None:
    """SHA-256 over event, data and key, as the older form has it; one bit of data changed is refused."""
    data = '{"number":"RR123456789CN","carrier":3011,"track_info":null}'
    shop, connector = CASES["track17"].shop, CASES["track17"].connector
    sign = sha256(f"TRACKING_UPDATED/{data}/{shop.secret}".encode()).hexdigest()
    body = f'{{"sign":"{sign}","event":"TRACKING_UPDATED","data":{data}}}'
    connector.verify(shop, Push(body.encode()), NOW)
    with pytest.raises(BadSignature):
        connector.verify(shop, Push(body.replace("3011", "3012").encode()), NOW)


def test_track17_stopped_is_no_fact_and_an_unknown_courier_keeps_its_number() -> None:
    """The end of a subscription states nothing; a courier without a name of ours is told apart by 17TRACK's number."""
    case = CASES["track17"]
    assert case.connector.split(case.shop, Push(b'{"event":"TRACKING_STOPPED","data":{"number":"1"}}')) == []
    event = platform.track17_event("Delivered_Other", "x").decode()
    for key, courier in ((3011, "ems"), (987654, "track17-987654")):
        providers = f'[{{"provider":{{"key":{key},"name":"Nobody"}},"events":[{event}]}}]'
        body = f'{{"event":"TRACKING_UPDATED","data":{{"number":"1","track_info":{{"tracking":{{"providers":{providers}}}}}}}}}'
        (fact,) = case.connector.split(case.shop, Push(body.encode()))
        assert fact.key == f"{courier}:1"


def test_track17_one_parcel_has_one_courier() -> None:
    """Who carries a parcel on after the border speaks of the same parcel: that of the courier it was registered with."""
    case = CASES["track17"]
    events = [platform.track17_event("Delivered_Other", "x", f"2026-11-22T02:00:0{second}Z").decode() for second in (1, 2)]
    providers = ",".join(
        f'{{"provider":{{"key":{key},"name":"{name}"}},"events":[{event}]}}'
        for key, name, event in ((21051, "USPS", events[0]), (3011, "China Post", events[1]))
    )
    for carrier, courier in ((3011, "ems"), (21051, "usps"), (None, "usps")):
        info = f'{{"tracking":{{"providers":[{providers}]}}}}'
        body = f'{{"event":"TRACKING_UPDATED","data":{{"number":"LX1","carrier":{json.dumps(carrier)},"track_info":{info}}}}}'
        assert {fact.key for fact in case.connector.split(case.shop, Push(body.encode()))} == {f"{courier}:LX1"}


def test_jt_a_name_that_states_nothing_has_no_fact() -> None:
    """完结 by its name alone is as silent as by its number."""
    case = CASES["jt"]
    assert events(case, case.seal(case.shop, [platform.jt_scan("完结")], NOW)) == []


def test_aftership_local_times() -> None:
    """A local time without an offset is not read in a zone that nobody named: when AfterShip heard of it counts."""
    (one,) = said("aftership", platform.aftership_node("InTransit", "InTransit_002", "2026-11-22T10:00:00"))
    assert one.occurred_at == 1795312800000 + 300_000


def test_trackingmore_token_and_zone() -> None:
    """Its signature does not cover the body, so the address carries a token; node times are read as configured."""
    case = CASES["trackingmore"]
    push = case.push()
    case.connector.verify(case.shop, push, NOW)
    for query in ({}, {"token": "t0keN"}):
        with pytest.raises(BadSignature):
            case.connector.verify(case.shop, Push(push.body, push.headers, query), NOW)
    with pytest.raises(ValueError, match="an e-mail address is no secret"):
        case.connector.check(replace(case.shop, token=None))
    case.connector.check(replace(case.shop, token=None, secret="2e55b9a3"))
    abroad = replace(case.shop, options={"utc_offset": "-05:00"})
    case.connector.check(abroad)
    (record,) = Address(abroad, case.connector).receive(push, NOW)
    assert case.connector.decode(codec.decode(record.value, RawEvent)).occurred_at == 1795312800000 + 13 * 3_600_000
    with pytest.raises(ValueError, match="utc_offset"):
        case.connector.check(replace(case.shop, options={"utc_offset": "EST"}))


def kuaidi(**more: Any) -> Push:
    """A push of Kuaidi100, unsigned."""
    result = {"com": "yuantong", "nu": "V1", "state": "0", "data": [{"context": "已揽收", "ftime": platform.SEEN, "statusCode": "103"}]}
    return Push(urlencode({"param": json.dumps({"status": "polling", "lastResult": result} | more)}).encode())


@pytest.mark.parametrize(
    ("more", "keys"),
    [
        ({}, ["yto:V1"]),
        ({"comOld": "yuantong", "comNew": "", "autoCheck": "0"}, ["yto:V1"]),
        ({"comOld": "yuantong", "comNew": "zhongtong", "autoCheck": "1"}, ["zto:V1"]),
        ({"status": "updateall"}, ["yto:V1"]),
        ({"status": "abort", "message": "3天查询无记录", "lastResult": {"com": "yuantong", "nu": "V1", "data": []}}, []),
        ({"status": "abort", "message": "60天无变化", "lastResult": None}, []),
    ],
)
def test_kuaidi100_subscriptions(more: dict[str, Any], keys: list[str]) -> None:
    """The corrected courier speaks; what a push says of its subscription states nothing."""
    shop = Shop("courier", "kuaidi100", "kuaidi100", "main", "s")
    assert [fact.key for fact in CONNECTORS["kuaidi100"].split(shop, kuaidi(**more))] == keys


WHOLE: dict[str, Callable[[], Push]] = {name: case.push for name, case in CASES.items()}


@pytest.mark.parametrize("name", sorted(WHOLE))
def test_a_push_without_its_list_is_kept(name: str) -> None:
    """A signed push of another form is one envelope and a dead letter that says that it could not be cut."""
    case = CASES[name]
    push = Push(b'{"hello":"world"}', WHOLE[name]().headers, WHOLE[name]().query)
    (fact,) = case.connector.split(case.shop, push)
    event = RawEvent(
        event_id=fact.event_id,
        source=fact.source,
        connector=name,
        kind="courier",
        shop="main",
        received_at=1,
        verified=True,
        payload=fact.payload,
    )
    with pytest.raises(Unusable) as caught:
        case.connector.decode(event)
    assert caught.value.reason in {"undecodable", "invalid"}


ORDER = Order(
    channel="web", shop="s1", number="A1", customer="c", province="浙江", payable=1, sku="S", courier="yto", tracking="YT1"
)  # fmt: skip
PLAYED = [
    (name, status)
    for name in ("sf", "yto", "sto", "jt", "cainiao", "kdniao", "kuaidi100", "zto")
    for status in ("PickedUp", "InTransit", "OutForDelivery", "Signed")
]


@pytest.mark.parametrize(("name", "status"), [*PLAYED, ("sf", "Lost")])
def test_the_simulated_platform_is_understood(name: str, status: str) -> None:
    """What the simulator plays for a courier is taken, signed as it is, and read as what was meant."""
    shop = Shop("courier", name, name, "main", "secret", app_key="A9")
    say = Say(
        speaker=name, order=ORDER, axis="parcel", status=status, at=1795312800000, play=0, nonce=3, so_far=(("PickedUp", 1795312700000),)
    )  # fmt: skip
    account = Account(name, "main", "secret", app_key="A9")
    request = PLATFORMS[name].seal(account, PLATFORMS[name].write(account, [say]), int(NOW))
    headers = {key.lower(): value for key, value in request.headers.items()}
    records = Address(shop, CONNECTORS[name]).receive(Push(request.body, headers, request.params), NOW)
    read = [CONNECTORS[name].decode(codec.decode(record.value, RawEvent)) for record in records]
    found = {(one.tracking_no, one.status, one.occurred_at) for one in read if isinstance(one, ParcelObservation)}
    assert ("YT1", status, 1795312800000) in found


class Kept:
    """A Kafka that takes everything."""

    async def publish(self, records: Sequence[Publication]) -> None:
        """As connectors.publish.Publisher."""

    async def ready(self) -> bool:
        """It is there."""
        return True


@pytest.mark.parametrize(
    ("name", "seal", "message", "answer"),
    [
        ("sf", platform.seal_sf_xml, platform.sf_xml("50"), '<Response service="RoutePushService"><Head>OK</Head></Response>'),
        ("sf", platform.seal_sf, platform.sf("50"), '{"return_code":"0000","return_msg":"成功"}'),
        ("kdniao", platform.seal_kdniao, platform.kdniao_node("1", "x"), '"UpdateTime":"2026-11-22 10:01:40"'),
        ("yto", platform.seal_yto, platform.yto_scan("GOT"), "<txLogisticID>A1</txLogisticID>"),
    ],
)
async def test_the_server_answers_in_the_words_of_the_push(name: str, seal: Seal, message: bytes, answer: str) -> None:
    """What depends on the push or the time is in the answer that the platform gets."""
    shop = CASES[name].shop
    push = seal(shop, [message], NOW)
    settings = server.ServerSettings("127.0.0.1", 0, "", (shop,), clock=lambda: NOW)
    async with TestClient(TestServer(server.build(settings, Kept(), Metrics()))) as client:
        response = await client.post(f"/hooks/{name}/main", data=push.body, headers=push.headers, params=push.query)
        assert response.status == 200
        assert answer in await response.text()
