"""Parcels that stand still, get lost or wait at the door. Semantics §7."""

from typing import Final

from ops.simulator import normal
from ops.simulator.day import MINUTE, Day
from ops.simulator.facts import Order

STANDS_SINCE: Final = {1: 190, 2: 430, 3: 1600}  # minutes since the last scan, for each tier
ALERT: Final = {1: "stall_sms", 2: "stall_task", 3: "stall_compensation"}


def _shipped(day: Day, before: float, courier: str | None = None) -> Order:
    """An order whose parcel was handed over this many minutes ago."""
    order = normal.released(day, day.order(courier=courier))
    normal.paid(day, order, day.ago(minutes=before + 240))
    normal.shipped(day, order, day.ago(minutes=before + 30))
    return order


def stalled(day: Day, tier: int) -> Order:
    """The last scan is so old that this tier is due, and each below it; only the highest alerts."""
    since = STANDS_SINCE[tier]
    order = _shipped(day, since)
    day.say(order.courier, order, "PickedUp", day.ago(minutes=since), axis="parcel")
    for lower in range(1, tier + 1):
        day.expect(f"stall.{lower}", order.parcel_key)
    day.expect(f"alert.{ALERT[tier]}", order.parcel_key)
    return order


def stalls_soon(day: Day, seconds: float) -> Order:
    """Its first tier falls due while we watch."""
    order = _shipped(day, 120)
    day.say(order.courier, order, "PickedUp", day.ago(minutes=120 - seconds / 60), axis="parcel")
    day.expect("stall.1", order.parcel_key)
    day.expect(f"alert.{ALERT[1]}", order.parcel_key)
    return order


def unsigned(day: Day) -> Order:
    """Out for delivery for more than four hours, and nobody signed: a first tier and a watch of its own."""
    order = _shipped(day, 260)
    day.say(order.courier, order, "OutForDelivery", day.ago(minutes=250), axis="parcel")
    day.expect("stall.1", order.parcel_key)
    day.expect(f"alert.{ALERT[1]}", order.parcel_key)
    day.expect("stall.unsigned", order.parcel_key)
    day.expect("alert.unsigned_watch", order.parcel_key)
    return order


def lost(day: Day) -> Order:
    """The courier says that it lost the parcel: the watch ends, no tier follows."""
    order = _shipped(day, 100, courier="sf")
    day.say(order.courier, order, "PickedUp", day.ago(minutes=80), axis="parcel")
    day.say(order.courier, order, "Lost", day.ago(minutes=5), axis="parcel")
    day.expect("parcel.lost", order.parcel_key)
    return order


def moves_again(day: Day, order: Order) -> None:
    """A scan comes after all: the episode ends."""
    day.say(order.courier, order, "InTransit", day.now - MINUTE, axis="parcel")
