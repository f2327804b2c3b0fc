"""The flood: orders without end that are paid, shipped, signed and done within minutes, and a share of what goes wrong.

Nothing in it lets the state grow by itself: orders and parcels end, are forgotten by short retentions, no channel is paused, and
no expectation waits longer: an answer that was received first and read second keeps its order until the deadline, by default 2 h.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

from connectors.config import Shop
from connectors.intake import Publication
from ops.bench.pipeline.load import CONFIG, SHOPS, Load
from ops.simulator.day import Day
from ops.simulator.facts import ERP, Order, Say

SECOND: Final = 1_000
DUPLICATES: Final = 0.02  # of the facts come twice
UNMAPPED: Final = 0.002  # of the orders have a code of the ERP that no table knows
MISMATCHED: Final = 0.003  # … another amount in the ERP: a conflict at once, an alert, and findings of the channel
UNFINISHED: Final = 0.1  # … nobody says anything more of after they were shipped
GARBAGE: Final = 0.002  # … have a push beside them that is no message at all
COURIER: Final = "zto"
NO_MESSAGE: Final = b"\x00\xff no message {["
POLICY: Final = """\
policy:
  conflicts: {{max_per_day: 1000000000, grace: 5s}}
  expectations: {{paid_not_received: {seconds}s, shipped_not_synced: {seconds}s, signed_not_synced: {seconds}s}}
  silence: {{default: off}}
  dedup_retention: {seconds}s
  order_retention: {seconds}s
  stub_retention: {seconds}s
  parcel_retention: {seconds}s
bots:
  - {{name: ops, kind: dingtalk, base_url: "{bots}", token: "plain:soak", secret: "plain:SEC-soak"}}
"""


def configuration(retention: float, bots: str) -> str:
    """The pipeline bench's sources, with retentions of so many seconds and a bot at this address."""
    return CONFIG.replace("lockstep bench pipeline", "lockstep bench soak") + POLICY.format(seconds=round(retention), bots=bots)


class Flood:
    """Makes raw records, a few orders at a time. The same seed and clock make the same orders."""

    def __init__(self, shops: Sequence[Shop], seed: int, now: int) -> None:
        self._load = Load(shops)
        self._day = Day(seed, now, SHOPS)
        self._random = random.Random(seed)  # noqa: S311 (a load, no keys)
        self.facts = self.orders = 0  # said so far, what is wrong with them included

    def next(self, orders: int, now: int) -> Iterator[Publication]:
        """So many orders' records at a time in ms; what is said of an order stays in its order of time."""
        day = self._day
        day.now = now
        plan = day.begin()
        for _ in range(orders):
            self._tell(day, day.order(courier=COURIER))
        says = sorted((said for said in plan.says if isinstance(said, Say)), key=lambda said: said.play)
        says += [said for said in says if self._random.random() < DUPLICATES]
        garbage = sum(self._random.random() < GARBAGE for _ in range(orders))
        self.orders += orders
        self.facts += len(says) + garbage
        yield from self._load.records(says)
        for number in range(garbage):
            yield from self._load.raw((ERP, COURIER, *SHOPS)[number % 4], NO_MESSAGE)

    def _tell(self, day: Day, order: Order) -> None:
        luck = self._random.random
        at = day.now - self._random.randrange(300, 600) * SECOND
        wrong = 1 if luck() < MISMATCHED else 0
        day.say(order.channel, order, "Created", at)
        day.say(order.channel, order, "PaymentConfirmed", at + 10 * SECOND, payable=order.payable)
        day.say(ERP, order, "PaymentConfirmed", at + 20 * SECOND, payable=order.payable + wrong)
        if luck() < UNMAPPED:
            day.say(ERP, order, "Exception", at + 30 * SECOND, code="WaitGift")
        day.say(ERP, order, "Shipped", at + 60 * SECOND, payable=order.payable + wrong, with_parcel=True)
        day.say(order.channel, order, "Shipped", at + 70 * SECOND)
        day.say(order.courier, order, "PickedUp", at + 120 * SECOND, axis="parcel")
        if luck() >= UNFINISHED:
            day.say(order.courier, order, "Signed", at + 200 * SECOND, axis="parcel")
            day.say(order.channel, order, "Completed", at + 210 * SECOND)

    def one(self, now: int) -> tuple[str, list[Publication]]:
        """One order more, without a fault: its key and its records."""
        day = self._day
        day.now = now
        plan = day.begin()
        order = day.order("web", courier=COURIER)
        day.say("web", order, "Created", now - 2 * SECOND)
        day.say("web", order, "PaymentConfirmed", now - SECOND, payable=order.payable)
        says = [msgspec.structs.replace(said) for said in plan.says if isinstance(said, Say)]
        self.orders += 1
        self.facts += len(says)
        return order.key, list(self._load.records(says))
