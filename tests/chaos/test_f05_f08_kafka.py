"""F5–F8: brokers down, slow, forgetful, truncated."""

import asyncio
import re
import time
from collections.abc import Iterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import GroupIdNotFound
from aiokafka.protocol.admin import DeleteGroupsRequest

from ops.bench.pipeline.offsets import Offsets
from ops.chaos.kafka import quorum
from ops.chaos.proxy import kafka_request
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.reports import accounting
from ops.simulator import normal
from ops.simulator.day import Day
from ops.simulator.facts import Say
from schemas import topics
from sinks.alerts.routing import Router
from sinks.tasks import Sinks
from streams.records import Lost
from tests.chaos.report import Row
from tests.chaos.site import Site, admin, installation
from tests.integration.sinks.given import BOT, NOW, sink_on

pytestmark = [pytest.mark.server, pytest.mark.timeout(280)]
PRODUCE, COMMIT, HEARTBEAT = 0, 8, 12


@pytest.fixture(scope="module")
def three() -> Iterator[Site]:
    """An installation on three Kafka nodes: replication 3, two must have a record."""
    with installation(quorum) as site:
        yield site


async def _leader(site: Site, topic: str) -> int:
    client = await admin(site.rig.kafka)
    try:
        (found,) = await client.describe_topics([topic])
        return int(found["partitions"][0]["leader"])
    finally:
        await client.close()


@pytest.mark.chaos
async def test_f05_one_node_of_three_killed(three: Site, row: Row) -> None:
    """Kill -9 of any node of three, each in turn under load: the others take over, nothing is lost or doubled."""
    row.injected("three-node KRaft cluster (replication 3, min ISR 2): SIGKILL of each node in turn, then started again")
    await three.begin()
    given = await three.day(500, seed=501)
    await three.roles()
    for number in range(3):
        node = await _leader(three, topics.ORDER_OBSERVATION) if not number else number + 1
        await given.send(0.15)
        await three.kafka.kill(node)
        killed = time.monotonic()
        await given.send(0.15)
        await three.fresh(row, since=killed)  # while it is down
        row.saw("node killed")
        await three.kafka.start(node)
        await asyncio.sleep(3)  # until its copies have caught up: the next kill would leave one in sync
    await given.send()
    await three.fresh()
    await given.holds(row)
    await three.finish()


@pytest.mark.chaos
async def test_f05_two_nodes_of_three_killed(three: Site, row: Row) -> None:
    """With two of three nodes dead nothing is acknowledged and nobody ends; when they are back it goes on by itself."""
    row.injected("SIGKILL of two of three nodes for 20 s under load")
    await three.begin()
    given = await three.day(300, seed=502)
    roles = await three.roles()
    await given.send(0.5)
    await three.kafka.kill(1, 2)
    await asyncio.sleep(20)
    assert [role.popen.poll() for role in roles] == [None, None], "a role has ended"
    row.saw("node killed", 2)
    await three.kafka.start(1, 2)
    back = time.monotonic()
    await three.fresh(row, since=back)
    await given.send()
    await given.holds(row)
    await three.finish()


@pytest.mark.chaos
@pytest.mark.parametrize("seconds", [5, 60])
async def test_f05_only_broker_down(site: Site, row: Row, seconds: int) -> None:
    """While the only broker is away all wait, with bounded buffers; nothing is lost when it is back."""
    row.injected(f"SIGKILL of the only broker under load, started {seconds} s later")
    given = await site.day(300, seed=503)
    roles = await site.roles()
    await given.send(0.6 if seconds < 30 else 1.0)  # an answer may be a minute late before it is a conflict
    await site.kafka.kill()
    await asyncio.sleep(seconds)
    assert [role.popen.poll() for role in roles] == [None, None], "a role has ended while Kafka was away"
    row.saw("broker killed")
    await site.kafka.start()
    back = time.monotonic()
    await site.fresh(row, since=back)
    await given.send()
    await given.holds(row)


@pytest.mark.chaos
async def test_f06_broker_slow(site: Site, row: Row) -> None:
    """With 400 ms each way to Kafka everything arrives, only later, and no partition is given up."""
    row.injected("proxy: 400 ms each way between both roles and Kafka, for the whole load")
    given = await site.day(200, seed=601)
    await site.roles()
    kafka, _ = site.network
    kafka.latency = 0.4
    slow = time.monotonic()
    await given.send()
    await site.fresh()
    row.saw("fresh order that took longer than two round trips", int(time.monotonic() - slow > 1.6))
    site.heal()
    await site.fresh(row)
    await given.holds(row)


@pytest.mark.chaos
@pytest.mark.parametrize("what", ["produce", "commit", "heartbeat"])
async def test_f06_answers_lost(site: Site, row: Row, what: str) -> None:
    """A write, commit or heartbeat that arrives and whose answer is lost is repeated without effect."""
    row.injected(f"proxy cuts the connection instead of the broker's answer to a {what} request, six times under load")
    given = await site.day(200, seed=602)
    await site.roles()
    kafka, _ = site.network
    for _ in range(6):
        trap = kafka.trap(kafka_request({"produce": PRODUCE, "commit": COMMIT, "heartbeat": HEARTBEAT}[what]), "drop_reply")
        await given.send(0.1)
        await trap.wait(20)
        row.saw(f"{what} whose answer was lost", trap.hits)
    await site.fresh(row)
    await given.send()
    await given.holds(row)


@pytest.mark.chaos
@pytest.mark.parametrize("fault", ["reset", "half-open", "blackhole"])
async def test_f06_bad_network(site: Site, row: Row, fault: str) -> None:
    """Whatever the network to Kafka does, the roles go on by themselves when it is good again."""
    row.injected(f"proxy between both roles and Kafka: {fault}" + (", five times" if fault == "reset" else " for 25 s"))
    given = await site.day(200, seed=603)
    roles = await site.roles()
    kafka, _ = site.network
    await given.send(0.3)
    cut = 0
    for _ in range(5 if fault == "reset" else 1):
        kafka.half_open, kafka.blackhole = fault == "half-open", fault == "blackhole"
        await given.send(0.1)
        await asyncio.sleep(1 if fault == "reset" else 25)
        cut += kafka.reset() if fault == "reset" else 0
    row.saw("connection cut", cut) if fault == "reset" else row.saw("seconds without an answer", 25)
    assert [role.popen.poll() for role in roles] == [None, None], "a role has ended"
    site.heal()
    await site.fresh(row)
    await given.send()
    await given.holds(row)


async def _deleted(client: AIOKafkaAdminClient, *groups: str) -> bool:
    """Whether the broker has deleted them, now or before."""
    node = await client.find_coordinator(groups[0])
    answer = await client._send_request(DeleteGroupsRequest(list(groups)), node)
    return all(error in {0, GroupIdNotFound.errno} for _, error in answer.results)


@pytest.mark.chaos
async def test_f07_groups_deleted(site: Site, row: Row) -> None:
    """With both groups' offsets gone everything is read again from the beginning, and no table changes."""
    row.injected("both consumer groups deleted while the roles are down, then started")
    given = await site.day(150, seed=701)
    await site.roles()
    await given.send(0.9)
    await site.settled()
    await site.stop()
    before = await site.tables()
    client = await admin(site.rig.kafka)
    try:
        async with asyncio.timeout(60):  # static members are forgotten after their session
            while not await _deleted(client, STREAM_GROUP, SINK_GROUP):  # noqa: ASYNC110 - asked again
                await asyncio.sleep(1)
    finally:
        await client.close()
    assert await site.read() == 0
    began = time.monotonic()
    await site.roles()
    await site.until_read(site.sent)
    row.saw("record read again", site.sent)
    await site.settled()
    row.recovered(time.monotonic() - began)
    after = await site.tables()
    for table, rows in before.items():
        assert after[table] == rows, table
    row.holds(f"{sum(map(len, before.values())):,} rows of {len(before)} tables unchanged")
    await site.fresh()
    await given.send()
    await given.holds(row)


async def _truncate(site: Site, topic: str) -> dict[int, tuple[int, int]]:
    """Delete what waits of a topic, but for the last three records of each partition: (first lost offset, how many)."""
    async with Offsets(site.rig.kafka) as offsets:
        ends = await offsets.ends([topic])
        committed = await offsets.committed(STREAM_GROUP)
    begins = {part: end - 3 for part, end in ends.items() if end - 3 > max(0, committed.get(part, 0))}
    client = await admin(site.rig.kafka)
    try:
        await client.delete_records({part: RecordsToDelete(before_offset=begin) for part, begin in begins.items()})
    finally:
        await client.close()
    return {part.partition: (committed[part], begin - committed[part]) for part, begin in begins.items()}


async def _gaps(site: Site, task: str, topic: str) -> dict[int, tuple[int, int]]:
    """What alerts say of lost records: (first lost offset, how many) by partition."""
    async with site.database() as connection:
        rows = await connection.fetch("SELECT alert_key, text FROM lockstep.alerts WHERE kind = 'records_lost'")
    found = {}
    for row in rows:
        _, told_by, name, partition, first = row["alert_key"].split(":")
        if (told_by, name) == (task, topic):
            count = re.search(r"约(\d+)条", row["text"])
            assert count
            found[int(partition)] = (int(first), int(count[1]))
    return found


async def test_f08_raw_topic_truncated(site: Site, row: Row) -> None:
    """Records that were deleted before they were read are said by an alert that names the exact gap; the rest goes on."""
    topic = topics.raw_order("edge")
    row.injected("stream role down, 40 orders pushed, all but the last records of their raw topic deleted, role started")
    await site.roles()
    await site.settled()
    await site.stop("stream")
    day = Day(801, int(time.time() * 1000), {"edge": "s2"})
    for _ in range(40):
        normal.paid(day, day.order("edge"), day.ago(minutes=5))
    says = [said for said in day.phase.says if isinstance(said, Say) and said.speaker == "edge"]
    await site.send(says)
    await site.until_counted()  # the sink has seen that they came
    lost = await _truncate(site, topic)
    row.saw("record deleted before it was read", sum(count for _, count in lost.values()))
    began = time.monotonic()
    await site.roles()
    await site.fresh(row, since=began, channel="edge")
    await site.until(lambda: _same(site, topic, lost), 30, "alerts name every gap")
    row.holds("alert records_lost for each partition, with the first offset and the number lost")
    assert "were deleted before they were read" in site.log("stream-1")
    await site.stop("stream")
    await site.roles()
    await site.fresh(channel="edge")
    assert await _gaps(site, "normalise", topic) == lost, "a restart says no gap again, and no new one"
    place = accounting.Place(site.rig.kafka, {}, site.config.channels, STREAM_GROUP, SINK_GROUP)
    (facts,) = [one for one in (await accounting.take(site.postgres.dsn, place)).facts if one.source == "edge"]
    assert facts.difference == sum(count for _, count in lost.values()), "the accounts miss exactly what was lost"
    row.holds("accounts miss exactly what was lost")
    await site.forgive("edge", {(topic, partition): count for partition, (_, count) in lost.items()})


async def _same(site: Site, topic: str, lost: dict[int, tuple[int, int]]) -> bool:
    return await _gaps(site, "normalise", topic) == lost


async def test_f08_sink_says_what_it_never_read(fresh_postgres: str, row: Row) -> None:
    """A sink whose topic was truncated before it read it writes an alert that names the gap, once, and then goes on."""
    row.injected("the engine tells a sink task of 40 lost audit records, twice")
    sink = sink_on(fresh_postgres)
    tasks = {task.name: task for task in Sinks(sink.committer, Router((BOT,)), clock=lambda: NOW / 1000).tasks(["web"])}
    say = tasks["sink-order-audit"].on_lost
    assert say
    for _ in range(2):
        await say(Lost(topics.ORDER_AUDIT, 3, 160, 40))
    (alert,) = await sink.fetch("SELECT alert_key, severity, text FROM lockstep.alerts WHERE kind = 'records_lost'")
    await sink.committer.close()
    await sink.database.close()
    assert alert["alert_key"] == f"records_lost:sink-order-audit:{topics.ORDER_AUDIT}:3:160"
    assert alert["severity"] == "critical"
    assert "160" in alert["text"]
    assert "199" in alert["text"]
    row.saw("gap told", 2)
    row.holds("one critical alert with first and last offset")
