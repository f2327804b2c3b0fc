"""Orders that go well: nothing may be found about them but their place in the pool."""

from collections.abc import Callable
from typing import Final

from ops.simulator.day import MINUTE, Day
from ops.simulator.facts import WMS, Order, tells

Story = Callable[[Day], object]
REFUND: Final = ("RefundRequested", "RefundApproved", "Refunded")


def paid(day: Day, order: Order, at: int, *, erp: bool = True) -> None:
    """The buyer orders and pays; the ERP has it two minutes later. It is due for release."""
    if tells(order.channel, "Created"):
        day.say(order.channel, order, "Created", at - 3 * MINUTE)
    day.say(order.channel, order, "PaymentConfirmed", at, payable=order.payable)
    if erp:
        day.say(order.erp, order, "PaymentConfirmed", at + 2 * MINUTE, payable=order.payable)


def picked(day: Day, order: Order, at: int) -> None:
    """The warehouse begins to work on it."""
    day.say(order.erp, order, "Picking", at, payable=order.payable)


def shipped(day: Day, order: Order, at: int, *, synced: bool = True) -> None:
    """The warehouse hands the parcel over; ERP and channel follow."""
    day.say(WMS, order, "Shipped", at, with_parcel=True)
    day.say(order.erp, order, "Shipped", at + MINUTE, payable=order.payable)
    if synced:
        day.say(order.channel, order, "Shipped", at + 4 * MINUTE)


def released(day: Day, order: Order) -> Order:
    """What the pool does with it."""
    day.expect("pool.release", order.key)
    return order


def in_work(day: Day) -> Order:
    """Paid in the last hours, waiting to be picked or being picked."""
    order = released(day, day.order())
    at = day.ago(minutes=day.random.uniform(25, 400))
    paid(day, order, at)
    if day.random.random() < 0.4:
        picked(day, order, at + 15 * MINUTE)
    return order


def on_its_way(day: Day) -> Order:
    """Shipped today; most were scanned by the courier within the last two hours."""
    order = released(day, day.order())
    at = day.ago(minutes=day.random.uniform(360, 900))
    paid(day, order, at)
    picked(day, order, at + 30 * MINUTE)
    shipped(day, order, day.ago(minutes=day.random.uniform(115, 300)))
    if day.random.random() < 0.7:
        scans = ("PickedUp", "InTransit")[: day.random.choice((1, 2))]
        for n, status in enumerate(scans):
            day.say(order.courier, order, status, day.ago(minutes=95 - 30 * n - day.random.uniform(0, 15)), axis="parcel")
    return order


def delivered(day: Day) -> Order:
    """A same-day delivery, signed half an hour ago; half of the buyers have confirmed."""
    order = released(day, day.order())
    at = day.ago(minutes=day.random.uniform(500, 1200))
    paid(day, order, at)
    shipped(day, order, day.ago(minutes=day.random.uniform(115, 300)))
    for before, status in ((95, "PickedUp"), (70, "OutForDelivery"), (35, "Signed")):
        day.say(order.courier, order, status, day.ago(minutes=before - day.random.uniform(0, 10)), axis="parcel")
    if day.random.random() < 0.5 and tells(order.channel, "Completed"):
        day.say(order.channel, order, "Completed", day.ago(minutes=day.random.uniform(3, 20)))
    return order


def never_paid(day: Day) -> Order:
    """Ordered, thought better of it, cancelled before paying: not for the pool."""
    order = day.order(day.one_that_tells("Created"))
    at = day.ago(minutes=day.random.uniform(60, 900))
    day.say(order.channel, order, "Created", at)
    day.say(order.channel, order, "Cancelled", at + 15 * MINUTE)
    return order


def refund(day: Day, order: Order, at: int, *, restored: bool = True, acknowledged: bool = True) -> None:
    """A refund before shipping, from the request to the money."""
    for after, status in zip((0, 5, 8), REFUND, strict=True):
        day.say(order.channel, order, status, at + after * MINUTE, axis="aftersale")
    if acknowledged:
        day.say(order.erp, order, "Cancelled", at + 7 * MINUTE, payable=order.payable)
    if restored:
        day.say(order.erp, order, "Restored", at + 10 * MINUTE, axis="stock")


def refunded(day: Day) -> Order:
    """Paid, then refunded before it was shipped, and everybody knows."""
    order = day.order(day.one_that_tells(*REFUND))
    at = day.ago(minutes=day.random.uniform(120, 900))
    paid(day, order, at)
    refund(day, order, at + 40 * MINUTE)
    day.expect("pool.withdraw", order.key)
    return order


MIX: Final[tuple[tuple[Story, float], ...]] = (
    (in_work, 0.32),
    (on_its_way, 0.30),
    (delivered, 0.28),
    (never_paid, 0.05),
    (refunded, 0.05),
)


def any_order(day: Day) -> None:
    """One more ordinary order."""
    stories, weights = zip(*MIX, strict=True)
    day.random.choices(stories, weights)[0](day)
