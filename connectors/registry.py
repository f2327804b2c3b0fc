"""Every connector there is. To add one: write its file and its table, and list it here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from connectors.aftership import Aftership
from connectors.base import Connector, Decoded
from connectors.cainiao import Cainiao
from connectors.douyin import Douyin
from connectors.generic import Generic
from connectors.guanyi import Guanyi
from connectors.jd import Jd
from connectors.jt import Jt
from connectors.jushuitan import Jushuitan
from connectors.kdniao import Kdniao
from connectors.kingdee import Kingdee
from connectors.kuaidi100 import Kuaidi100
from connectors.kuaishou import Kuaishou
from connectors.odoo import Odoo
from connectors.pinduoduo import Pinduoduo
from connectors.sf import Sf
from connectors.shopee import Shopee
from connectors.shopify import Shopify
from connectors.sto import Sto
from connectors.taobao import Taobao
from connectors.tiktok_shop import TiktokShop
from connectors.track17 import Track17
from connectors.trackingmore import Trackingmore
from connectors.wangdiantong import Wangdiantong
from connectors.wechat_shop import WechatShop
from connectors.xiaohongshu import Xiaohongshu
from connectors.yonyou import Yonyou
from connectors.youzan import Youzan
from connectors.yto import Yto
from connectors.zto import Zto
from schemas.records import RawEvent

_ALL: Final[tuple[Connector, ...]] = (
    Douyin(),
    Generic(),
    Guanyi(),
    Jushuitan(),
    Kingdee(),
    Kuaidi100(),
    Odoo(),
    Pinduoduo(),
    Shopee(),
    Shopify(),
    Taobao(),
    TiktokShop(),
    Wangdiantong(),
    WechatShop(),
    Yonyou(),
    Aftership(),
    Cainiao(),
    Jt(),
    Kdniao(),
    Sf(),
    Sto(),
    Track17(),
    Trackingmore(),
    Yto(),
    Zto(),
    Jd(),
    Kuaishou(),
    Xiaohongshu(),
    Youzan(),
)
CONNECTORS: Final[Mapping[str, Connector]] = MappingProxyType({connector.name: connector for connector in _ALL})


def decoders() -> Mapping[str, Callable[[RawEvent], Decoded]]:
    """What normalise needs: by connector name, how an envelope is read."""
    return {name: connector.decode for name, connector in CONNECTORS.items()}
