"""The task on the engine's driver: topics, keys, gates, deadlines by marks, retention, crashes."""

import msgspec
import pytest

from schemas import codec, topics
from schemas.headers import header
from schemas.records import AuditRecord, ChannelControl, ChannelFinding, DeadLetter, Observation, OrderState, ParcelObservation, PoolRecord
from streams import wire
from streams.orders import agent
from streams.orders.rules import RuleSet
from streams.orders.state import Order
from streams.policy import DAY, Policy, Resume
from streams.records.driver import Driver
from tests.unit.orders.orders_given import BEGIN, KEY, LINKS, fact, ms, node

POLICY = Policy(links=LINKS, resume=Resume(per_minute=6))
CLOCK = BEGIN / 1000


def _driver(partitions: int = 1, crash: object = None, channels: tuple[str, ...] = (), policy: Policy = POLICY) -> Driver:
    task = agent.task(policy, RuleSet(), channels, partitions)
    return Driver([task], partitions, CLOCK, crash)  # type: ignore[arg-type]  # None or a function of the effect


def _send(driver: Driver, *facts: Observation) -> None:
    for one in facts:
        driver.send(topics.ORDER_OBSERVATION, one.order_key.encode(), codec.encode(one))


def _paid(order: str, at: float) -> Observation:
    return fact("web", "PaymentConfirmed", at, order_id=order, order_key=f"web:s1:{order}", event_id=f"paid {order}")


def _control(driver: Driver, seq: int, state: str, since: float) -> None:
    action = "pause" if state == "paused" else "resume"
    record = ChannelControl(channel="web", seq=seq, action=action, state=state, reason="manual", by="me", since=ms(since))
    driver.send(topics.CHANNEL_CONTROL, b"web", codec.encode(record))


def _pool(driver: Driver) -> list[PoolRecord]:
    return [codec.decode(value, PoolRecord) for value in driver.values(topics.ORDER_POOL)]


def _actions(driver: Driver) -> list[tuple[str, str]]:
    return [(one.order_key.rpartition(":")[2], one.action) for one in _pool(driver)]


def test_every_output_has_its_key_and_headers() -> None:
    """Orders' topics by order, findings by channel, links by parcel; the trace is handed on."""
    driver = _driver()
    facts = [
        _paid("A1", 0),
        *(fact("web", status, at) for at, status in enumerate(("Created", "Shipped", "Created", "Shipped", "Created"), 1)),
    ]
    trace = ("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")
    for one in [*facts, fact("wms", "Shipped", 9, names="7"), node("7", "Signed", 10)]:
        driver.send(topics.ORDER_OBSERVATION, KEY.encode(), codec.encode(one), headers=[trace])
    driver.run()
    keys = {topic: {record.key for record in driver.read(topic)} for topic in driver.tasks["orders"].outputs}
    for topic in (topics.ORDER_STATE, topics.ORDER_AUDIT, topics.ORDER_JUMP, topics.ORDER_POOL):
        assert keys[topic] == {KEY.encode()}
    assert keys[topics.CHANNEL_FINDING] == {b"web"}
    assert keys[topics.PARCEL_OBSERVATION] == {b"zto:7"}
    assert keys[topics.ALERT] == {f"order_jumps:{KEY}".encode()}
    ids = set()
    for topic in driver.tasks["orders"].outputs:
        for record in driver.read(topic):
            assert header(record.headers, "traceparent") == trace[1]
            assert header(record.headers, "ce_type") == f"lockstep.{codec.name_of(record.value)}.v1".encode()
            ids.add((header(record.headers, "ce_type"), header(record.headers, "ce_id")))
    assert len(ids) == sum(len(driver.read(topic)) for topic in driver.tasks["orders"].outputs)
    (link,) = (codec.decode(value, ParcelObservation) for value in driver.values(topics.PARCEL_OBSERVATION))
    assert link.order_key == KEY


def test_a_paused_channel_holds_and_a_resume_releases_in_order_of_payment() -> None:
    """Each once, at the time of the resume; what is paid after the resume does not overtake them."""
    driver = _driver()
    _control(driver, 1, "paused", 0)
    _send(driver, _paid("C", 3), _paid("A", 1), _paid("B", 2))
    driver.run()
    driver.advance(1)
    assert _actions(driver) == [("C", "hold"), ("A", "hold"), ("B", "hold")]
    _control(driver, 2, "open", 5)
    _send(driver, _paid("D", 6))
    driver.run()
    assert _actions(driver)[3:] == [("D", "hold")]
    driver.advance(1)
    assert _actions(driver)[4:] == [("A", "release"), ("B", "release"), ("C", "release"), ("D", "release")]
    assert [(one.seq, one.gate, one.at) for one in _pool(driver)[4:]] == [(2, None, ms(5))] * 3 + [(2, None, ms(6))]
    _send(driver, _paid("E", 7))
    driver.run()
    assert _actions(driver)[8:] == [("E", "release")]
    driver.advance(5)
    assert len(_pool(driver)) == 9
    assert driver.errors == []


def test_after_a_restart_an_open_channel_releases_at_once() -> None:
    """A worker that was not there at the resume holds only what may have to queue behind others."""
    driver = _driver()
    _control(driver, 2, "open", 5)
    _send(driver, _paid("A", 5.01), _paid("B", 6))
    driver.run()
    assert _actions(driver) == [("A", "hold"), ("B", "release")]
    driver.advance(1)
    assert _actions(driver)[2:] == [("A", "release")]


def test_half_open_lets_so_many_pass_a_minute() -> None:
    """6 a minute over all partitions: a turn every 10 s, each for one partition, in order of payment."""
    driver = _driver(partitions=2)
    _control(driver, 1, "paused", 0)
    _send(driver, *(_paid(f"{number:02}", number / 100) for number in range(12)))
    driver.run()
    driver.advance(1)
    _control(driver, 2, "half_open", 0)
    for _ in range(59):
        driver.advance(1)
    released = [one for one in _pool(driver) if one.action == "release"]
    assert 3 <= len(released) <= 6
    assert [one.at for one in released] == sorted(one.at for one in released)
    assert {(one.at - BEGIN) % 10_000 for one in released} == {0}
    for part in (0, 1):
        records = [record for record in driver.read(topics.ORDER_POOL) if record.partition == part]
        paid = [one.paid_at for record in records if (one := codec.decode(record.value, PoolRecord)).action == "release"]
        assert paid == sorted(paid)  # type: ignore[type-var]  # released orders were paid


def test_a_withdrawal_goes_out_while_the_channel_is_paused() -> None:
    """Both of a released and of a held order."""
    driver = _driver()
    _send(driver, _paid("A", 1))
    driver.run()
    _control(driver, 1, "paused", 2)
    _send(driver, _paid("B", 2))
    for order in "AB":
        _send(driver, fact("web", "Cancelled", 3, order_id=order, order_key=f"web:s1:{order}"))
    driver.run()
    driver.advance(1)
    _control(driver, 2, "open", 5)
    driver.advance(5)
    assert _actions(driver) == [("A", "release"), ("B", "hold"), ("A", "withdraw"), ("B", "withdraw")]


def test_deadlines_are_judged_by_the_marks_of_all_feeds() -> None:
    """A backlog is no silence: nothing is judged until each raw topic has been read past the deadline."""
    driver = _driver(channels=("web",))
    _send(driver, _paid("A1", 0))
    driver.run()

    def mark(feed: str, minutes: float) -> None:
        out = wire.mark_output(topics.ORDER_OBSERVATION, feed, 0, ms(minutes))
        driver.send(out.topic, out.key or b"", out.value, headers=out.headers)
        driver.advance(1)

    driver.advance(200)
    mark(topics.raw_order("web"), 60)
    mark(topics.RAW_SYSTEM, 10)
    assert driver.read(topics.ORDER_CONFLICT) == []
    mark(topics.RAW_SYSTEM, 10.01)
    assert len(driver.read(topics.ORDER_CONFLICT)) == 1
    assert codec.decode(driver.values(topics.ORDER_STATE)[-1], OrderState).open_conflicts == 1
    driver.advance(400)
    assert header(driver.read(topics.ALERT)[-1].headers, "ce_id").startswith(b"reader_stuck:orders:")  # type: ignore[union-attr]  # every output has one


def test_an_order_shrinks_after_the_retention_and_leaves_much_later() -> None:
    """An unfinished one stays whole much longer, a held one until it is released; a fact between makes a stub whole again."""
    driver = _driver(policy=Policy(order_retention=DAY, stub_retention=10 * DAY))
    _control(driver, 1, "paused", 0)
    _send(driver, fact("web", "Completed", 0), fact("web", "Shipped", 0, order_id="B", order_key="web:s1:B"), _paid("C", 0))
    driver.run()
    keys = [KEY.encode(), b"web:s1:B", b"web:s1:C"]

    def known() -> str:
        states: list[Order | None] = [driver.state("orders", key) for key in keys]
        return " ".join("gone" if state is None else "stub" if state.stub else "whole" for state in states)

    driver.advance(DAY / 1000)
    assert known() == "whole whole whole"
    driver.advance(1)
    assert known() == "stub whole whole"
    driver.advance(3 * DAY / 1000)
    assert known() == "stub stub whole"
    _send(driver, fact("web", "Signed", 4.1 * 1440, order_id="B", order_key="web:s1:B"))
    driver.run()
    assert known() == "stub whole whole"
    driver.advance(6 * DAY / 1000)
    assert known() == "gone stub whole"
    driver.advance(5 * DAY / 1000)
    assert known() == "gone gone whole"
    assert driver.errors == []


def test_a_fact_after_the_retention_goes_on_where_the_order_was() -> None:
    """Its record continues the chain, its state has a higher version; no second release, jumps go on counting, old words are late."""
    driver = _driver(policy=Policy(order_retention=DAY))
    _send(
        driver,
        fact("web", "PaymentConfirmed", 0),
        fact("web", "Shipped", 1),
        fact("web", "PaymentConfirmed", 2),
        fact("web", "Completed", 3),
    )
    driver.run()
    before = codec.decode(driver.read(topics.ORDER_STATE)[-1].value or b"", OrderState)
    driver.advance(40 * DAY / 1000)
    state: Order = driver.state("orders", KEY.encode())
    assert (state.stub, state.sources["web"].seen) == (True, b"")
    later = 40 * 1440
    _send(driver, fact("web", "PaymentConfirmed", 0.5, later), fact("web", "PaymentConfirmed", later), fact("web", "Cancelled", later + 1))
    driver.run()
    records = [codec.decode(record.value or b"", AuditRecord) for record in driver.read(topics.ORDER_AUDIT)]
    assert [record.seq for record in records] == [1, 2, 3, 4, 5, 6, 7]
    assert [record.prev_hash for record in records[1:]] == [record.hash for record in records[:-1]]
    assert [record.disposition for record in records] == ["change", "change", "jump", "change", "late", "jump", "change"]
    after = codec.decode(driver.read(topics.ORDER_STATE)[-1].value or b"", OrderState)
    assert (after.version > before.version, after.audit_seq, after.audit_head) == (True, 7, records[-1].hash)
    assert (before.jump_count, after.jump_count) == (1, 2)
    assert (after.sources[0].observations, after.paid, after.released) == (7, True, True)
    actions = [codec.decode(record.value or b"", PoolRecord).action for record in driver.read(topics.ORDER_POOL)]
    assert actions == ["release", "withdraw"]


def test_a_state_of_before_stubs_is_read() -> None:
    """A state that was written without the newest fields is an order that is whole."""
    whole = msgspec.msgpack.encode(Order("web", "s1", "A1", version=3))
    old = msgspec.msgpack.encode(msgspec.msgpack.decode(whole)[:-2])
    read = msgspec.msgpack.decode(old, type=Order)
    assert (read.version, read.stub) == (3, False)


def test_what_cannot_be_folded_is_a_dead_letter_of_its_source() -> None:
    """The order is as it was, and goes on."""
    driver = _driver()
    _send(
        driver,
        fact("web", "Created", 0),
        fact("web", "Nonsense", 1),
        fact("web", "Shipped", 2),
    )
    driver.send(topics.ORDER_OBSERVATION, KEY.encode(), b"garbage")
    driver.run()
    letters = [codec.decode(value, DeadLetter) for value in driver.values(topics.DEAD)]
    assert [(one.reason, one.source) for one in letters] == [("fold_failed", "web"), ("fold_failed", "lockstep")]
    state: Order = driver.state("orders", KEY.encode())
    assert (state.seq, state.sources["web"].status) == (2, "Shipped")


class _Story:
    """Orders around a pause, with a crash at one of the effects; the gate is turned over before the restart."""

    def __init__(self, crash_at: int | None) -> None:
        self.left, self.seq, self.state = crash_at, 0, "open"
        self.driver = _driver(crash=self.crash)
        self.play()

    def crash(self, effect: str) -> bool:
        if self.left is None:
            return False
        self.left -= 1
        if self.left == -1:
            self.turn("open" if self.state == "paused" else "paused")
        return self.left == -1

    def turn(self, state: str) -> None:
        self.seq, self.state = self.seq + 1, state
        _control(self.driver, self.seq, state, self.seq)

    def play(self) -> None:
        driver = self.driver
        _send(driver, _paid("A", 1))
        driver.run()
        self.turn("paused")
        _send(driver, _paid("B", 3), _paid("A", 1), _paid("C", 4))
        driver.run()
        self.turn("open")
        driver.advance(1)
        self.turn("paused")
        _send(driver, _paid("D", 7), fact("web", "Cancelled", 8, order_id="B", order_key="web:s1:B"))
        driver.run()
        self.turn("open")
        driver.advance(1)
        self.turn("open")  # it may have been shut at a crash just now
        driver.advance(1)


@pytest.mark.parametrize("crash_at", range(40))
def test_no_crash_makes_a_decision_of_the_pool_anew(crash_at: int) -> None:
    """What was told is told again as it was, whatever the gate says now; and everybody comes out in the end."""
    driver = _Story(crash_at).driver
    told: dict[str, set[PoolRecord]] = {}
    for one in _pool(driver):
        told.setdefault(one.record_id, set()).add(msgspec.structs.replace(one, tags=()))
    assert [said for said in told.values() if len(said) > 1] == []
    last = {one.order_key[-1]: one.action for one in _pool(driver)}
    assert last == {"A": "release", "B": "withdraw", "C": "release", "D": "release"}
    assert (driver.crashes, driver.errors) == (1, [])


def test_a_gate_that_cannot_be_read_is_shut() -> None:
    """Nothing is released past it, and nothing is lost."""
    driver = _driver()
    driver.send(topics.CHANNEL_CONTROL, b"web", b"garbage")
    _send(driver, _paid("A", 1))
    driver.run()
    driver.advance(5)
    assert (_actions(driver), driver.errors) == ([("A", "hold")], [])
    _control(driver, 2, "open", 2)
    driver.advance(1)
    assert _actions(driver)[1:] == [("A", "release")]


def test_a_tick_lets_pass_a_bounded_number_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest follows tick by tick, and who is paid meanwhile queues behind them."""
    monkeypatch.setattr(agent, "MOST_RELEASES", 2)
    driver = _driver()
    _control(driver, 1, "paused", 0)
    _send(driver, *(_paid(order, number) for number, order in enumerate("ABC")))
    driver.run()
    _control(driver, 2, "open", 4)
    driver.advance(1, rounds=1)
    assert _actions(driver)[3:] == [("A", "release"), ("B", "release")]
    _send(driver, _paid("D", 5))
    driver.run()
    driver.advance(1, rounds=1)
    assert _actions(driver)[5:] == [("D", "hold"), ("C", "release"), ("D", "release")]


def test_findings_name_the_place_of_their_observation() -> None:
    """The channels stage tells repeats after a crash by it; what a deadline has found has none."""
    driver = _driver()
    _send(driver, fact("web", "Created", 0), _paid("A1", 1))
    driver.run()
    driver.advance(3600)
    found = [codec.decode(value, ChannelFinding) for value in driver.values(topics.CHANNEL_FINDING)]
    assert [(one.kind, one.origin_partition, one.origin_offset) for one in found] == [("paid", 0, 1), ("conflict", -1, -1)]


def test_a_finished_order_is_small() -> None:
    """Channel, ERP and courier, twelve facts with long ids and places: a million of them fit into a gigabyte."""
    driver = _driver()
    web = ("Created", "PaymentConfirmed", "Shipped", "Signed", "Completed")
    said = [fact("web", status, at, payable_minor=12900, currency="CNY", customer_id="c1") for at, status in enumerate(web)]
    said += [fact("erp", status, at, payable_minor=12900) for at, status in enumerate(("Approved", "Allocated", "Shipped"))]
    said += [node("77712345678", status, at) for at, status in enumerate(("PickedUp", "InTransit", "OutForDelivery", "Signed"))]
    for number, one in enumerate(said):
        place = (wire.RAW_PLACE, f"lockstep.raw.order.web.v1/3/{10**9 + number}".encode())
        driver.send(topics.ORDER_OBSERVATION, KEY.encode(), codec.encode(one), headers=[place])
    driver.run()
    driver.advance(ms(60) / 1000 - driver.clock)
    assert len(msgspec.msgpack.encode(driver.state("orders", KEY.encode()))) < 640
