"""Wangdiantong, the ERP of the JD shop, as the demo asks it: its orders and goods that came back."""

from dataclasses import replace
from typing import Any, Final

from connectors.config import Shop
from ops.simulator.asked.listing import Listing, Row
from ops.simulator.day import SHOPS
from ops.simulator.facts import Say
from ops.simulator.platforms.base import local, yuan
from ops.simulator.standins.base import Asked
from ops.simulator.standins.wangdiantong import WangdiantongStandIn

SHOP: Final = "S01"  # its number of the JD shop
STATUSES: Final = {"PaymentConfirmed": 30, "Picking": 55, "Shipped": 95, "Cancelled": 5, "OnHold": 23}
DONE: Final = 80


class AskedWangdiantong(Listing, WangdiantongStandIn):
    """See the module."""

    feeds = ("trades", "stockins")

    @classmethod
    def demo_shop(cls) -> Shop:
        """See Listing."""
        return replace(cls.example_shop(), name="wdt", options={SHOP: f"jd:{SHOPS['jd']}"})

    def answer(self, asked: Asked) -> Any:
        """See StandIn."""
        return self.given(super().answer(asked))

    def row(self, said: Say) -> Row:
        """See Listing."""
        order, at = said.order, local(said.at)
        whose = {"shop_no": SHOP, "modified": at}
        if said.axis == "stock":
            back = {"order_no": f"RK{order.tracking}", "status": DONE, "check_time": at, "tid_list": order.number}
            return "stockins", order.number, whose | back
        trade = {"trade_no": f"JY{order.tracking}", "src_tids": order.number, "trade_type": 1, "trade_from": 1, "trade_mask": 0}
        told = {"trade_status": STATUSES[said.status], "detail_list": []}
        if said.payable is not None:
            told["receivable"] = yuan(said.payable)
        if said.status == "Shipped":
            told["consign_time"] = at
        return "trades", order.number, whose | trade | told
