"""Each platform's side: what it writes and how it signs. Written apart from the connectors, from the same public facts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ops.simulator.platforms import (
    cainiao,
    douyin,
    generic,
    jt,
    jushuitan,
    kdniao,
    kuaidi100,
    kuaishou,
    pinduoduo,
    sf,
    shopee,
    shopify,
    sto,
    taobao,
    tiktok_shop,
    wechat_shop,
    xiaohongshu,
    youzan,
    yto,
    zto,
)
from ops.simulator.platforms.base import Platform

PLATFORMS: Final[Mapping[str, Platform]] = MappingProxyType(
    {
        platform.source: platform
        for platform in (
            douyin.PLATFORM,
            generic.PLATFORM,
            jushuitan.PLATFORM,
            kuaidi100.PLATFORM,
            pinduoduo.PLATFORM,
            shopee.PLATFORM,
            shopify.PLATFORM,
            taobao.PLATFORM,
            tiktok_shop.PLATFORM,
            wechat_shop.PLATFORM,
            kuaishou.PLATFORM,
            xiaohongshu.PLATFORM,
            youzan.PLATFORM,
            cainiao.PLATFORM,
            jt.PLATFORM,
            kdniao.PLATFORM,
            sf.PLATFORM,
            sto.PLATFORM,
            yto.PLATFORM,
            zto.PLATFORM,
        )
    }
)

__all__ = ["PLATFORMS", "Platform"]
