"""Couriers that push: how each signs, and what it sends. Written apart from the connectors, from the same public facts."""

import base64
import hashlib
import hmac
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

from connectors import aftership, cainiao, jt, kdniao, track17, trackingmore
from connectors.base import Push
from connectors.config import Shop
from tests.contract.connectors.kit import Case, array, data, md5, one, text

SEEN = "2026-11-22 10:00:00"


def _b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _shown(message: bytes) -> str:
    return message.decode("utf-8", "replace")


def seal_sf(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """No signature: the secret is in the address."""
    return Push(b'{"Body":{"WaybillRoute":' + array(messages) + b"}}", query={"token": shop.secret})


def seal_sf_xml(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """The older form: XML in a field of a form."""
    xml = b'<?xml version="1.0" encoding="UTF-8"?><Request service="RoutePushService" lang="zh-CN"><Body>'
    return Push(urlencode({"content": xml + b"".join(messages) + b"</Body></Request>"}).encode(), query={"token": shop.secret})


def seal_kdniao(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """Base64 of the hex text of the MD5."""
    head = f'{{"EBusinessID":"{shop.app_key}","PushTime":"{SEEN}","Count":"1","Data":[{{"ShipperCode":"YTO","LogisticCode":"YT1",'
    said = head + '"Success":true,"State":"2","StateEx":"202","Traces":' + _shown(array(messages)) + "}]}"
    digest = _b64(md5((said + shop.secret).encode()).hex().encode())
    return Push(urlencode({"RequestData": said, "DataSign": digest, "RequestType": "101"}).encode())


def seal_cainiao(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """Base64 of the raw MD5."""
    said = '{"mailNo":"YT8988680934020","cpCode":"YTO","logisticsTraceDetailList":' + _shown(array(messages)) + "}"
    form = {"logistics_interface": said, "data_digest": _b64(md5((said + shop.secret).encode())), "msg_type": "TRACE", "to_code": "x"}
    return Push(urlencode(form | {"logistic_provider_id": f"{shop.app_key}"}).encode())


def seal_jt(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """A header over the one field of the form."""
    said = '{"billCode":"JT3031691704847","txlogisticId":"A1","details":' + _shown(array(messages)) + "}"
    headers = {"apiaccount": f"{shop.app_key}", "timestamp": str(int(at * 1000)), "digest": _b64(md5((said + shop.secret).encode()))}
    return Push(urlencode({"bizContent": said}).encode(), headers)


def seal_yto(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """Base64 of the raw MD5."""
    said = _shown(one(messages))
    form = {"logistics_interface": said, "data_digest": _b64(md5((said + shop.secret).encode())), "clientId": f"{shop.app_key}"}
    return Push(urlencode(form | {"type": "online"}).encode())


def seal_sto(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """Base64 of the raw MD5."""
    said = _shown(one(messages))
    form = {"content": said, "data_digest": _b64(md5((said + shop.secret).encode())), "to_appkey": f"{shop.app_key}"}
    return Push(urlencode(form | {"api_name": "STO_TRACE_PLATFORM_PUSH", "from_appkey": "sto"}).encode())


def seal_track17(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """SHA-256 over the body, a slash and the key."""
    provider = b'{"provider":{"key":190008,"name":"YTO Express","alias":"YTO Express"},"events":' + array(messages) + b"}"
    info = b'{"latest_status":{"status":"InTransit","sub_status":"InTransit_Other"},"tracking":{"providers":[' + provider + b"]}}"
    body = b'{"event":"TRACKING_UPDATED","data":{"number":"YT1","carrier":190008,"tag":null,"track_info":' + info + b"}}"
    return Push(body, {"sign": hashlib.sha256(body + b"/" + shop.secret.encode()).hexdigest()})


def seal_aftership(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """HMAC-SHA256 over the body."""
    head = b'{"event":"tracking_update","event_id":"u1","msg":{"id":"x","tracking_number":"YT1","slug":"yto","tag":"InTransit",'
    body = head + b'"checkpoints":' + array(messages) + b'},"ts":1795312800}'
    return Push(body, {"aftership-hmac-sha256": _b64(hmac.new(shop.secret.encode(), body, "sha256").digest())})


def seal_trackingmore(shop: Shop, messages: Sequence[bytes], at: float) -> Push:
    """HMAC-SHA256 over the time alone."""
    signature = hmac.new(shop.secret.encode(), str(int(at)).encode(), "sha256").hexdigest()
    tracking = b'{"tracking_number":"YT1","courier_code":"yto","origin_info":{"trackinfo":' + array(messages) + b"}}"
    proof = data({"timeStr": str(int(at)), "signature": signature})
    return Push(b'{"meta":{"code":200},"data":' + tracking + b',"verifyInfo":' + proof + b"}", query={"token": f"{shop.token}"})


def sf(code: str, at: str = SEEN, remark: str = "顺丰速运 已收取快件", **more: str) -> bytes:
    """One route in JSON."""
    head = {"mailno": "SF1011639535563", "acceptAddress": "深圳市", "orderid": "A1", "acceptTime": at, "remark": remark, "opCode": code}
    return data(head | {"id": "158918741444476", "reasonCode": "", "reasonName": ""} | more)


def sf_xml(code: str, at: str = SEEN, remark: str = "已收件", reason: str = "") -> bytes:
    """One route in XML."""
    said = f'mailno="SF1011639535563" orderid="A1" acceptTime="{at}" acceptAddress="深圳市" remark="{remark}"'
    return f'<WaybillRoute id="1" {said} opCode="{code}" reasonCode="{reason}"/>'.encode()


def kdniao_node(action: str, words: str, at: str = SEEN) -> bytes:
    """One node of a trace."""
    return data({"AcceptTime": at, "AcceptStation": words, "Location": "杭州市", "Action": action})


def cainiao_node(status: str, sub: str, words: str, at: int = 1795312800000) -> bytes:
    """One node of a domestic trace."""
    head = {"areaCode": "CN510116000000", "areaName": "四川省,成都市", "time": at, "desc": words}
    return data(head | {"subLogisticsStatus": sub, "logisticsStatus": status})


def jt_scan(name: str, code: str = "", problem: str = "", words: str = "【泉州清濛网点】已取件", at: str = SEEN) -> bytes:
    """One detail of a trace."""
    head = {"scanTime": at, "desc": words, "scanNetworkName": "泉州清濛网点", "staffName": "吴", "scanType": name, "scanTypeCode": code}
    return data(head | {"problemType": problem})


def yto_scan(what: str, words: str = "快件已揽收", at: str = SEEN, kind: str = "STATUS") -> bytes:
    """One scan in XML."""
    head = f"<logisticProviderID>YTO</logisticProviderID><clientID>K1</clientID><mailNo>YT1</mailNo><infoType>{kind}</infoType>"
    said = f"<infoContent>{what}</infoContent><remark>{words}</remark><acceptTime>{at}</acceptTime><txLogisticID>A1</txLogisticID>"
    return f"<UpdateInfo>{head}{said}</UpdateInfo>".encode()


def sto_scan(kind: str, words: str, at: str = SEEN, key: str = "") -> bytes:
    """One scan."""
    trace = {"outBizCode": key, "opOrgName": "上海青浦公司", "opOrgCityName": "上海市", "opTime": at, "scanType": kind, "memo": words}
    return data({"waybillNo": "773219955004555", "linkCode": "A1", "trace": trace})


def track17_event(sub: str, words: str, at: str = "2026-11-22T02:00:00Z") -> bytes:
    """One event of a trace."""
    return data({"time_iso": None, "time_utc": at, "description": words, "location": "Hangzhou", "stage": None, "sub_status": sub})


def aftership_node(tag: str, subtag: str, at: str = "2026-11-22T10:00:00+08:00") -> bytes:
    """One checkpoint."""
    return data(
        {"slug": "yto", "checkpoint_time": at, "created_at": "2026-11-22T02:05:00+00:00", "message": subtag, "tag": tag, "subtag": subtag}
    )


def trackingmore_node(status: str, sub: str, words: str = "Arrived", at: str = "2026-11-22 10:00") -> bytes:
    """One node."""
    head = {"checkpoint_date": at, "tracking_detail": words, "location": "Hangzhou"}
    return data(head | {"checkpoint_delivery_status": status, "checkpoint_delivery_substatus": sub})


def _courier(name: str, secret: str, **more: Any) -> Shop:
    return Shop("courier", name, name, "main", secret, **more)


SF = "sf:SF1011639535563"
CASES: tuple[Case, ...] = (
    Case(
        "sf",
        _courier("sf", "a-long-secret-of-the-address"),
        seal_sf,
        (
            sf("50"),
            sf("80", "2026-11-22 10:00:01", "已签收"),
            sf("8000", "2026-11-22 10:00:02", "在官网查看签收人信息", reasonCode="4"),
            sf("9999", "2026-11-22 10:00:03", "?", firstStatusCode="3", secondaryStatusCode="301"),
        ),
        ((SF, "PickedUp"), (SF, "Signed"), (SF, "Returned"), (SF, "OutForDelivery")),
        sf("9999"),
        "9999",
        '{"return_code":"0000","return_msg":"成功"}'.encode(),
        signs_time=False,
        signs_body=False,
        silent=(sf("8000", remark='在官网"运单资料&签收图",可查看签收人信息'), sf("135")),
    ),
    Case(
        "sf",
        Shop("courier", "sf", "sf", "older", "a-long-secret-of-the-address"),
        seal_sf_xml,
        (sf_xml("50"), sf_xml("44", "2026-11-22 10:00:01", "正在派送途中 &amp; &lt;请签收&gt;")),
        ((SF, "PickedUp"), (SF, "OutForDelivery")),
        sf_xml("9999"),
        "9999",
        '{"return_code":"0000","return_msg":"成功"}'.encode(),
        signs_time=False,
        signs_body=False,
        silent=(sf_xml("8000"),),
    ),
    Case(
        "kdniao",
        _courier("kdniao", "56da2cf8-c8a2-44b2-b6fa-476cd7d1ba17", app_key="1672544"),
        seal_kdniao,
        (
            kdniao_node("1", "【MKT】已揽收"),
            kdniao_node("", "快件已到达杭州转运中心", "2026-11-22 10:00:01"),
            kdniao_node("", "您好", "2026-11-22 10:00:02"),
        ),
        (("yto:YT1", "PickedUp"), ("yto:YT1", "ArrivedAtHub"), ("yto:YT1", "OutForDelivery")),
        kdniao_node("999", "x"),
        "999",
        b'{"EBusinessID":"1672544","UpdateTime":"","Success":true,"Reason":""}',
        signs_time=False,
        silent=(kdniao_node("0", "暂无轨迹信息"),),
    ),
    Case(
        "cainiao",
        _courier("cainiao", "secretKey1", app_key="CP1"),
        seal_cainiao,
        (
            cainiao_node("ACCEPT", "ACCEPT", "已揽收"),
            cainiao_node("DELIVERING", "STA_INBOUND", "快件已暂存至菜鸟驿站", 1795312801000),
            data({"time": "2026-11-22 02:00:02", "timeZone": "UTC+0", "desc": "x", "actionCode": "GTMS_SIGNED"}),
        ),
        (("yto:YT8988680934020", "PickedUp"), ("yto:YT8988680934020", "AwaitingPickup"), ("yto:YT8988680934020", "Signed")),
        cainiao_node("WARP", "WARP", "x"),
        "WARP",
        b'{"success":"true","errorCode":"","errorMsg":""}',
        signs_time=False,
        silent=(data({"time": 1795312800000, "desc": "x", "actionCode": "COMMON_INTRANSIT"}),),
    ),
    Case(
        "jt",
        _courier("jt", "secretKey1", app_key="640826271705595946"),
        seal_jt,
        (
            jt_scan("快件揽收", "10"),
            jt_scan("出仓扫描", at="2026-11-22 10:00:01"),
            jt_scan("问题件扫描", "110", "A14", at="2026-11-22 10:00:02"),
            jt_scan("", "94", at="2026-11-22 10:00:03"),
        ),
        tuple(("jt:JT3031691704847", said) for said in ("PickedUp", "OutForDelivery", "Rejected", "OutForDelivery")),
        jt_scan("", "9999"),
        "9999",
        b'{"code":"1","msg":"success","data":"SUCCESS"}',
        signs_time=False,
        silent=(jt_scan("", "130"),),
    ),
    Case(
        "yto",
        _courier("yto", "u2Z1F7Fh", app_key="K21000119"),
        seal_yto,
        (yto_scan("GOT"), yto_scan("SENT_SCAN", at="2026-11-22 10:00:01.0 CST"), yto_scan("INBOUND", "入柜", "2026-11-22 10:00:02")),
        (("yto:YT1", "PickedUp"), ("yto:YT1", "OutForDelivery"), ("yto:YT1", "AwaitingPickup")),
        yto_scan("WARP"),
        "WARP",
        b"<Response><logisticProviderID>YTO</logisticProviderID><txLogisticID></txLogisticID><success>true</success></Response>",
        signs_time=False,
        many=False,
        silent=(yto_scan("GOT", kind="INSTRUCTION"), yto_scan("ORDER_BOOKING")),
    ),
    Case(
        "sto",
        _courier("sto", "stoSecret", app_key="CAK1"),
        seal_sto,
        (
            sto_scan("收件", "已揽收"),
            sto_scan("柜机代收", "已入柜", "2026-11-22 10:00:01", "b7"),
            sto_scan("LH_ARRIVE", "抵达", "2026-11-22 10:00:02"),
        ),
        tuple(("sto:773219955004555", said) for said in ("PickedUp", "AwaitingPickup", "ArrivedAtHub")),
        sto_scan("瞬移", "x"),
        "瞬移",
        b'{"success":"true","errorCode":"","errorMsg":""}',
        signs_time=False,
        many=False,
    ),
    Case(
        "track17",
        _courier("track17", "testkey17"),
        seal_track17,
        (
            track17_event("InTransit_PickedUp", "Picked up"),
            track17_event("Delivered_Other", "Delivered", "2026-11-22T02:00:01Z"),
            track17_event("", "快件已到达杭州转运中心", "2026-11-22T02:00:02Z"),
        ),
        (("yto:YT1", "PickedUp"), ("yto:YT1", "Signed"), ("yto:YT1", "ArrivedAtHub")),
        track17_event("Warped_Away", "x"),
        "Warped_Away",
        b"success",
        signs_time=False,
        silent=(track17_event("NotFound_Other", "x"),),
    ),
    Case(
        "aftership",
        _courier("aftership", "whsec_test"),
        seal_aftership,
        (
            aftership_node("InTransit", "InTransit_002"),
            aftership_node("Exception", "Exception_011", "2026-11-22T10:00:01"),
            aftership_node("Delivered", "", "2026-11-22T10:00:02+08:00"),
        ),
        (("yto:YT1", "PickedUp"), ("yto:YT1", "Returned"), ("yto:YT1", "Signed")),
        aftership_node("Warp", "Warp_001"),
        "Warp_001",
        b'{"accepted":true}',
        signs_time=False,
        silent=(aftership_node("Pending", "Pending_001"),),
    ),
    Case(
        "trackingmore",
        _courier("trackingmore", "a@example.com", token="t0ken"),
        seal_trackingmore,
        (
            trackingmore_node("transit", "transit002"),
            trackingmore_node("exception", "exception010", "Returned", "2026-11-22 10:01"),
            data({"Date": "2026-11-22 10:02:00", "StatusDescription": "Delivered", "checkpoint_status": "delivered"}),
        ),
        (("yto:YT1", "ArrivedAtHub"), ("yto:YT1", "Returned"), ("yto:YT1", "Signed")),
        trackingmore_node("warp", "warp001"),
        "warp001",
        b'{"accepted":true}',
        signs_time=True,
        signs_body=False,
        mac=False,  # the signature stands in the body: what is no JSON has none
        silent=(trackingmore_node("pending", ""),),
    ),
)


def _kdniao(given: dict[str, Any]) -> object:
    said = kdniao.sign(given["RequestData"], given["ApiKey"])
    return {"DataSign": said, "urlencoded": urlencode({"": said})[1:]}


def _track17_older(given: dict[str, Any]) -> object:
    return {"sign": track17.sign(f"{given['event']}/{given['data_json']}".encode(), given["key"])}


def _sf_request(given: dict[str, Any], *, encoded: bool = True) -> str:
    """A request's digest as SF documents it, with the encoding of java.net.URLEncoder. Nothing here asks SF: for whoever does."""
    said = given["msgData"] + given.get("timestamp", "") + given.get("checkword", "")
    return _b64(md5((quote_plus(said, safe="*").replace("~", "%7E") if encoded else said).encode()))


def _sf_edges(given: dict[str, Any]) -> object:
    """Java keeps * and writes + and %7E; JavaScript's encodeURIComponent gives another digest."""
    said = given["msgData"] + given["timestamp"] + given["checkword"]
    return {"java": _sf_request(given), "encodeURIComponent": _b64(md5(quote(said, safe="!~*'()").encode()))}


def _sf_java(given: dict[str, Any]) -> object:
    said = given["msgData"] + given["timestamp"] + given["checkword"]
    return {"msgDigest": _sf_request(given), "urlencoded_text": quote_plus(said, safe="*").replace("~", "%7E")}


VECTORS: dict[str, Callable[[dict[str, Any]], object]] = {
    "kdniao-doc-demo": _kdniao,
    "kdniao-json-demo": _kdniao,
    "sf-msgDigest-java": _sf_java,
    "sf-msgDigest-noencode": lambda given: {"msgDigest": _sf_request(given, encoded=False)},
    "sf-msgDigest-space-star": _sf_edges,
    "cainiao-data_digest": lambda given: {"data_digest": cainiao.sign(given["logistics_interface"], given["secretKey"])},
    "jt-digest": lambda given: {"digest": jt.sign(given["bizContent"], given["privateKey"])},
    "17track-v2-header": lambda given: {"sign": track17.sign(given["raw_body"].encode(), given["key"])},
    "17track-v1-body": _track17_older,
    "aftership": lambda given: {"signature": aftership.sign(given["raw_body"].encode(), given["webhook_secret"])},
    "trackingmore-v2": lambda given: {"signature": trackingmore.sign(given["timeStr"], given["email"])},
}

__all__ = ["CASES", "VECTORS", "text"]
