"""The load: orders of about six facts each, half by `generic`, half in Douyin's own format, as records for Kafka."""

import time
from collections.abc import Iterator, Sequence
from typing import Final

from connectors.base import Push
from connectors.config import Shop
from connectors.intake import Address, Publication, addresses
from connectors.registry import CONNECTORS
from ops.simulator.accounts import account
from ops.simulator.day import MINUTE, Day
from ops.simulator.facts import ERP, Account, Request, Say
from ops.simulator.platforms import PLATFORMS
from ops.simulator.player import batches

CONFIG: Final = """\
# Written by `lockstep bench pipeline`.
merchant: bench
shops:
  - {source: generic, channel: web, shop: s1, secret: "plain:web-bench", systems: [erp]}
  - {source: douyin, shop: "1001", app_key: "6800000000000000001", secret: "plain:douyin-bench", systems: [erp]}
systems:
  - {source: generic, name: erp, kind: erp, shop: e1, secret: "plain:erp-bench"}
couriers:
  - {source: generic, courier: zto, shop: z1, secret: "plain:zto-bench"}
"""
SHOPS: Final = {"web": "s1", "douyin": "1001"}
SPAN: Final = 100  # minutes before now, at most, that an order was paid
SIGNED: Final = 0.3  # of the parcels
CHUNK: Final = 2_000


def facts(orders: int, seed: int, now: int) -> list[Say]:
    """What is said of so many orders, in order of time; no order has a fault. `now` in ms."""
    day = Day(seed, now, SHOPS)
    for _ in range(orders):
        order = day.order(courier="zto")
        paid = day.ago(minutes=day.random.uniform(60, SPAN))
        day.say(order.channel, order, "Created", paid - MINUTE)
        day.say(order.channel, order, "PaymentConfirmed", paid, payable=order.payable)
        day.say(ERP, order, "PaymentConfirmed", paid + MINUTE, payable=order.payable)
        day.say(ERP, order, "Shipped", paid + 10 * MINUTE, payable=order.payable, with_parcel=True)
        day.say(order.channel, order, "Shipped", paid + 12 * MINUTE)
        day.say(order.courier, order, "PickedUp", paid + 20 * MINUTE, axis="parcel")
        if day.random.random() < SIGNED:
            day.say(order.courier, order, "Signed", paid + 50 * MINUTE, axis="parcel")
    return sorted((said for said in day.phase.says if isinstance(said, Say)), key=lambda said: said.play)


class Load:
    """Turns facts into the records that the connectors would write, by way of the connectors themselves."""

    def __init__(self, shops: Sequence[Shop]) -> None:
        self._addresses = addresses(shops, CONNECTORS)
        self._accounts: dict[str, Account] = {shop.name: account(shop) for shop in shops}

    def requests(self, says: Sequence[Say], per_push: int | None = None) -> Iterator[tuple[Request, list[Say]]]:
        """The pushes that say so, signed now; neighbours of one source together, as many as its platform allows."""
        now = int(time.time())
        by_speaker: dict[str, list[Say]] = {}
        for said in says:
            by_speaker.setdefault(said.speaker, []).append(said)
        for speaker, told in by_speaker.items():
            owner = self._accounts[speaker]
            platform = PLATFORMS[owner.source]
            for batch in batches(told, per_push or platform.per_push):
                yield platform.seal(owner, platform.write(owner, batch), now), batch

    def records(self, says: Sequence[Say]) -> Iterator[Publication]:
        """Envelopes for the raw topics, received now."""
        for start in range(0, len(says), CHUNK):
            for request, _ in self.requests(says[start : start + CHUNK]):
                yield from self._received(request)

    def raw(self, speaker: str, body: bytes) -> Iterator[Publication]:
        """Any bytes, correctly signed, received now."""
        owner = self._accounts[speaker]
        yield from self._received(PLATFORMS[owner.source].seal(owner, body, int(time.time())))

    def _received(self, request: Request) -> Iterator[Publication]:
        _, _, source, shop = request.path.split("/")
        push = Push(request.body, {name.lower(): value for name, value in request.headers.items()}, request.params)
        address: Address = self._addresses[source, shop]
        yield from address.receive(push, time.time())
