"""Status jumps of each kind, a storm that breaches, late and repeated deliveries. Semantics §3."""

from ops.simulator import normal
from ops.simulator.day import MINUTE, Day
from ops.simulator.facts import Order


def revival(day: Day, channel: str) -> Order:
    """Completed, and suddenly shipped again."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=day.random.uniform(300, 700))
    normal.paid(day, order, at)
    for after, status in ((60, "Shipped"), (200, "Completed"), (215, "Shipped")):
        day.say(order.channel, order, status, at + after * MINUTE)
    day.expect("jump.revival", order.key)
    return order


def regression(day: Day, channel: str) -> Order:
    """Shipped, and back to paid."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=day.random.uniform(200, 500))
    normal.paid(day, order, at)
    day.say(channel, order, "Shipped", at + 60 * MINUTE)
    day.say(channel, order, "PaymentConfirmed", at + 75 * MINUTE, payable=order.payable)
    day.expect("jump.regression", order.key)
    return order


def flap(day: Day, channel: str) -> Order:
    """Back to paid and forward again: a regression and a flap."""
    order = regression(day, channel)
    day.say(channel, order, "Shipped", day.ago(minutes=90))
    day.expect("jump.flap", order.key)
    return order


def skip(day: Day, channel: str) -> Order:
    """Shipped although nobody has ever said that it was paid."""
    order = day.order(channel)
    at = day.ago(minutes=day.random.uniform(200, 500))
    day.say(channel, order, "Created", at)
    day.say(channel, order, "Shipped", at + 30 * MINUTE)
    day.expect("jump.skip", order.key)
    return order


def storm(day: Day, channel: str, *, pauses: bool) -> Order:
    """Paid, shipped, paid, shipped, paid, shipped: the fourth jump breaches and pauses the channel."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=200)
    normal.paid(day, order, at)
    for n in range(1, 6):
        day.say(channel, order, "Shipped" if n % 2 else "PaymentConfirmed", at + 20 * n * MINUTE)
    for kind in ("regression", "flap"):
        day.expect(f"jump.{kind}", order.key, 2)
    day.expect("jump.breach", order.key)
    day.expect("alert.order_jumps", order.key)
    if pauses:
        day.expect("channel.paused", f"{channel} order_jumps")
        day.expect("alert.channel_paused", channel)
    return order


def late_erp(day: Day, channel: str) -> Order:
    """The ERP's message that picking began comes after the one that it was shipped."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=day.random.uniform(240, 600))
    normal.paid(day, order, at)
    normal.shipped(day, order, at + 60 * MINUTE)
    day.say(order.erp, order, "Picking", at + 30 * MINUTE, payable=order.payable, play=at + 75 * MINUTE)
    day.expect("late", f"{order.erp} {order.key}")
    return order


def late_channel(day: Day, channel: str) -> Order:
    """The channel's message of the new order comes after the one of its payment."""
    order = normal.released(day, day.order(channel))
    at = day.ago(minutes=day.random.uniform(60, 600))
    day.say(channel, order, "PaymentConfirmed", at, payable=order.payable)
    day.say(order.erp, order, "PaymentConfirmed", at + 2 * MINUTE, payable=order.payable)
    day.say(channel, order, "Created", at - 3 * MINUTE, play=at + 5 * MINUTE)
    day.expect("late", f"{channel} {order.key}")
    return order
