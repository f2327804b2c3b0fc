"""Hostile bodies through the whole stream role and into rows: nothing is lost, nothing is our fault, everything has a place."""

from collections import Counter
from typing import Any

from connectors.registry import decoders
from schemas import codec, topics
from schemas.records import Alert, AuditRecord, DeadLetter, OrderState, ParcelState, RawEvent
from sinks.alerts.routing import Router
from sinks.postgres.rows import clean
from sinks.tasks import MARK, PLAIN
from streams import wire
from streams.app import StreamSettings, tasks
from streams.orders.rules import RuleSet
from streams.policy import Policy, StallPolicy
from streams.records.driver import Driver
from streams.records.step import Bounds
from tests.contract.connectors.cases import CASES, NOW
from tests.fuzz.bodies import Found, Judge, storable

CHANNELS = tuple(sorted({case.shop.name for case in CASES if case.shop.kind == "channel"}))
BOUNDS = Bounds(output=topics.MAX_RECORD - 100_000)  # as the engine has it from the topics
RULES = """
rules:
  - {id: dear, when: "payable_minor > 100000000", action: hold}
  - {id: north, when: "province.startsWith('西') || lines.exists(l, l.sku == 'S1' && int(l.qty) > 2)", action: filter}
"""


def run(seed: int, bodies: int) -> Counter[str]:
    """What became of so many bodies. Raises Found."""
    policy = Policy(stall=StallPolicy(quiet_hours=None), links={"web:s1": {"wms": "wms", "erp": "erp"}})
    settings = StreamSettings("", CHANNELS, policy, RuleSet.parse(RULES), partitions=2)
    judge, driver = Judge(seed), Driver(tasks(settings, decoders()), partitions=2, clock=NOW, bounds=BOUNDS)
    pushed: Counter[str] = Counter()
    for number in range(bodies):
        for each in judge.one():
            pushed[codec.decode(each.value, RawEvent).source] += 1
            driver.send(each.topic, each.key, each.value, each.timestamp_ms, each.headers)
        if number % 200 == 199:
            driver.run()
            driver.advance(1.0)
    driver.run()
    driver.advance(26 * 3600.0)  # everything that is due
    driver.run()
    if driver.errors:
        raise Found(f"seed {seed}: a deadline or a tick raised {driver.errors[0]}")
    _accounted(seed, driver, pushed)
    return Counter({"pushed": pushed.total()}) + _written(driver)


def _accounted(seed: int, driver: Driver, pushed: Counter[str]) -> None:
    """Semantics §8, per source."""
    letters = {(one.origin_topic, one.origin_partition, one.origin_offset): one for one in _said(driver, topics.DEAD, DeadLetter)}
    for letter in letters.values():
        if letter.reason in {"fold_failed", "oversized"}:
            raise Found(f"seed {seed}: {letter.source} {letter.reason} at {letter.origin_topic}: {letter.detail} {letter.payload[:1000]!r}")
    found = Counter(letter.source for letter in letters.values())
    for record in _said(driver, topics.ORDER_AUDIT, AuditRecord):
        found[record.source] += not record.derived
    newest = {order.order_key: order for order in _said(driver, topics.ORDER_STATE, OrderState)}
    for order in newest.values():
        for source in order.sources:
            found[source.source] += source.duplicates
    for parcel in {parcel.parcel_key: parcel for parcel in _said(driver, topics.PARCEL_STATE, ParcelState)}.values():
        found[parcel.courier] += parcel.observations + parcel.duplicates
    if found != pushed:
        raise Found(f"seed {seed}: pushed and not found {dict(pushed - found)}, found and not pushed {dict(found - pushed)}")


def _written(driver: Driver) -> Counter[str]:
    """Every record has rows that PostgreSQL takes, and every alert a text."""
    counts: Counter[str] = Counter()
    for topic, (kind, to_rows) in PLAIN.items():
        for record in _said(driver, topic, kind):
            for table, row in to_rows(record):
                storable(clean(row))
                counts[table.name] += 1
    for alert in _said(driver, topics.ALERT, Alert):
        for table, row in Router().rows(alert, int(NOW * 1000)):
            storable(clean(row))
            counts[table.name] += 1
    return counts


def _said(driver: Driver, topic: str, kind: type[Any]) -> list[Any]:
    return [wire.decode(record, kind) for record in driver.read(topic) if record.value is not None and record.key != MARK]
