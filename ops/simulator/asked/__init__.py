"""Platforms that push nothing: their stand-ins in the demo, which list what the day says, as it is played."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from ops.simulator.asked.jd import AskedJd
from ops.simulator.asked.listing import Listing
from ops.simulator.asked.wangdiantong import AskedWangdiantong

LISTINGS: Final[Mapping[str, type[Listing]]] = MappingProxyType({"jd": AskedJd, "wdt": AskedWangdiantong})  # by speaker


def listings() -> dict[str, Listing]:
    """One of each, by who speaks; not running yet."""
    return {speaker: kind(kind.demo_shop()) for speaker, kind in LISTINGS.items()}


__all__ = ["LISTINGS", "Listing", "listings"]
