"""Every puller there is. To add one: write platforms/NAME.py and errors/NAME.yaml, and list it here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from connectors.config import Shop
from connectors.pull.base import Feed, Puller
from connectors.pull.platforms.douyin import DouyinPuller
from connectors.pull.platforms.guanyi import GuanyiPuller
from connectors.pull.platforms.jd import JdPuller
from connectors.pull.platforms.jushuitan import JushuitanPuller
from connectors.pull.platforms.kingdee import KingdeePuller
from connectors.pull.platforms.kuaishou import KuaishouPuller
from connectors.pull.platforms.odoo import OdooPuller
from connectors.pull.platforms.pinduoduo import PinduoduoPuller
from connectors.pull.platforms.shopee import ShopeePuller
from connectors.pull.platforms.shopify import ShopifyPuller
from connectors.pull.platforms.taobao import TaobaoPuller
from connectors.pull.platforms.tiktok_shop import TiktokShopPuller
from connectors.pull.platforms.wangdiantong import WangdiantongPuller
from connectors.pull.platforms.wechat_shop import WechatShopPuller
from connectors.pull.platforms.xiaohongshu import XiaohongshuPuller
from connectors.pull.platforms.yonyou import YonyouPuller
from connectors.pull.platforms.youzan import YouzanPuller

_ALL: Final[tuple[Puller, ...]] = (
    GuanyiPuller(),
    JushuitanPuller(),
    KingdeePuller(),
    OdooPuller(),
    ShopeePuller(),
    ShopifyPuller(),
    TiktokShopPuller(),
    WangdiantongPuller(),
    YonyouPuller(),
    JdPuller(),
    KuaishouPuller(),
    XiaohongshuPuller(),
    YouzanPuller(),
    DouyinPuller(),
    PinduoduoPuller(),
    TaobaoPuller(),
    WechatShopPuller(),
)
PULLERS: Final[Mapping[str, Puller]] = MappingProxyType({puller.name: puller for puller in _ALL})


def check(shop: Shop) -> None:
    """Raise ValueError, for a person, where a shop has `pull:` and cannot be pulled from."""
    if shop.pull is None:
        return
    puller = PULLERS.get(shop.connector)
    if puller is None:
        raise ValueError(f"{shop.connector} cannot be pulled from; those that can: {', '.join(sorted(PULLERS))}")
    known = [feed.name for feed in puller.feeds]
    for name in shop.pull.feeds:
        if name not in known:
            raise ValueError(f"{shop.connector} has no feed {name!r}; it has {', '.join(known)}")
    puller.check(shop)


def feeds_of(shop: Shop) -> tuple[Feed, ...]:
    """The lists of a shop that are asked for."""
    if shop.pull is None or shop.connector not in PULLERS:
        return ()
    return tuple(feed for feed in PULLERS[shop.connector].feeds if not shop.pull.feeds or feed.name in shop.pull.feeds)


def base_of(shop: Shop) -> str:
    """Where a shop's platform is asked."""
    return (shop.pull and shop.pull.base_url) or PULLERS[shop.connector].base_url
