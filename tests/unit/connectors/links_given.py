"""Two ends of a link in their own formats: a channel that pushes, a system that pushes or is asked, a courier, and what they meet.

Each platform says a few words about one order: functions of the word's time (seconds) that give signed pushes, or objects of lists.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from msgspec import structs

from connectors.base import Push
from connectors.config import Shop
from connectors.intake import Address, Publication, envelope
from connectors.registry import CONNECTORS, decoders
from schemas import codec, topics
from schemas.records import Conflict, DeadLetter, Jump, RawEvent
from streams.normalise import agent as normalise
from streams.orders import agent as orders
from streams.orders.rules import RuleSet
from streams.parcels import agent as parcels
from streams.policy import Policy
from streams.records.driver import Driver
from tests.contract.connectors import cases, kit
from tests.contract.connectors.platforms import guanyi, kingdee, odoo, wangdiantong, yonyou, youzan

BEGIN = kit.NOW
WAYBILL = "V030344422"  # of YTO, as cases.py seals a trace of Kuaidi100
Word = Callable[[float], Sequence[Publication]]


def local(at: float) -> str:
    """GMT+8."""
    return kit.local(at)


def utc(at: float) -> str:
    """UTC, as Odoo has it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(at))


def patched(message: bytes, **more: Any) -> bytes:
    """The same message with other values."""
    return kit.data(json.loads(message) | more)


@dataclass(frozen=True)
class End:
    """One end of a link and its words about the order."""

    shop: Shop
    words: Mapping[str, Word]

    def says(self, word: str, at: float) -> Sequence[Publication]:
        """What reaches Kafka when it says that."""
        return self.words[word](at)


def pushes(shop: Shop, seal: kit.Seal, **messages: Callable[[float], bytes]) -> dict[str, Word]:
    """Words that are pushed: signed by the platform's own way, verified, cut and put into envelopes by ours."""

    def word(message: Callable[[float], bytes]) -> Word:
        address = Address(shop, CONNECTORS[shop.connector])

        def push(at: float) -> Sequence[Publication]:
            sealed: Push = seal(shop, (message(at),), at)
            return address.receive(sealed, at)

        return push

    return {name: word(message) for name, message in messages.items()}


def lists(shop: Shop, feed: str, **items: Callable[[float], bytes]) -> dict[str, Word]:
    """Words that are asked for: objects of a list."""
    connector = CONNECTORS[shop.connector]

    def word(item: Callable[[float], bytes]) -> Word:
        return lambda at: [envelope(shop, fact, int(at * 1000)) for fact in connector.pulled(shop, feed, item(at))]

    return {name: word(item) for name, item in items.items()}


# -- channels: paid, shipped, done, cancelled, refunding (refund_only agreed), refunded


def douyin() -> tuple[End, str]:
    """Douyin: messages by tag."""
    shop = next(case.shop for case in cases.CASES if case.name == "douyin")
    refund = {"aftersale_id": 7, "aftersale_type": 2}
    words = pushes(
        shop,
        cases.seal_douyin,
        paid=lambda at: cases.douyin("101", 1, order_status=2, pay_time=int(at), pay_amount=12900),
        shipped=lambda at: cases.douyin("102", 2, order_status=3, update_time=int(at)),
        done=lambda at: cases.douyin("103", 3, order_status=5, complete_time=int(at)),
        cancelled=lambda at: cases.douyin("106", 4, order_status=4, cancel_time=int(at)),
        refunding=lambda at: cases.douyin("201", 5, after_sale_status=11, agree_time=int(at), **refund),
        refunded=lambda at: cases.douyin("206", 6, after_sale_status=12, success_time=int(at), **refund),
    )
    return End(shop, words), "4781321000000000001"


def taobao() -> tuple[End, str]:
    """Taobao: messages by topic. A cancel before shipping is a refund."""
    shop = next(case.shop for case in cases.CASES if case.name == "taobao")
    case = {"refund_id": "592823138", "refund_fee": "129.00", "bill_type": "refund_bill", "payment": "129.00"}

    def said(topic: str, number: int, **more: Any) -> Callable[[float], bytes]:
        return lambda at: patched(cases.taobao(topic, number, **more), pub_time=local(at))

    words = pushes(
        shop,
        cases.seal_taobao,
        paid=said("taobao_trade_TradeBuyerPay", 1, payment="129.00"),
        shipped=said("taobao_trade_TradeSellerShip", 2),
        done=said("taobao_trade_TradeSuccess", 3),
        refunding=said("taobao_refund_RefundSellerAgreeAgreement", 5, **case),
        refunded=said("taobao_refund_RefundSuccess", 6, **case),
    )
    return End(shop, words), "1958730012345678901"


def pinduoduo() -> tuple[End, str]:
    """Pinduoduo: messages by type."""
    shop = next(case.shop for case in cases.CASES if case.name == "pinduoduo")

    def said(kind: str, number: int, **more: Any) -> Callable[[float], bytes]:
        return lambda at: cases.pinduoduo(kind, number, modified=int(at * 1000), **more)

    words = pushes(
        shop,
        cases.seal_pinduoduo,
        paid=said("pdd_trade_TradeConfirmed", 1),
        shipped=said("pdd_trade_TradeSellerShip", 2),
        done=said("pdd_trade_TradeSuccess", 3),
        refunding=said("pdd_refund_RefundAgreeAgreement", 5, refund_id=9012345678, bill_type=1),
    )
    return End(shop, words), "231115-123456789012345"


def wechat_shop() -> tuple[End, str]:
    """WeChat shop: events."""
    shop = next(case.shop for case in cases.CASES if case.name == "wechat_shop")

    def said(event: str, **info: Any) -> Callable[[float], bytes]:
        return lambda at: patched(cases.wechat(event, **info), CreateTime=int(at))

    def aftersale(status: str) -> Callable[[float], bytes]:
        case = {"status": status, "after_sale_order_id": "777", "order_id": "3705115058471208928"}
        head = {"ToUserName": "gh_1", "FromUserName": "o1", "MsgType": "event", "Event": "channels_ec_aftersale_update"}
        return lambda at: kit.data(head | {"CreateTime": int(at), "finder_shop_aftersale_status_update": case})

    words = pushes(
        shop,
        cases.seal_wechat,
        paid=said("channels_ec_order_pay"),
        shipped=said("channels_ec_order_deliver", finish_delivery=1),
        done=said("channels_ec_order_confirm"),
        cancelled=said("channels_ec_order_cancel", cancel_type=1),
        refunded=aftersale("MERCHANT_REFUND_SUCCESS"),
    )
    return End(shop, words), "3705115058471208928"


def youzan_shop() -> tuple[End, str]:
    """Youzan: messages with the order inside, and refunds of the newer kind."""

    def said(kind: str, status: str) -> Callable[[float], bytes]:
        def message(at: float) -> bytes:
            order = youzan.full(status, "129.00", update_time=local(at), pay_time=local(at))
            return youzan.message(kind, youzan.encoded(**order), version=int(at), status=status)

        return message

    words = pushes(
        youzan.SHOP,
        youzan.seal,
        paid=said("trade_TradeBuyerPay", "WAIT_SELLER_SEND_GOODS"),
        shipped=said("trade_TradeSellerShip", "WAIT_BUYER_CONFIRM_GOODS"),
        done=said("trade_TradeSuccess", "TRADE_SUCCESS"),
        refunding=lambda at: youzan.refund("youzan_trade_RefundSellerAgree", update_time=local(at), version=int(at * 1000)),
    )
    return End(youzan.SHOP, words), youzan.TID


CHANNELS: Mapping[str, Callable[[], tuple[End, str]]] = {
    "douyin": douyin,
    "taobao": taobao,
    "pinduoduo": pinduoduo,
    "wechat_shop": wechat_shop,
    "youzan": youzan_shop,
}

# -- systems: received, dearer (another amount), shipped (with a waybill of YTO), stopped, restored


def _linked(shop: Shop, whose: Shop) -> Shop:
    (number,) = shop.options
    return replace(shop, options={number: f"{whose.name}:{whose.shop}"})


def jushuitan(whose: Shop, order: str) -> End:
    """Jushuitan: what reads its API passes objects on, signed."""
    shop = _linked(next(case.shop for case in cases.CASES if case.name == "jushuitan"), whose)

    def said(**more: Any) -> Callable[[float], bytes]:
        return lambda at: cases.jushuitan(so_id=order, modified=local(at), **more)

    words = pushes(
        shop,
        cases.seal_jushuitan,
        received=said(status="WaitConfirm", pay_amount="129.00"),
        dearer=said(status="WaitFConfirm", pay_amount="139.00"),
        shipped=said(status="Sent", l_id=WAYBILL, logistics_company="圆通速递"),
        stopped=said(status="Cancelled"),
        restored=said(io_id=9, o_id=None, as_id=5, status="Confirmed"),
    )
    return End(shop, words)


def wangdian(whose: Shop, order: str) -> End:
    """Wangdiantong: five of its lists."""
    shop = _linked(wangdiantong.SHOP, whose)

    def trade(**more: Any) -> Callable[[float], bytes]:
        return lambda at: wangdiantong.trade(src_tids=order, modified=local(at), receivable="129.0000", **more)

    def stockout(at: float) -> bytes:
        parcel = {"logistics_no": WAYBILL, "logistics_type": 4, "logistics_name": "圆通0001"}
        return wangdiantong.stockout(src_trade_no=order, status=110, modified=local(at), consign_time=local(at), **parcel)

    words = {
        **lists(shop, "raw_trades", received=lambda at: wangdiantong.raw_trade(tid=order, pay_time=local(at), receivable="129.0000")),
        **lists(shop, "trades", stopped=trade(trade_status=5, detail_list=[])),
        **lists(shop, "stockouts", shipped=stockout),
        **lists(shop, "stockins", restored=lambda at: wangdiantong.stockin(tid_list=order, check_time=int(at * 1000))),
    }
    return End(shop, words)


def guanyi_erp(whose: Shop, order: str) -> End:
    """Guanyi: orders and return bills."""
    shop = _linked(guanyi.SHOP, whose)

    def trade(**more: Any) -> Callable[[float], bytes]:
        return lambda at: guanyi.trade(platform_code=order, modifytime=local(at), payment="129.00", **more)

    parcel = {"express_name": "圆通-菜鸟面单", "mail_no": WAYBILL}
    words = {
        **lists(
            shop,
            "trades",
            received=trade(),
            shipped=trade(approve=True, delivery_state=2, deliverys=[parcel]),
            stopped=trade(cancle=True),
        ),
        **lists(shop, "returns", restored=lambda at: guanyi.returned(platform_code=order, receive=1, receive_date=local(at))),
    }
    return End(shop, words)


def kingdee_erp(whose: Shop, order: str) -> End:
    """Kingdee: orders, stock-out bills and return bills, as rows."""
    shop = _linked(kingdee.SHOP, whose)

    def row(message: bytes) -> Callable[[float], bytes]:
        def at_its_time(at: float) -> bytes:
            stamps = {kingdee.AT: local(at).replace(" ", "T"), "A1": order, "7777": WAYBILL, "中通快递": "圆通速递"}
            return kit.data([stamps.get(value, value) for value in json.loads(message)])

        return at_its_time

    dearer = json.dumps([139.0 if value == 129.0 else value for value in json.loads(kingdee.order("C"))]).encode()
    words = {
        **lists(shop, "orders", received=row(kingdee.order("B")), dearer=row(dearer), stopped=row(kingdee.order("B", cancelled="B"))),
        **lists(shop, "outstocks", shipped=row(kingdee.outstock("C"))),
        **lists(shop, "returns", restored=row(kingdee.returned("C"))),
    }
    return End(shop, words)


def odoo_erp(whose: Shop, order: str) -> End:
    """Odoo: sales orders are pushed by an automation rule, deliveries and returns are asked for."""
    shop = _linked(odoo.SHOP, whose)

    def pushed(**more: Any) -> Callable[[float], bytes]:
        return lambda at: odoo.pushed(client_order_ref=order, write_date=utc(at), **more)

    def picking(name: str, **more: Any) -> Callable[[float], bytes]:
        sale = {"id": 12, "client_order_ref": order, "team_id": {"id": 5}, "state": "sale", "delivery_status": "full"}
        head = {"id": 3, "name": name, "state": "done", "sale_id": sale}
        return lambda at: kit.data(head | {"date_done": utc(at), "write_date": utc(at)} | more)

    parcel = {"carrier_id": {"id": 2, "name": "圆通速递"}, "carrier_tracking_ref": WAYBILL}
    words = {
        **pushes(shop, odoo.seal, received=pushed(), stopped=pushed(state="cancel")),
        **lists(shop, "deliveries", shipped=picking("WH/OUT/00003", **parcel)),
        **lists(shop, "returns", restored=picking("WH/IN/00004")),
    }
    return End(shop, words)


def yonyou_erp(whose: Shop, order: str) -> End:
    """Yonyou: sales orders. Parcels and returns are not in its list."""
    shop = _linked(yonyou.SHOP, whose)

    def said(**more: Any) -> Callable[[float], bytes]:
        return lambda at: yonyou.order(purchaseNo=order, modifyTime=local(at), **more)

    words = lists(
        shop,
        "orders",
        received=said(nextStatus="APPROVING"),
        dearer=said(nextStatus="DELIVERGOODS", payMoney=139.0),
        shipped=said(nextStatus="TAKEDELIVERY"),
        stopped=said(nextStatus="OPPOSE"),
    )
    return End(shop, words)


SYSTEMS: Mapping[str, Callable[[Shop, str], End]] = {
    "jushuitan": jushuitan,
    "wangdiantong": wangdian,
    "guanyi": guanyi_erp,
    "kingdee": kingdee_erp,
    "odoo": odoo_erp,
    "yonyou": yonyou_erp,
}


def kuaidi100() -> End:
    """Kuaidi100: a trace of YTO with one node."""
    shop = next(case.shop for case in cases.CASES if case.name == "kuaidi100")

    def signed(at: float) -> bytes:
        return kit.data({"context": "客户已签收", "time": local(at), "ftime": local(at), "statusCode": "3"})

    return End(shop, pushes(shop, cases.seal_kuaidi100, signed=signed))


class World:
    """A shop, its ERP and a courier on the engine's driver: envelopes → normalise → orders and parcels. Times are minutes."""

    def __init__(self, channel: str, system: str, kind: str = "erp") -> None:
        self.channel, self.order = CHANNELS[channel]()
        self.system = SYSTEMS[system](self.channel.shop, self.order)
        self.courier = kuaidi100()
        shop = self.channel.shop
        policy = Policy(links={f"{shop.name}:{shop.shop}": {self.system.shop.name: kind}})
        raw = (shop.topic, topics.RAW_SYSTEM, topics.RAW_PARCEL)
        tasks = [normalise.task(topic, decoders(), policy) for topic in raw]
        tasks += [orders.task(policy, RuleSet(), (shop.name,), 1), parcels.task(policy)]
        self.driver = Driver(tasks, 1, BEGIN)

    def until(self, minute: float) -> "World":
        """Time passes, and all that came before has been read."""
        self.driver.advance(max(0.0, BEGIN + minute * 60 - self.driver.clock), rounds=4)
        return self

    def hear(self, end: End, word: str, minute: float, received: float | None = None) -> "World":
        """An end says a word that came about at a minute; it is received then, or later."""
        for record in end.says(word, BEGIN + minute * 60):
            self._received(record, minute if received is None else received)
        return self

    def asked(self, feed: str, item: bytes, minute: float) -> "World":
        """An object of the system's list is read at a minute."""
        shop = self.system.shop
        for fact in CONNECTORS[shop.connector].pulled(shop, feed, item):
            self._received(envelope(shop, fact, 0), minute)
        return self

    def _received(self, record: Publication, minute: float) -> None:
        self.until(minute)
        at = int(self.driver.clock * 1000)
        value = codec.encode(structs.replace(codec.decode(record.value, RawEvent), received_at=at))
        self.driver.send(record.topic, record.key, value, at, record.headers)
        self.driver.run()

    def ch(self, word: str, minute: float, received: float | None = None) -> "World":
        """The channel says it."""
        return self.hear(self.channel, word, minute, received)

    def erp(self, word: str, minute: float, received: float | None = None) -> "World":
        """The ERP says it."""
        return self.hear(self.system, word, minute, received)

    @property
    def conflicts(self) -> list[tuple[str, str]]:
        """Kind and state of each conflict record. Nothing may have become a dead letter on the way."""
        assert [codec.decode(value, DeadLetter).detail for value in self.driver.values(topics.DEAD)] == []
        assert self.driver.errors == []
        found = [codec.decode(value, Conflict) for value in self.driver.values(topics.ORDER_CONFLICT)]
        return [(one.kind, one.state) for one in found]

    @property
    def jumps(self) -> list[str]:
        """Kinds of the jumps found."""
        return [codec.decode(value, Jump).kind for value in self.driver.values(topics.ORDER_JUMP)]
