"""What must not depend on how facts are read: topics at different speeds, batches, crashes."""

from collections.abc import Iterator
from random import Random
from typing import TypeVar

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec, topics
from schemas.records import AuditRecord, Conflict, Observation, OrderState, PoolRecord
from streams import wire
from streams.orders import agent
from streams.orders.fold import Orders
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.policy import MINUTE, Policy
from streams.records.driver import Driver

BEGIN = 1_800_000_000_000
POLICY = Policy(links={"web:s1": {"erp": "erp", "wms": "wms"}})
T = TypeVar("T", bound=msgspec.Struct)
SPOKEN = {
    "web": ("Created", "PaymentConfirmed", "Shipped", "Signed", "Cancelled"),
    "erp": ("Approved", "Allocated", "Shipped", "OnHold"),
    "wms": ("Picking", "Packed", "Shipped"),
    "zto": ("PickedUp", "Signed"),
}


@st.composite
def progress(draw: st.DrawFn) -> list[Observation]:
    """Orders that only go on, told by several sources, in order of receipt."""
    facts = []
    for source, statuses in SPOKEN.items():
        at = 0
        for status in sorted(draw(st.sets(st.sampled_from(statuses))), key=statuses.index):
            at += draw(st.integers(1, 40))
            facts.append((at, source, status))
    facts.sort()
    return [_fact(number, *fact) for number, fact in enumerate(facts)]


def _fact(number: int, at: int, source: str, status: str, order: str = "A1", delay: int = 0) -> Observation:
    return Observation(
        event_id=f"e{number}",
        source=source,
        source_kind={"web": "channel", "zto": "courier"}.get(source, "system"),
        derived=source == "zto",
        order_key=f"web:s1:{order}",
        channel="web",
        shop_id="s1",
        order_id=order,
        axis="fulfilment",
        status=status,
        occurred_at=BEGIN + at * MINUTE,
        received_at=BEGIN + (at + delay) * MINUTE,
    )


def _conflicts(found: list[object]) -> set[tuple[object, ...]]:
    return {(one.kind, one.state, one.opened_at, one.resolved_at) for one in found if isinstance(one, Conflict)}


@settings(max_examples=200)
@given(progress(), st.randoms(use_true_random=False))
def test_a_topic_that_is_read_late_opens_no_other_conflicts(facts: list[Observation], random: Random) -> None:
    """Expectations end alike if each raw topic is read at its own speed and judged only when all has been read."""
    if not facts:
        return
    orders = Orders(POLICY, RuleSet())
    order: Order | None = None
    prompt: list[object] = []
    for fact in facts:
        if order is not None:
            order, found = orders.judge(order, fact.received_at)
            assert order is not None
            prompt += found
        order, found = orders.fold(order, fact)
        prompt += found
    assert order is not None
    prompt += orders.judge(order, facts[-1].received_at + 600 * MINUTE)[1]

    kinds = ("channel", "system", "courier")  # systems share a raw topic, and so a reader
    queues = {kind: [fact for fact in facts if fact.source_kind == kind] for kind in kinds}
    order, skewed = None, []
    while waiting := [kind for kind, queue in queues.items() if queue]:
        order, found = orders.fold(order, queues[random.choice(waiting)].pop(0))
        skewed += found
    assert order is not None
    skewed += orders.judge(order, facts[-1].received_at + 600 * MINUTE)[1]
    assert _conflicts(skewed) == _conflicts(prompt)


@st.composite
def days(draw: st.DrawFn) -> list[Observation]:
    """A few orders with everything that may happen to them, some of it twice."""
    statuses = ("PaymentConfirmed", "Shipped", "Cancelled", "Picking", "OnHold", "Signed")
    said = draw(
        st.lists(
            st.tuples(st.integers(0, 30), st.sampled_from(("web", "erp")), st.sampled_from(statuses), st.sampled_from("AB")),
            min_size=1,
            max_size=10,
        )
    )
    facts = [_fact(number, at, source, status, order, 30) for number, (at, source, status, order) in enumerate(said)]
    return facts + [facts[number] for number in draw(st.lists(st.integers(0, len(facts) - 1), max_size=3))]


def _run(facts: list[Observation], crash_at: int | None, batch: int) -> Driver:
    effects: Iterator[int] = iter(range(10**9))
    task = agent.task(POLICY, RuleSet(), partitions=2)
    driver = Driver([task], 2, BEGIN / 1000, lambda _: next(effects) == crash_at, batch=batch)
    for number, fact in enumerate(facts):
        place = f"raw/0/{number}".encode()
        driver.send(topics.ORDER_OBSERVATION, fact.order_key.encode(), codec.encode(fact), headers=[(wire.RAW_PLACE, place)])
    driver.run()
    driver.advance(7200)
    assert driver.errors == []
    return driver


def _tables(driver: Driver) -> tuple[object, ...]:
    """What a sink makes of the topics: rows by key, the highest version of each."""
    audit = {(row.order_key, row.seq): row for row in _rows(driver, topics.ORDER_AUDIT, AuditRecord)}
    conflicts = {(row.conflict_id, row.state): row for row in _rows(driver, topics.ORDER_CONFLICT, Conflict)}
    pool = {row.record_id: row for row in _rows(driver, topics.ORDER_POOL, PoolRecord)}
    states: dict[str, OrderState] = {}
    for row in _rows(driver, topics.ORDER_STATE, OrderState):
        if row.order_key not in states or row.version >= states[row.order_key].version:
            states[row.order_key] = row
    return audit, conflicts, pool, states


def _rows(driver: Driver, topic: str, kind: type[T]) -> list[T]:
    return [codec.decode(value, kind) for value in driver.values(topic)]


@settings(max_examples=120)
@given(days(), st.integers(0, 80), st.integers(1, 5))
def test_a_crash_between_any_two_effects_changes_no_table(facts: list[Observation], crash_at: int, batch: int) -> None:
    """Tables made of the topics after a crash and a restart equal those of an undisturbed run."""
    assert _tables(_run(facts, crash_at, batch)) == _tables(_run(facts, None, 100))


@settings(max_examples=60)
@given(days())
def test_an_observation_that_normalise_wrote_twice_counts_once(facts: list[Observation]) -> None:
    """A raw event read again gives the same observation again: no duplicate is counted, nothing changes."""
    once = _run(facts, None, 100)
    again = _run(facts, None, 100)
    for number, fact in enumerate(facts):
        place = f"raw/0/{number}".encode()
        again.send(topics.ORDER_OBSERVATION, fact.order_key.encode(), codec.encode(fact), headers=[(wire.RAW_PLACE, place)])
    again.run()
    again.advance(10)
    assert _tables(again) == _tables(once)
