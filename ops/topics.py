"""Creating the topics of the catalogue, and seeing where what exists differs from it."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError, for_code

from ops.config import Kafka
from schemas.topics import Topic, catalogue

SETTLE_SECONDS = 30.0


class TopicError(RuntimeError):
    """Kafka did not make a topic; says which and why."""


@dataclass(frozen=True)
class Found:
    """A topic of the catalogue as the broker has it: no partitions, it is missing."""

    topic: Topic
    wanted: int
    partitions: int
    config: dict[str, str]

    @property
    def differences(self) -> list[str]:
        """What is not as the catalogue says."""
        if not self.partitions:
            return ["missing: run `lockstep topics create`"]
        found = [] if self.partitions == self.wanted else [f"{self.partitions} partitions, {self.wanted} wanted"]
        return found + [
            f"{name}={self.config.get(name)}, {value} wanted" for name, value in self.topic.config.items() if self.config.get(name) != value
        ]


def wanted(channels: Iterable[str], partitions: int) -> tuple[tuple[Topic, int], ...]:
    """Every topic of an installation with its number of partitions."""
    return tuple((topic, topic.partitions or partitions) for topic in catalogue(channels))


async def connected(kafka: Kafka) -> AIOKafkaAdminClient:
    """Open an admin client."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.servers, request_timeout_ms=10_000, **kafka.security.client())
    try:
        await admin.start()
    except BaseException:
        await admin.close()
        raise
    return admin


async def create(kafka: Kafka, topics: Iterable[tuple[Topic, int]]) -> list[str]:
    """Make what is missing; the names of what was made now. What exists is left as it is."""
    admin = await connected(kafka)
    try:
        present = set(await admin.list_topics())
        missing = [
            NewTopic(topic.name, partitions, kafka.replication, topic_configs=topic.config)
            for topic, partitions in topics
            if topic.name not in present
        ]
        if not missing:
            return []
        answer = await admin.create_topics(missing)
        _check(answer.topic_errors)
        await _until_led(admin, {topic.name for topic in missing})
        return sorted(topic.name for topic in missing)
    finally:
        await admin.close()


def _check(errors: Iterable[Any]) -> None:
    for name, code, *text in errors:
        kind = for_code(code)
        if code and kind is not TopicAlreadyExistsError:  # another process made it at the same time
            raise TopicError(f"Kafka did not make the topic {name}: {kind.__name__} {' '.join(filter(None, text))}".rstrip())


async def _until_led(admin: AIOKafkaAdminClient, names: set[str]) -> None:
    """A topic just made has no leader for a moment: whoever reads it then waits needlessly."""
    async with asyncio.timeout(SETTLE_SECONDS):
        while True:
            described = await admin.describe_topics(sorted(names))
            if all(topic["partitions"] and all(part["leader"] >= 0 for part in topic["partitions"]) for topic in described):
                return
            await asyncio.sleep(0.1)


async def look(kafka: Kafka, topics: Iterable[tuple[Topic, int]]) -> list[Found]:
    """Find every topic of the catalogue at the broker."""
    admin = await connected(kafka)
    try:
        wanted_topics = list(topics)
        present = set(await admin.list_topics()) & {topic.name for topic, _ in wanted_topics}
        described = await admin.describe_topics(sorted(present)) if present else []
        partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
        configs = await _configs(admin, present)
        return [Found(topic, count, partitions.get(topic.name, 0), configs.get(topic.name, {})) for topic, count in wanted_topics]
    finally:
        await admin.close()


async def _configs(admin: AIOKafkaAdminClient, names: set[str]) -> dict[str, dict[str, str]]:
    if not names:
        return {}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(names)])
    return {resource[3]: {entry[0]: entry[1] for entry in resource[4]} for answer in answers for resource in answer.resources}
