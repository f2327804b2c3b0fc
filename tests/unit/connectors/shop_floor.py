"""One shop with its ERP and couriers on the engine's driver: what platforms really send, normalised, folded and judged.

Times are minutes after `START`; the clock goes on with each message.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from msgspec import Struct

from connectors.config import Shop
from connectors.intake import Address, Publication, envelope
from connectors.registry import CONNECTORS, decoders
from schemas import codec, topics
from schemas.records import AuditRecord, Conflict, DeadLetter, Jump, Observation, OrderState, PoolRecord
from streams.normalise import agent as normalise
from streams.orders import agent as orders
from streams.orders.rules import RuleSet
from streams.parcels import agent as parcels
from streams.policy import Policy
from streams.records.driver import Driver
from tests.contract.connectors.cases import data, jushuitan, seal_generic, seal_jushuitan
from tests.contract.connectors.kit import Case, Seal

START = 1_795_312_800  # seconds: 10:00 in Shanghai
ERP_SECRET = "jst-secret"
T = TypeVar("T", bound=Struct)


def at(minutes: float) -> int:
    """Seconds since 1970 of a minute after START."""
    return START + round(minutes * 60)


def local(minutes: float) -> str:
    """The same as Chinese platforms write it."""
    return f"2026-11-22 {10 + int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{round(minutes % 1 * 60):02d}"


class Floor:
    """A channel of the conformance suite, a Jushuitan that is its ERP, and zto that carries its parcels."""

    def __init__(self, case: Case) -> None:
        self.case = case
        channel, shop = case.shop.name, case.shop.shop
        self.erp = Shop("system", "jushuitan", "erp", "main", ERP_SECRET, app_key="jst", options={"10001": f"{channel}:{shop}"})
        self.zto = Shop("courier", "generic", "zto", "p1", "zto-secret")
        policy = Policy(links={f"{channel}:{shop}": {"erp": "erp"}})
        raw = (topics.raw_order(channel), topics.RAW_SYSTEM, topics.RAW_PARCEL)
        tasks = [normalise.task(topic, decoders(), policy) for topic in raw]
        tasks += [orders.task(policy, RuleSet(), (channel,), 1), parcels.task(policy)]
        self.driver = Driver(tasks, 1, float(START))

    def push(self, minute: float, *messages: bytes) -> "Floor":
        """The channel pushes, signed, a second after the minute."""
        return self._pushed(minute, self.case.shop, self.case.seal, messages)

    def pull(self, minute: float, feed: str, *items: bytes) -> "Floor":
        """The channel's list is read."""
        self._until(minute)
        for fact in (fact for item in items for fact in self.case.connector.pulled(self.case.shop, feed, item)):
            self._send(envelope(self.case.shop, fact, int(self.driver.clock * 1000)))
        self.driver.run()
        return self

    def erp_says(self, minute: float, **said: Any) -> "Floor":
        """The ERP speaks: an object of Jushuitan, by default an order that was received."""
        return self._pushed(minute, self.erp, seal_jushuitan, [jushuitan(modified=local(minute), **said)])

    def node(self, minute: float, number: str, status: str) -> "Floor":
        """The courier states a node of a parcel."""
        fact = {"event_id": f"{number}/{status}/{minute}", "tracking_no": number, "status": status}
        said = data(fact | {"occurred_at": f"{local(minute).replace(' ', 'T')}+08:00"})
        return self._pushed(minute, self.zto, seal_generic, [said])

    def wait(self, minute: float) -> "Floor":
        """Nothing more comes until then; what is due is judged."""
        self._until(minute)
        for _ in range(3):
            self.driver.advance(10)
        return self

    def all(self, topic: str, kind: type[T]) -> list[T]:
        """What was written to a topic."""
        return [codec.decode(value, kind) for value in self.driver.values(topic) if value is not None]

    def state(self, order_key: str) -> OrderState:
        """An order as it stands."""
        return [state for state in self.all(topics.ORDER_STATE, OrderState) if state.order_key == order_key][-1]

    def observed(self) -> list[Observation]:
        """What the channel has stated, duplicates and all."""
        name = self.case.shop.name
        values = self.driver.read(topics.ORDER_OBSERVATION)
        found = [codec.decode(record.value, Observation) for record in values if record.key != b"mark"]
        return [fact for fact in found if fact.source == name]

    @property
    def key(self) -> str:
        """The order that the case's messages are about."""
        return self.case.says[0][0]

    @property
    def pool(self) -> list[str]:
        """What the pool was told."""
        return [record.action for record in self.all(topics.ORDER_POOL, PoolRecord)]

    @property
    def conflicts(self) -> list[str]:
        """Kinds of the conflicts that were opened."""
        return [one.kind for one in self.all(topics.ORDER_CONFLICT, Conflict) if one.state == "opened"]

    @property
    def jumps(self) -> list[str]:
        """Kinds of the jumps."""
        return [one.kind for one in self.all(topics.ORDER_JUMP, Jump)]

    @property
    def dispositions(self) -> list[str]:
        """How the channel's statements were taken."""
        found = self.all(topics.ORDER_AUDIT, AuditRecord)
        return [one.disposition for one in found if one.source == self.case.shop.name]

    @property
    def dead(self) -> list[str]:
        """What could not be read."""
        return [letter.detail for letter in self.all(topics.DEAD, DeadLetter)]

    def _pushed(self, minute: float, shop: Shop, seal: Seal, messages: Sequence[bytes]) -> "Floor":
        self._until(minute)
        now = self.driver.clock
        for message in messages:
            for record in Address(shop, CONNECTORS[shop.connector]).receive(seal(shop, [message], now), now):
                self._send(record)
        self.driver.run()
        return self

    def _send(self, record: Publication) -> None:
        self.driver.send(record.topic, record.key, record.value, record.timestamp_ms, record.headers)

    def _until(self, minute: float) -> None:
        if (ahead := at(minute) + 1 - self.driver.clock) > 0:
            self.driver.advance(ahead)
