"""Each platform's side: what it writes and how it signs. Written apart from the connectors, from the same public facts."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ops.simulator.platforms import douyin, generic, jushuitan, kuaidi100, pinduoduo, taobao, wechat_shop, zto
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
            taobao.PLATFORM,
            wechat_shop.PLATFORM,
            zto.PLATFORM,
        )
    }
)

__all__ = ["PLATFORMS", "Platform"]
