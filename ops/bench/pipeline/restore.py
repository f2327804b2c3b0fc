"""How long a worker needs to restore a million orders, and how much memory they take."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiokafka import AIOKafkaProducer

from connectors.registry import decoders
from ops.bench.pipeline import usage
from ops.bench.pipeline.load import SHOPS, Load, facts
from ops.bench.pipeline.rig import Rig
from ops.config import Config
from schemas import topics
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.records.driver import Driver

TEMPLATES: Final = 50
DIGITS: Final = 10  # of an order's number that are made anew: entries keep their length, so their bytes stay valid


@dataclass(frozen=True)
class Restored:
    """Seconds from the start of the process until it is ready, without and with the orders; bytes."""

    orders: int
    empty_seconds: float
    seconds: float
    empty_resident: int
    resident: int
    entry_bytes: int

    def as_json(self) -> dict[str, float]:
        """For machines."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def templates(config: Config) -> list[tuple[bytes, bytes, bytes]]:
    """(order number, key, entry) of orders that were folded for real."""
    driver = Driver(tasks(StreamSettings("", tuple(SHOPS), config.policy, RuleSet.parse("rules: []")), decoders()), clock=time.time())
    says = facts(TEMPLATES, 1, int(time.time() * 1000))
    for record in Load(config.shops).records(says):
        driver.send(record.topic, record.key, record.value, record.timestamp_ms, record.headers)
    driver.run()
    numbers = {said.order.key.encode(): said.order.number.encode() for said in says}
    newest = {record.key: record.value for record in driver.read(topics.ORDERS_CHANGELOG) if record.key in numbers}
    return [(numbers[key], key, value) for key, value in newest.items() if value]


def entries(made: list[tuple[bytes, bytes, bytes]], orders: int) -> Iterator[tuple[bytes, bytes]]:
    """So many orders of their own, as the changelog holds them."""
    for n in range(orders):
        number, key, entry = made[n % len(made)]
        fresh = number[:-DIGITS] + b"%010d" % n
        yield key.replace(number, fresh), entry.replace(number, fresh)


async def measure(rig: Rig, config: Config, orders: int) -> Restored:
    """Start a worker on an empty changelog, fill it, and start it again."""
    empty = await _start(rig)
    size = await _fill(rig.kafka, entries(templates(config), orders))
    full = await _start(rig)
    return Restored(orders, empty[0], full[0], empty[1], full[1], size // orders)


async def _start(rig: Rig) -> tuple[float, int]:
    began = time.monotonic()
    process = rig.start("stream")
    await rig.ready(process)
    took, resident = time.monotonic() - began, usage.of(process.popen.pid).resident
    await rig.stop(process)
    return took, resident


async def _fill(kafka: str, pairs: Iterator[tuple[bytes, bytes]]) -> int:
    producer, size = AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=20, max_batch_size=1 << 19), 0
    await producer.start()
    try:
        for key, entry in pairs:
            await producer.send(topics.ORDERS_CHANGELOG, entry, key)
            size += len(key) + len(entry)
    finally:
        await producer.stop()
    return size
