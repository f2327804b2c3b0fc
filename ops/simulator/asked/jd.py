"""JD as the demo asks it: orders and refunds before shipping."""

from dataclasses import replace
from typing import Any, Final

from connectors.config import Shop
from ops.simulator.asked.listing import Listing, Row
from ops.simulator.day import SHOPS
from ops.simulator.facts import WMS, Say
from ops.simulator.platforms.base import local, yuan
from ops.simulator.standins.base import Asked
from ops.simulator.standins.jd import NONE, JdStandIn

STATES: Final = {
    "PaymentConfirmed": "WAIT_SELLER_STOCK_OUT",
    "Shipped": "WAIT_GOODS_RECEIVE_CONFIRM",
    "Completed": "FINISHED_L",
    "Cancelled": "TRADE_CANCELED",
}
REFUNDS: Final = {"RefundRequested": 0, "RefundApproved": 1, "Refunded": 3}


class AskedJd(Listing, JdStandIn):
    """See the module."""

    feeds = ("orders", "refunds")

    @classmethod
    def demo_shop(cls) -> Shop:
        """See Listing."""
        return replace(cls.example_shop(), shop=SHOPS["jd"], systems=("wdt", WMS))

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        return self.given(super().answer(asked))

    def row(self, said: Say) -> Row:
        """See Listing."""
        order = said.order
        if said.axis == "aftersale":
            return "refunds", order.number, _refund(said)
        state = said.code or STATES[said.status]
        thing = {"orderId": order.number, "venderId": order.shop, "orderState": state, "payType": "4-在线支付"}
        times = {"modified": local(said.at), "orderEndTime": local(said.at) if said.status == "Completed" else NONE}
        paid = {} if said.payable is None else {"orderPayment": yuan(said.payable)}
        items = [{"skuId": "1", "outerSkuId": order.sku, "itemTotal": "1", "jdPrice": yuan(order.payable)}]
        return "orders", order.number, thing | times | paid | {"itemInfoList": items}


def _refund(said: Say) -> dict[str, Any]:
    number, asked_for = said.order.number, said.status == "RefundRequested"
    case = {"id": int(said.order.tracking[-9:]), "orderId": number, "status": REFUNDS[said.status], "partRefundType": 0}
    times = {"applyTime": local(said.at), "checkTime": NONE if asked_for else local(said.at)}
    return case | times | {"applyRefundSum": said.order.payable}
