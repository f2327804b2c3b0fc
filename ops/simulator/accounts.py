"""Who the platforms know: an account for each speaker, from the same configuration that the roles read."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from connectors.config import CHANNEL, Shop
from ops.simulator.day import COURIERS
from ops.simulator.facts import ASKED, CHANNELS, ERP, MORE, WMS, Account

WEB: Final = "web"  # the generic channel of the day
NEEDED: Final[Mapping[tuple[str, str], str]] = MappingProxyType(  # kind and connector → who speaks
    {(CHANNEL, channel): channel for channel in CHANNELS}
    | {("system", "jushuitan"): ERP, ("system", "generic"): WMS}
    | {("courier", "kuaidi100"): "yunda", ("courier", "zto"): "zto", ("courier", "generic"): "sf"}
)
SPEAKERS: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    dict(NEEDED)
    | {(CHANNEL, channel): channel for channel in (*MORE, *ASKED)}
    | {(CHANNEL, "generic"): WEB, ("system", "wangdiantong"): "wdt", ("courier", "sf"): "sf", ("courier", "yto"): "yto"}
    | {("courier", "sto"): "sto", ("courier", "jt"): "jt", ("courier", "kdniao"): "ems", ("courier", "cainiao"): "deppon"}
)


class NobodySpeaks(LookupError):
    """The configuration lacks a source that the day needs."""


def accounts(shops: Iterable[Shop]) -> dict[str, Account]:
    """An account for each speaker of the day: the first shop of its kind and connector, in its own format before `generic`.

    Raises NobodySpeaks.
    """
    found: dict[str, Account] = {}
    for shop in sorted(shops, key=lambda shop: shop.connector == "generic"):
        speaker = SPEAKERS.get((shop.kind, shop.connector))
        if speaker is not None and speaker not in found and (speaker != WEB or shop.name == WEB):
            found[speaker] = account(shop)
    if missing := sorted(set(NEEDED.values()) - found.keys()):
        needed = ", ".join(f"{connector} ({kind})" for (kind, connector), speaker in NEEDED.items() if speaker in missing)
        raise NobodySpeaks(f"the configuration has no {needed}: the simulator's day needs one of each")
    return found


def pushing(found: Mapping[str, Account]) -> dict[str, str]:
    """The shops by channel that a day can be pushed to."""
    return {channel: found[channel].shop for channel in (*CHANNELS, *MORE) if channel in found}


def couriers(found: Mapping[str, Account]) -> tuple[str, ...]:
    """The couriers that speak."""
    return tuple(courier for courier in COURIERS if courier in found)


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
        options=shop.options,
    )
