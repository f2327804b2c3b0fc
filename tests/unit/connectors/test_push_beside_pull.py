"""A whole life of an order, pushed and listed side by side, in either order: no jump, one release, the same end."""

from collections.abc import Callable

import pytest

from tests.contract.connectors import cases
from tests.contract.connectors.cases import douyin as dy
from tests.contract.connectors.cases import pinduoduo as pdd
from tests.contract.connectors.cases import taobao as tb
from tests.contract.connectors.cases import wechat
from tests.unit.connectors.listed_given import BY
from tests.unit.connectors.shop_floor import Floor, at, local

Life = list[tuple[bytes, bytes]]  # the message and the listed order of each step, two minutes apart
CHANGED = 1.5  # minutes after a step the order is changed again, by something that is no status


def _moved(message: bytes, minute: float) -> bytes:
    """A message of another minute: whatever field has its time."""
    return message.replace(local(0).encode(), local(minute).encode()).replace(str(at(0)).encode(), str(at(minute)).encode())


def douyin() -> Life:
    """Created, paid, shipped in two parts, completed."""
    steps = [
        (dy("100", 1, order_status=1, create_time=at(0)), {"order_status": 1, "pay_time": 0}),
        (dy("101", 2, order_status=2, pay_time=at(2)), {"order_status": 2}),
        (dy("108", 3, order_status=101, update_time=at(4)), {"order_status": 101, "ship_time": at(4)}),
        (dy("102", 4, order_status=3, update_time=at(6)), {"order_status": 3, "ship_time": at(6)}),
        (dy("103", 5, order_status=5, complete_time=at(8)), {"order_status": 5, "ship_time": at(6), "finish_time": at(8)}),
    ]
    common = {"create_time": at(0), "pay_time": at(2)}
    return [(push, cases.douyin_order(**(common | {"update_time": at(2 * n + CHANGED)} | said))) for n, (push, said) in enumerate(steps)]


def taobao() -> Life:
    """Created, paid, shipped in two parts, completed."""
    steps = [
        ("TradeCreate", {"status": "WAIT_BUYER_PAY", "pay_time": ""}),
        ("TradeBuyerPay", {"status": "WAIT_SELLER_SEND_GOODS"}),
        ("TradePartlySellerShip", {"status": "SELLER_CONSIGNED_PART", "consign_time": local(4)}),
        ("TradeSellerShip", {"status": "WAIT_BUYER_CONFIRM_GOODS", "consign_time": local(4)}),
        ("TradeSuccess", {"status": "TRADE_FINISHED", "consign_time": local(4), "end_time": local(8)}),
    ]
    common = {"created": local(0), "pay_time": local(2)}
    return [
        (
            _moved(tb(f"taobao_trade_{topic}", n), 2 * n),
            cases.taobao_trade(**(common | {"modified": local(2 * n + CHANGED)} | said)),
        )
        for n, (topic, said) in enumerate(steps)
    ]


def pinduoduo() -> Life:
    """Concluded, held, released, shipped, received."""
    steps: list[tuple[str, dict[str, int], dict[str, object]]] = [
        ("TradeConfirmed", {}, {}),
        ("TradeRiskChanged", {"risk_control_status": 1}, {"risk_control_status": 1}),
        ("TradeRiskChanged", {"risk_control_status": 0}, {}),
        ("TradeSellerShip", {}, {"order_status": 2, "shipping_time": local(6)}),
        ("TradeSuccess", {}, {"order_status": 3, "shipping_time": local(6), "receive_time": local(8)}),
    ]
    return [
        (
            pdd(f"pdd_trade_{kind}", n, modified=at(2 * n) * 1000, **fields),
            cases.pinduoduo_order(**({"confirm_time": local(0), "updated_at": local(2 * n + CHANGED)} | said)),
        )
        for n, (kind, fields, said) in enumerate(steps)
    ]


def wechat_shop() -> Life:
    """New, paid, shipped in two parts, received."""
    shipped: dict[str, object] = {"delivery_info": {"ship_done_time": at(6)}}
    steps: list[tuple[bytes, int, dict[str, object]]] = [
        (wechat("channels_ec_order_new"), 10, {"pay_info": {}}),
        (wechat("channels_ec_order_pay", pay_time=at(0)), 20, {}),
        (wechat("channels_ec_order_deliver", finish_delivery=0), 21, {}),
        (wechat("channels_ec_order_deliver", finish_delivery=1), 30, shipped),
        (wechat("channels_ec_order_confirm", confirm_type=1), 100, shipped | {"ext_info": {"confirm_receipt_time": at(8)}}),
    ]
    paid = {"pay_info": {"pay_time": at(2), "payment_method": 1}}
    found = []
    for n, (push, status, detail) in enumerate(steps):
        item = cases.wechat_order(status, **(paid | detail))
        for old, new in ((1795312830, at(2 * n + CHANGED)), (1795312620, at(0))):
            item = item.replace(str(old).encode(), str(new).encode())
        found.append((_moved(push, 2 * n), item))
    return found


LIVES: dict[str, Callable[[], Life]] = {"douyin": douyin, "taobao": taobao, "pinduoduo": pinduoduo, "wechat_shop": wechat_shop}
ENDS = "Completed"


@pytest.mark.parametrize("name", LIVES)
def test_pushed_and_then_listed(name: str) -> None:
    """The list says again what was pushed: duplicates and repeats, whatever it adds."""
    shop = Floor(BY[name])
    for n, (push, item) in enumerate(LIVES[name]()):
        shop.push(2 * n, push).pull(2 * n + CHANGED, "orders", item).pull(2 * n + 1.9, "orders", item)
    assert (shop.jumps, shop.dead, shop.pool) == ([], [], ["release"])
    assert shop.state(shop.key).status == ENDS
    assert shop.dispositions.count("late") == (name == "pinduoduo"), "whose list calls received what its messages call a success"


@pytest.mark.parametrize("name", LIVES)
def test_listed_and_then_pushed(name: str) -> None:
    """The list was faster than every push: what comes then is late or a repeat, and takes nothing back."""
    shop = Floor(BY[name])
    for n, (push, item) in enumerate(LIVES[name]()):
        shop.pull(2 * n + CHANGED, "orders", item).push(2 * n + 1.8, push)
    assert (shop.jumps, shop.dead, shop.pool) == ([], [], ["release"])
    assert shop.state(shop.key).status == ENDS


@pytest.mark.parametrize("name", LIVES)
def test_only_listed(name: str) -> None:
    """All pushes were lost: the order goes the same way."""
    shop = Floor(BY[name])
    for n, (_, item) in enumerate(LIVES[name]()):
        shop.pull(2 * n + CHANGED, "orders", item)
    assert (shop.jumps, shop.dead, shop.pool) == ([], [], ["release"])
    assert shop.state(shop.key).status == ("Signed" if name == "pinduoduo" else ENDS)


@pytest.mark.parametrize("name", LIVES)
def test_everything_arrives_at_the_end(name: str) -> None:
    """A day without network: the last listed order first, then all pushes at once. Nothing is released that was shipped."""
    life = LIVES[name]()
    shop = Floor(BY[name]).pull(20, "orders", life[-1][1]).push(21, *(push for push, _ in life))
    assert (shop.jumps, shop.dead, shop.pool) == ([], [], [])
