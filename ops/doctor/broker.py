"""Kafka: the cluster, its versions, the topics' settings and copies, its disks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import IncompatibleBrokerVersion
from aiokafka.protocol.admin import ApiVersionRequest

from ops import topics as topic_tools
from ops.doctor.finding import Finding, bad, good, note, several
from ops.doctor.logdirs import DescribeLogDirs, LogDir, log_dirs
from ops.doctor.machine import LOW_BYTES, LOW_SHARE
from ops.doctor.site import Site

NEEDED: Final = {0: "Produce", 1: "Fetch", 22: "InitProducerId", 19: "CreateTopics"}
IN_SYNC: Final = "min.insync.replicas"


@asynccontextmanager
async def admin(site: Site) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client, for one look."""
    client = AIOKafkaAdminClient(**site.client)
    try:
        await client.start()
        yield client
    finally:
        await client.close()


async def reach(site: Site) -> None:
    """Say something to any broker. Raises KafkaError and OSError."""
    async with admin(site) as client:
        await client.describe_cluster()


async def cluster(site: Site) -> list[Finding]:
    """How many brokers there are, and what they speak."""
    async with admin(site) as client:
        answer = await client.describe_cluster()
        spoken = {
            broker["node_id"]: {
                row[0]: (row[1], row[2]) for row in (await _ask(client, broker["node_id"], ApiVersionRequest())).api_versions
            }
            for broker in answer["brokers"]
        }
        return judge_cluster(site.place.need_kafka().servers, answer["controller_id"], spoken, site.place.need_kafka().replication)


async def _ask(client: AIOKafkaAdminClient, broker: int, request: Any) -> Any:
    return await client._send_request(request, broker)  # noqa: SLF001 - aiokafka has no public way to these requests; its version is pinned


def judge_cluster(servers: str, controller: int, spoken: dict[int, dict[int, tuple[int, int]]], replication: int) -> list[Finding]:
    """`spoken`: by broker, what requests it knows, from which version to which."""
    lacking = sorted({name for known in spoken.values() for key, name in NEEDED.items() if key not in known})
    if lacking:
        return [bad("Kafka", f"a broker does not know {', '.join(lacking)}", "Kafka 2.8 or newer is needed; tested with 4")]
    if controller < 0:
        return [bad("Kafka", "no broker is the controller: topics cannot be made", "look at the logs of the brokers and controllers")]
    if len(spoken) < replication:
        text = f"{len(spoken)} brokers answer, and kafka.replication is {replication}"
        return [bad("Kafka", text, "start the missing brokers: topics cannot be made, and writes may be refused")]
    newest = min(known[1][1] for known in spoken.values())
    return [good("Kafka", f"{servers}: {len(spoken)} brokers, Fetch up to version {newest}")]


@dataclass(frozen=True)
class Copies:
    """Of one partition."""

    topic: str
    partition: int
    leader: int
    replicas: int
    in_sync: int
    least: int  # min.insync.replicas


async def topics(site: Site) -> list[Finding]:
    """The catalogue against the broker: partitions, settings, copies."""
    partitions = site.place.model.partitions if site.place.model else 4
    seen = await topic_tools.look(site.place.need_kafka(), topic_tools.wanted(site.channels, partitions))
    least = {item.topic.name: int(item.config.get(IN_SYNC, 1)) for item in seen}
    there = sorted(item.topic.name for item in seen if item.partitions)
    async with admin(site) as client:
        described = await client.describe_topics(there) if there else []
    copies = [
        Copies(topic["topic"], part["partition"], part["leader"], len(part["replicas"]), len(part["isr"]), least[topic["topic"]])
        for topic in described
        for part in topic["partitions"]
    ]
    return [*judge_topics(seen), *judge_copies(copies)]


def judge_topics(seen: list[topic_tools.Found]) -> list[Finding]:
    """Missing ones can be made by a command; what exists is changed by an operator with Kafka's own tools."""
    missing = [item.topic.name for item in seen if not item.partitions]
    wrong = [f"{item.topic.name}: {', '.join(item.differences)}" for item in seen if item.partitions and item.differences]
    found = []
    if missing:
        found.append(bad("topics", f"{len(missing)} are missing: {several(missing)}", "`lockstep topics create`"))
    if wrong:
        advice = "`lockstep topics list` shows all; set them with kafka-configs.sh. Partitions are chosen once, before the first start"
        found.append(bad("topics", f"{len(wrong)} are not as the catalogue says: {several(wrong)}", advice))
    return found or [good("topics", f"{len(seen)}, as the catalogue says")]


def judge_copies(parts: list[Copies]) -> list[Finding]:
    """A partition without enough copies refuses writes: platforms are told to push again."""
    found = []
    names = [f"{part.topic}/{part.partition}" for part in parts if part.leader < 0]
    if names:
        found.append(bad("topics", f"without a leader: {several(names)}", "start the missing brokers, see their logs"))
    if never := sorted({part.topic for part in parts if part.least > part.replicas}):
        text = f"{IN_SYNC} is more than there are copies: {several(never)}"
        found.append(bad("topics", text, f"lower {IN_SYNC} with kafka-configs.sh: nothing can be written"))
    elif few := [f"{part.topic}/{part.partition}" for part in parts if 0 <= part.in_sync < part.least]:
        found.append(bad("topics", f"too few copies are in step, writes are refused: {several(few)}", "start the missing brokers"))
    elif behind := [f"{part.topic}/{part.partition}" for part in parts if part.in_sync < part.replicas]:
        found.append(note("topics", f"{len(behind)} partitions have copies that are behind: {several(behind)}", "a broker is away or slow"))
    if weak := sorted({part.topic for part in parts if part.replicas > 2 and part.least < 2}):
        text = f"{IN_SYNC} is 1 for {len(weak)} topics with three copies: what is acknowledged may be on one broker alone"
        found.append(note("topics", text, f"set {IN_SYNC}=2 with kafka-configs.sh"))
    return found


async def disks(site: Site) -> list[Finding]:
    """The folders of all brokers."""
    async with admin(site) as client:
        brokers = [broker["node_id"] for broker in (await client.describe_cluster())["brokers"]]
        try:
            found = [each for broker in brokers for each in log_dirs(broker, await _ask(client, broker, DescribeLogDirs()))]
        except (IncompatibleBrokerVersion, NotImplementedError):
            return [note("Kafka's disks", "the brokers do not tell")]
    return judge_disks(found)


def judge_disks(dirs: list[LogDir]) -> list[Finding]:
    """A folder that failed is offline until its broker is started again."""
    found = []
    for each in dirs:
        where = f"broker {each.broker}, {each.path}"
        if each.error:
            found.append(
                bad("Kafka's disks", f"{where}: offline (error {each.error})", "mend or replace the disk, then start the broker again")
            )
        elif each.free is None or each.size is None:
            found.append(good("Kafka's disks", f"{where}: {each.used / (1 << 20):,.0f} MiB of topics"))
        else:
            text = f"{where}: {each.used / (1 << 20):,.0f} MiB of topics, {each.free / (1 << 30):.1f} GiB free"
            if each.free < LOW_BYTES or each.free < each.size * LOW_SHARE:
                found.append(
                    bad("Kafka's disks", text, "make room, or lower retention.ms with kafka-configs.sh: a full disk ends the broker")
                )
            else:
                found.append(good("Kafka's disks", text))
    return found
