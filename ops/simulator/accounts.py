"""Who the platforms know: an account for each speaker, from the same configuration that the roles read."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from connectors.config import Shop
from ops.simulator.facts import Account

SPEAKERS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("channel", "douyin"): "douyin",
        ("channel", "taobao"): "taobao",
        ("channel", "pinduoduo"): "pinduoduo",
        ("channel", "wechat_shop"): "wechat_shop",
        ("system", "jushuitan"): "erp",
        ("system", "generic"): "wms",
        ("courier", "kuaidi100"): "yto",
        ("courier", "zto"): "zto",
        ("courier", "generic"): "sf",
    }
)


class NobodySpeaks(LookupError):
    """The configuration lacks a source that the day needs."""


def accounts(shops: Iterable[Shop]) -> dict[str, Account]:
    """An account for each speaker of the day: the first shop of its kind and connector. Raises NobodySpeaks."""
    found: dict[str, Account] = {}
    for shop in shops:
        speaker = SPEAKERS.get((shop.kind, shop.connector))
        if speaker is not None and speaker not in found:
            found[speaker] = account(shop)
    if missing := sorted(set(SPEAKERS.values()) - found.keys()):
        needed = ", ".join(f"{connector} ({kind})" for (kind, connector), speaker in SPEAKERS.items() if speaker in missing)
        raise NobodySpeaks(f"the configuration has no {needed}: the simulator's day needs one of each")
    return found


def account(shop: Shop) -> Account:
    """What a platform must know to push to this shop."""
    return Account(
        source=shop.connector,
        shop=shop.shop,
        secret=shop.secret,
        app_key=shop.app_key or "",
        token=shop.token or "",
        aes_key=shop.aes_key or "",
        app_id=shop.app_id or "",
    )
