"""Every connector there is. To add one: write its file and its table, and list it here."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from connectors.base import Connector, Decoded
from connectors.douyin import Douyin
from connectors.generic import Generic
from connectors.jushuitan import Jushuitan
from connectors.kuaidi100 import Kuaidi100
from connectors.pinduoduo import Pinduoduo
from connectors.taobao import Taobao
from connectors.wechat_shop import WechatShop
from connectors.zto import Zto
from schemas.records import RawEvent

_ALL: Final[tuple[Connector, ...]] = (
    Douyin(),
    Generic(),
    Jushuitan(),
    Kuaidi100(),
    Pinduoduo(),
    Taobao(),
    WechatShop(),
    Zto(),
)
CONNECTORS: Final[Mapping[str, Connector]] = MappingProxyType({connector.name: connector for connector in _ALL})


def decoders() -> Mapping[str, Callable[[RawEvent], Decoded]]:
    """What normalise needs: by connector name, how an envelope is read."""
    return {name: connector.decode for name, connector in CONNECTORS.items()}
