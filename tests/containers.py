"""Kafka and PostgreSQL in containers, for machines with a Docker engine."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from testcontainers.core.container import DockerContainer
from testcontainers.postgres import PostgresContainer

from ops.embedded.process import free_ports

KAFKA_IMAGE = "apache/kafka:4.4.0"
POSTGRES_IMAGE = "postgres:18.6"
STARTUP_SECONDS = 90
# Any KAFKA_ variable replaces the image's whole default configuration, so it is all here.
KAFKA = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:29093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_INTER_BROKER_LISTENER_NAME": "INTERNAL",
    "KAFKA_LISTENERS": "CONTROLLER://:29093,OUTSIDE://:9092,INTERNAL://:19092",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,OUTSIDE:PLAINTEXT,INTERNAL:PLAINTEXT",
    "KAFKA_AUTO_CREATE_TOPICS_ENABLE": "false",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR": "1",
    "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR": "1",
    "KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS": "0",
}


@contextmanager
def kafka() -> Iterator[str]:
    """One KRaft node; the port is chosen beforehand, since Kafka tells it to its clients."""
    port = free_ports(1)[0]
    container = DockerContainer(KAFKA_IMAGE).with_bind_ports(9092, port)
    listeners = f"OUTSIDE://127.0.0.1:{port},INTERNAL://localhost:19092"
    for name, value in {**KAFKA, "KAFKA_ADVERTISED_LISTENERS": listeners}.items():
        container = container.with_env(name, value)
    with container:
        bootstrap = f"127.0.0.1:{port}"
        asyncio.run(_until_ready(bootstrap))
        yield bootstrap


async def _until_ready(bootstrap: str) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=5000)
        try:
            await admin.start()
            if (await admin.describe_cluster())["brokers"]:
                return
        except KafkaError:
            if time.monotonic() > deadline:
                raise
        finally:
            await admin.close()
        await asyncio.sleep(0.2)


@contextmanager
def postgres() -> Iterator[str]:
    """One server that gives up fsync, as the embedded one of the tests does."""
    container = PostgresContainer(POSTGRES_IMAGE, driver=None).with_command("-c fsync=off -c synchronous_commit=off")
    with container as server:
        yield str(server.get_connection_url())
