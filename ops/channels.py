"""Pausing and resuming a channel: a person's command as a record on `channel.finding`."""

import secrets
import time

from aiokafka import AIOKafkaProducer

from ops.config import Kafka
from schemas import codec, topics
from schemas.headers import cloudevent
from schemas.records import ChannelFinding

PAUSE, RESUME = "pause", "resume"
BY_COMMAND_LINE, BY_BOARD = "command line", "board"


async def started(kafka: Kafka) -> AIOKafkaProducer:
    """Open a producer for commands."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.servers, acks="all", enable_idempotence=True, request_timeout_ms=5000, **kafka.security.client()
    )
    try:
        await producer.start()
    except BaseException:
        await producer.stop()
        raise
    return producer


async def command(producer: AIOKafkaProducer, channel: str, kind: str, *, by: str, why: str | None) -> str:
    """Publish a pause or a resume; return its id when Kafka has it."""
    at = round(time.time() * 1000)
    finding = ChannelFinding(finding_id=f"{kind}:{channel}:{secrets.token_hex(8)}", channel=channel, kind=kind, at=at, detail=why, by=by)
    headers = cloudevent("ChannelFinding", finding.finding_id, "lockstep", channel, at)
    await producer.send_and_wait(topics.CHANNEL_FINDING, codec.encode(finding), key=channel.encode(), headers=headers)
    return finding.finding_id
