"""F13–F21: events doubled, renamed, shuffled, late, poisonous, unknown, and channels that pause for them."""

import random
import time
from collections import Counter
from collections.abc import Iterable

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from ops import channels
from ops.config import Kafka
from ops.simulator import jumps, normal
from ops.simulator.day import Day
from ops.simulator.facts import Say
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import RawEvent
from tests.chaos.report import Row
from tests.chaos.site import Site
from tests.chaos.storm import storm

pytestmark = [pytest.mark.server, pytest.mark.timeout(200)]
JUMPS = "SELECT count(*) FROM lockstep.jumps WHERE order_key = ANY($1)"
STATUS = "SELECT order_key, status, jump_count FROM lockstep.orders WHERE order_key = ANY($1)"


def _day(channel: str = "edge") -> Day:
    now = int(time.time() * 1000)
    return Day(now % 10**6, now, {channel: {"web": "s1", "edge": "s2"}[channel]})


def _said(day: Day) -> list[Say]:
    return [said for said in day.phase.says if isinstance(said, Say)]


def _keys(says: Iterable[Say]) -> list[str]:
    return sorted({said.order.key for said in says})


async def _counters(site: Site, keys: list[str]) -> tuple[int, dict[str, tuple[str, int]]]:
    async with site.database() as connection:
        states = {row["order_key"]: (row["status"], row["jump_count"]) for row in await connection.fetch(STATUS, keys)}
        return int(await connection.fetchval(JUMPS, keys)), states


async def _alike(site: Site, row: Row, keys: list[str]) -> None:
    """These orders stand as an undisturbed fold of the same raw events leaves them."""
    disturbed, undisturbed = await site.orders(), site.undisturbed()
    assert {key: disturbed.get(key) for key in keys} == {key: undisturbed.get(key) for key in keys}
    row.holds(f"{len(keys)} orders equal an undisturbed run")
    await site.books(row)


@pytest.mark.chaos
async def test_f13_each_event_up_to_five_times(site: Site, row: Row) -> None:
    """However often an event is delivered, it counts once: no jump, no audit record, no conflict more."""
    row.injected("each event of 120 orders delivered one to five times, copies at random places behind it")
    roles = await site.roles()
    day = _day()
    for _ in range(5):
        jumps.flap(day, "edge")
    while day.phase.orders < 120:
        day.random.choice((normal.in_work, normal.on_its_way, normal.delivered, normal.refunded))(day)
    says, rng = _said(day), random.Random(13)
    copies = [said for said in says for _ in range(rng.randrange(5))]
    row.saw("duplicate", len(copies))
    sent = sorted(says, key=lambda said: said.play)
    for said in copies:
        sent.insert(rng.randrange(sent.index(said) + 1, len(sent) + 1), said)
    await site.send(sent)
    await site.fresh(row)
    await site.settled(*roles)
    found, _ = await _counters(site, _keys(says))
    assert found == 10, "a regression and a flap for each of five orders"
    doubled = "SELECT sum(duplicates) FROM lockstep.order_sources WHERE order_key = ANY($1)"
    row.holds(f"{await site.count(doubled, _keys(says)):,} duplicates counted as such")
    await _alike(site, row, _keys(says))


@pytest.mark.chaos
async def test_f14_same_fact_under_a_new_id(site: Site, row: Row) -> None:
    """A fact that is pushed and polled, under two ids, is a repeat: no change, no jump, no conflict."""
    row.injected("every fact of 60 orders sent a second time with another event id, directly behind the first")
    roles = await site.roles()
    day = _day()
    while day.phase.orders < 60:
        normal.delivered(day)
    says = sorted(_said(day), key=lambda said: said.play)
    renamed = [msgspec.structs.replace(said, nonce=said.nonce + 10**6) for said in says]
    await site.send([said for pair in zip(says, renamed, strict=True) for said in pair])
    row.saw("fact told again under a new id", len(renamed))
    await site.fresh(row)
    await site.settled(*roles)
    found, _ = await _counters(site, _keys(says))
    assert found == 0
    query = "SELECT count(*) FROM lockstep.audit WHERE order_key = ANY($1) AND disposition = 'repeat'"
    assert await site.count(query, _keys(says)) >= sum(said.axis == "fulfilment" for said in renamed)
    assert not await site.count("SELECT count(*) FROM lockstep.conflicts WHERE order_key = ANY($1)", _keys(says))
    row.holds("every second telling is audited as a repeat; no jump, no conflict")
    await _alike(site, row, _keys(says))


@pytest.mark.chaos
async def test_f15_out_of_order(site: Site, row: Row) -> None:
    """Facts that overtake each other by minutes are late, never jumps, and leave each order where the sorted ones do."""
    row.injected("facts of 100 orders delivered in an order shuffled within 400 places")
    roles = await site.roles()
    day = _day()
    while day.phase.orders < 100:
        normal.delivered(day)
    says, rng = sorted(_said(day), key=lambda said: said.play), random.Random(15)
    shuffled = [said for _, said in sorted(enumerate(says), key=lambda item: item[0] + rng.uniform(0, 400))]
    await site.send(shuffled)
    await site.fresh(row)
    await site.settled(*roles)
    keys = _keys(says)
    late = "SELECT count(*) FROM lockstep.audit WHERE order_key = ANY($1) AND disposition = 'late'"
    row.saw("late event", await site.count(late, keys))
    found, states = await _counters(site, keys)
    wanted = {key: max((said.at, said.status) for said in says if said.order.key == key and said.speaker == "edge") for key in keys}
    for key, (_, status) in wanted.items():
        assert states[key][0] in {status, "Signed"}, (key, status, states[key])
    regressions = "SELECT count(*) FROM lockstep.jumps WHERE order_key = ANY($1) AND kind IN ('regression', 'revival', 'flap')"
    assert await site.count(regressions, keys) == 0, found
    row.holds("no order went back; each stands where its newest facts say")
    await _alike(site, row, keys)


@pytest.mark.chaos
async def test_f16_very_late(site: Site, row: Row) -> None:
    """What comes days late, after its order was completed, is audited as late and changes nothing."""
    row.injected("after 40 orders were completed: their first facts again under new ids, and facts three days old")
    roles = await site.roles()
    day = _day()
    for _ in range(40):
        order = day.order("edge")
        normal.paid(day, order, day.ago(hours=80))
        day.say("edge", order, "Shipped", day.ago(hours=70))
        day.say("edge", order, "Completed", day.ago(hours=2))
    first = _said(day)
    await site.send(first)
    await site.settled(*roles)
    _, before = await _counters(site, _keys(first))
    day.begin()
    for key_order in {said.order.key: said.order for said in first}.values():
        day.say("edge", key_order, "PaymentConfirmed", day.ago(hours=79.5), payable=key_order.payable)
        day.say("edge", key_order, "PaymentPending", day.ago(hours=81))
    second = _said(day)
    await site.send(second)
    await site.fresh(row)
    await site.settled(*roles)
    late = "SELECT count(*) FROM lockstep.audit WHERE order_key = ANY($1) AND disposition = 'late'"
    assert await site.count(late, _keys(first)) == len(second)
    row.saw("late event", len(second))
    found, after = await _counters(site, _keys(first))
    assert (found, after) == (0, before)
    assert {status for status, _ in after.values()} == {"Completed"}
    row.holds("each is audited as late; every order stays Completed")
    await _alike(site, row, _keys(first))


def _event(number: int, payload: bytes, source: str = "edge", event_id: str | None = None) -> RawEvent:
    return RawEvent(
        event_id=event_id or f"poison-{time.time_ns()}-{number}", source=source, connector="generic", kind="channel", shop="s2",
        received_at=int(time.time() * 1000), verified=True, headers={}, payload=payload,
    )  # fmt: skip


POISON: list[bytes] = [
    b"", b"\x00" * 64, b"{", b"[]", b"null", b'{"order_id": 1e400}', b'{"order_id": ' + b"9" * 5000 + b"}",
    '{"order_id": "\U0001f4a9\u0000", "status": "\u0000"}'.encode(), b"\xff\xfe\xfd", b"{" * 20_000, b'{"a":' * 5_000,
    b'{"event_id": "x", "status": "Packed", "occurred_at": "9999-99-99T99:99:99Z"}', b"x" * (2 << 20),
]  # fmt: skip


async def _send_raw(site: Site, values: Iterable[tuple[bytes, bytes, bytes]]) -> int:
    """Write (key, value, source) to the raw topic of `edge` as they are; how many."""
    producer = AIOKafkaProducer(bootstrap_servers=site.rig.kafka, acks="all", max_request_size=3 << 20)
    await producer.start()
    try:
        count = 0
        for key, value, source in values:
            headers = cloudevent("RawEvent", f"poison-{count}", source.decode(), key.decode(), int(time.time() * 1000))
            await producer.send_and_wait(topics.raw_order("edge"), value, key, headers=headers)
            count += 1
    finally:
        await producer.stop()
    site.sent += count
    return count


async def test_f17_poison(site: Site, row: Row) -> None:
    """Bytes that no schema holds, alone or in a good envelope, become dead letters with a reason; their neighbours are unaffected."""
    payloads = f"{len(POISON)} payloads (empty, NUL, 2 MiB, nested, emoji, huge numbers)"
    row.injected(f"{payloads} in good envelopes, as many without one, between good facts")
    roles = await site.roles()
    day = _day()
    while day.phase.orders < 40:
        normal.in_work(day)
    says = sorted(_said(day), key=lambda said: said.play)
    dead = "SELECT count(*) FROM lockstep.dead_letters"
    before = await site.count(dead)
    await site.send(says[: len(says) // 2])
    enveloped = [(says[n % len(says)].order.key.encode(), codec.encode(_event(n, payload)), b"edge") for n, payload in enumerate(POISON)]
    naked = [(key, payload or b"\x00", b"edge") for (key, _, _), payload in zip(enveloped, POISON, strict=True)]
    poisoned = await _send_raw(site, [*enveloped, *naked])
    row.saw("poisonous record", poisoned)
    await site.send(says[len(says) // 2 :])
    await site.fresh(row, channel="edge")
    await site.settled(*roles)
    assert await site.count(dead) - before == poisoned
    async with site.database() as connection:
        reasons = await connection.fetch("SELECT reason, count(*) FROM lockstep.dead_letters GROUP BY 1 ORDER BY 1")
    row.holds("dead letters: " + ", ".join(f"{reason} {count}" for reason, count in reasons))
    await _alike(site, row, _keys(says))


@pytest.mark.chaos
async def test_f18_poison_storm(site: Site, row: Row) -> None:
    """When three events in ten are garbage for a minute, good ones go on, each bad one is a dead letter, and people are told once."""
    row.injected("1,500 events of one channel, 30 % of them garbage in good envelopes")
    roles = await site.roles()
    day = _day()
    while len(day.phase.says) < 1000:
        normal.in_work(day)
    says, rng = sorted(_said(day), key=lambda said: said.play), random.Random(18)
    before = await site.count("SELECT count(*) FROM lockstep.dead_letters")
    bad = 0
    for start in range(0, len(says), 100):
        part = says[start : start + 100]
        await site.send(part)
        garbage = [(rng.choice(part).order.key.encode(), codec.encode(_event(start + n, b"{garbage")), b"edge") for n in range(43)]
        bad += await _send_raw(site, garbage)
    row.saw("poisonous record", bad)
    await site.fresh(row, channel="edge")
    await site.settled(*roles)
    assert await site.count("SELECT count(*) FROM lockstep.dead_letters") - before == bad
    told = "SELECT count(DISTINCT alert_key) FROM lockstep.alerts WHERE kind = 'dead_letters'"
    assert await site.count(told) <= 2, "a flood is said once, not by an alert a letter"
    row.holds(f"{bad} dead letters, {await site.count(told)} alert that the source is sick")
    await _alike(site, row, _keys(says))


@pytest.mark.chaos
async def test_f19_unknown_codes(site: Site, row: Row) -> None:
    """A code that no table knows is a dead letter and one alert a day; never a guess, a crash, a jump or a conflict."""
    row.injected("20 facts with an invented status code each of a channel's system and of a courier")
    roles = await site.roles()
    day = _day()
    for _ in range(20):
        order = day.order("edge", courier="zto")
        normal.paid(day, order, day.ago(minutes=20))
        day.say("erp", order, "Exception", day.ago(minutes=10), code="CHAOS_NEW_CODE")
        day.say("zto", order, "Exception", day.ago(minutes=10), axis="parcel", code="CHAOS_NODE")
    says = _said(day)
    await site.send(says)
    await site.fresh(row, channel="edge")
    await site.settled(*roles)
    async with site.database() as connection:
        letters = await connection.fetch("SELECT source, count(*) FROM lockstep.dead_letters WHERE detail LIKE '%CHAOS_N%' GROUP BY 1")
        alerts = await connection.fetch(
            "SELECT DISTINCT alert_key FROM lockstep.alerts WHERE kind = 'unmapped_status' AND alert_key LIKE '%CHAOS_N%'"
        )
    assert dict(letters) == {"erp": 20, "zto": 20}
    assert len(alerts) == 2
    row.saw("unknown code", 40)
    found, _ = await _counters(site, _keys(says))
    assert found == 0
    row.holds("40 dead letters, one alert for each code; no jump")
    await _alike(site, row, _keys(says))


@pytest.mark.parametrize("restart", [False, True])
def test_f20_conflict_storm_around_midnight(row: Row, restart: bool) -> None:
    """15 conflicts a Shanghai day do not pause, the 16th does; midnight starts anew; a pause survives a restart and midnight."""
    row.injected("15 conflicts before midnight Asia/Shanghai, 15 after it, then a 16th" + (", each followed by kill -9" if restart else ""))
    found = storm(restart=restart)
    assert found.before_midnight == found.after_midnight == 0, "15 conflicts of one day pause nothing"
    assert found.pauses == [("web", 16)]
    row.saw("conflict", found.conflicts)
    row.holds("no pause at 15 + 15 over midnight; one pause at the 16th; still paused after a restart and the next midnight")


@pytest.mark.chaos
async def test_f21_paused_and_resumed_with_a_backlog(site: Site, row: Row) -> None:
    """Orders that come while their channel is paused wait, over a kill -9, and are released once each, by payment, when it is resumed."""
    row.injected("channel paused by a jump storm; 80 orders pushed; stream and sink killed by SIGKILL; channel resumed")
    roles = await site.roles()
    day = _day()
    jumps.storm(day, "edge", pauses=True)
    await site.send(sorted(_said(day), key=lambda said: said.play))
    paused = "SELECT count(*) FROM lockstep.channel_state WHERE channel = 'edge' AND state = 'paused'"
    await site.until(lambda: site.count(paused), 30, "the channel is paused")
    row.saw("channel paused")
    day.begin()
    for _ in range(80):
        normal.paid(day, day.order("edge"), day.ago(minutes=day.random.uniform(4, 9)))
    says = sorted(_said(day), key=lambda said: said.play)
    await site.send(says)
    keys = _keys(says)
    held = "SELECT count(*) FROM lockstep.pool WHERE action = 'hold' AND gate = 'channel' AND order_key = ANY($1)"
    await site.until(lambda: site.count(held, keys), 30)
    for role in roles:
        await site.rig.kill(role)
    roles = await site.roles()
    await site.settled(*roles)
    assert await site.count(held, keys) == 80
    began = time.monotonic()
    producer = await channels.started(Kafka(site.rig.kafka))
    await channels.command(producer, "edge", channels.RESUME, by=channels.BY_COMMAND_LINE, why="chaos")
    await producer.stop()
    released = "SELECT count(*) FROM lockstep.pool WHERE action = 'release' AND order_key = ANY($1)"

    async def all_released() -> bool:
        return await site.count(released, keys) == 80

    await site.until(all_released, 60, "all held orders are released")
    row.recovered(time.monotonic() - began)
    await site.fresh(row, channel="edge")
    await site.settled(*roles)
    async with site.database() as connection:
        times = await connection.fetch("SELECT order_key FROM lockstep.pool_history WHERE action = 'release' AND order_key = ANY($1)", keys)
    assert Counter(Counter(key["order_key"] for key in times).values()) == {1: 80}, "each is released once"
    row.holds("80 orders held over the kills, each released once after the resume")
    await site.books(row)
