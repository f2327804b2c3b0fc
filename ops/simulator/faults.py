"""Faults between sources: each kind of conflict of semantics §4, one planted story each."""

from typing import Final

from ops.simulator import normal
from ops.simulator.day import HOUR, MINUTE, Day
from ops.simulator.facts import ABROAD, NO_AMOUNT, WMS, Order


def paid_not_received(day: Day, channel: str) -> Order:
    """The channel was paid and the ERP never heard of it."""
    order = normal.released(day, day.order(channel))
    normal.paid(day, order, day.ago(minutes=day.random.uniform(30, 200)), erp=False)
    return _conflict(day, "paid_not_received", order)


def shipped_not_synced(day: Day, channel: str) -> Order:
    """The warehouse shipped, the channel still says paid."""
    order = normal.released(day, day.order(channel))
    normal.paid(day, order, day.ago(hours=7))
    normal.shipped(day, order, day.ago(minutes=day.random.uniform(50, 200)), synced=False)
    return _conflict(day, "shipped_not_synced", order)


def signed_not_synced(day: Day, channel: str) -> Order:
    """The courier has a signature, the channel still says shipped hours later."""
    order = normal.released(day, day.order(channel))
    normal.paid(day, order, day.ago(hours=30))
    normal.shipped(day, order, day.ago(hours=28))
    day.say(order.courier, order, "Signed", day.ago(minutes=day.random.uniform(130, 200)), axis="parcel")
    return _conflict(day, "signed_not_synced", order)


def cancel_not_acknowledged(day: Day, channel: str) -> Order:
    """The buyer cancelled a paid order and the ERP goes on with it."""
    order = day.order(channel)
    at = day.ago(minutes=day.random.uniform(60, 300))
    normal.paid(day, order, at)
    day.say(order.channel, order, "Cancelled", at + 12 * MINUTE)
    day.expect("pool.withdraw", order.key)
    return _conflict(day, "cancel_not_acknowledged", order)


def stock_not_restored(day: Day, channel: str) -> Order:
    """The money went back, the goods are still reserved in the ERP."""
    order = day.order(channel)
    at = day.ago(minutes=day.random.uniform(90, 300))
    normal.paid(day, order, at)
    normal.refund(day, order, at + 20 * MINUTE, restored=False)
    day.expect("pool.withdraw", order.key)
    return _conflict(day, "stock_not_restored", order)


def refund_ignored(day: Day, channel: str) -> Order:
    """The refund is through and the ERP ignores it: neither cancelled nor restored. Two conflicts."""
    order = day.order(channel)
    at = day.ago(minutes=day.random.uniform(90, 300))
    normal.paid(day, order, at)
    normal.refund(day, order, at + 20 * MINUTE, restored=False, acknowledged=False)
    day.expect("pool.withdraw", order.key)
    _conflict(day, "cancel_not_acknowledged", order)
    return _conflict(day, "stock_not_restored", order)


def moved_after_end(day: Day, channel: str) -> Order:
    """Cancelled, acknowledged by the ERP, and the warehouse picks it all the same."""
    order = day.order(channel)
    at = day.ago(minutes=day.random.uniform(60, 300))
    normal.paid(day, order, at)
    day.say(order.channel, order, "Cancelled", at + 12 * MINUTE)
    day.say(order.erp, order, "Cancelled", at + 14 * MINUTE, payable=order.payable)
    day.say(WMS, order, "Picking", at + 30 * MINUTE)
    day.expect("pool.withdraw", order.key)
    return _conflict(day, "moved_after_end", order)


def amount_mismatch(day: Day, channel: str) -> Order:
    """The ERP has another amount than the channel, or than the WMS where the channel tells none."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=day.random.uniform(30, 200))
    normal.paid(day, order, at, erp=False)
    if channel in NO_AMOUNT | ABROAD:
        day.say(WMS, order, "Allocated", at + MINUTE, payable=order.payable)
    day.say(order.erp, order, "PaymentConfirmed", at + 2 * MINUTE, payable=order.payable - 500)
    return _conflict(day, "amount_mismatch", order)


def _conflict(day: Day, kind: str, order: Order) -> Order:
    day.expect(f"conflict.{kind}", order.key)
    day.expect("alert.conflict_opened", order.key)
    return order


FAULTS: Final = {
    "paid_not_received": paid_not_received,
    "shipped_not_synced": shipped_not_synced,
    "signed_not_synced": signed_not_synced,
    "cancel_not_acknowledged": cancel_not_acknowledged,
    "stock_not_restored": stock_not_restored,
    "moved_after_end": moved_after_end,
    "amount_mismatch": amount_mismatch,
}
IMMEDIATE: Final = ("amount_mismatch", "moved_after_end")  # conflicts without a deadline


def repair(day: Day, kind: str, order: Order) -> None:
    """People repair it: the missing statement comes, and the conflict closes."""
    at = day.now
    if kind == "paid_not_received":
        day.say(order.erp, order, "PaymentConfirmed", at, payable=order.payable)
    elif kind == "shipped_not_synced":
        day.say(order.channel, order, "Shipped", at)
    elif kind == "cancel_not_acknowledged":
        day.say(order.erp, order, "Cancelled", at, payable=order.payable)
    elif kind == "stock_not_restored":
        day.say(order.erp, order, "Restored", at, axis="stock")
    elif kind == "moved_after_end":
        day.say(WMS, order, "Cancelled", at)
    elif kind == "amount_mismatch":
        day.say(order.erp, order, "Picking", at, payable=order.payable)
    else:
        day.say(order.channel, order, "Completed", at)
    day.expect(f"resolved.{kind}", order.key)


__all__ = ["FAULTS", "HOUR", "IMMEDIATE", "refund_ignored", "repair"]
