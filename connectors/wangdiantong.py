"""Wangdiantong 旺店通 旗舰版, an ERP and WMS. It pushes nothing that is publicly known: its lists are asked for.

    trades      the ERP's orders                    sales.TradeQuery.queryWithDetail
    stockouts   what the warehouse does with them   wms.stockout.Sales.queryWithDetail
    raw_trades  channels' orders as they came in    sales.RawTrade.search
    refunds     after-sale bills                    aftersales.refund.Refund.search
    raw_refunds channels' refunds as they came in   aftersales.refund.RawRefund.search
    stockins    goods that came back                wms.stockin.Refund.queryWithDetail

Its open API gives no orders of Taobao and Pinduoduo, whose data stays with these platforms: of their shops it says nothing.
`src_tids` and the like hold the channel's order ids, several for a merged order; `shop_no` is the shop's number. Money is yuan,
times are GMT+8, as text and as ms in the same object.

How the objects are read, and what several fields of them say together, is in `connectors/lists/wangdiantong.py`.
"""

from collections.abc import Mapping
from typing import ClassVar

from connectors.lists import wangdiantong as lists
from connectors.signing import joined, md5
from connectors.systems import Reader, System


def sign(secret: str, params: Mapping[str, str]) -> str:
    """The API's signature of these fields, body included, in lower-case hex. `secret` is the part before the colon."""
    return md5((secret + joined(params) + secret).encode())


class Wangdiantong(System):
    """See the module."""

    name = "wangdiantong"
    title = "Wangdiantong"
    readers: ClassVar[Mapping[str, Reader]] = {
        "trades": lists.read_trade,
        "stockouts": lists.read_stockout,
        "raw_trades": lists.read_raw_trade,
        "refunds": lists.read_refund,
        "raw_refunds": lists.read_raw_refund,
        "stockins": lists.read_stockin,
    }
