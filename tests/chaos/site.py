"""The installation that the rows disturb: real roles on real servers, their networks through proxies, and an oracle."""

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from aiokafka.admin import AIOKafkaAdminClient

from ops import topics as topic_tools
from ops.bench.pipeline.load import Load
from ops.bench.pipeline.rig import Process, Rig
from ops.chaos.kafka import ProxiedKafka
from ops.chaos.proxy import Proxy
from ops.config import Kafka, load
from ops.embedded import EmbeddedKafka, EmbeddedPostgres
from ops.embedded.process import free_ports
from ops.installation import SINK_GROUP, STREAM_GROUP
from ops.reports import accounting, audit
from ops.simulator import normal
from ops.simulator.day import MINUTE, Day, Finding
from ops.simulator.facts import Order, Say
from sinks.postgres.migrate import migrate
from tests.chaos.report import Row
from tests.integration.pipeline.stage import Stage
from tests.integration.pipeline.torture import Torture, a_day, check, duplicates
from tests.integration.sinks.bot import DINGTALK_SECRET, DINGTALK_TOKEN

CONFIG: Final = """\
merchant: chaos
shops:
  - {{source: generic, channel: web, shop: s1, secret: "plain:web", systems: [erp, wms]}}
  - {{source: generic, channel: edge, shop: s2, secret: "plain:edge", systems: [erp, wms]}}
systems:
  - {{source: generic, name: erp, kind: erp, shop: e1, secret: "plain:erp"}}
  - {{source: generic, name: wms, kind: wms, shop: w1, secret: "plain:wms"}}
couriers:
  - {{source: generic, courier: zto, shop: z1, secret: "plain:zto"}}
  - {{source: generic, courier: yto, shop: y1, secret: "plain:yto"}}
  - {{source: generic, courier: sf, shop: f1, secret: "plain:sf"}}
bots:
  - {{name: ding, kind: dingtalk, base_url: "http://127.0.0.1:{bot}", token: "plain:{token}", secret: "plain:{secret}"}}
policy:
  conflicts: {{max_per_day: 100000}}
  stall: {{quiet_hours: off}}
{more}"""
_numbers = itertools.count(1)
CHECKS: Final = 6
LIVES: Final = 90.0  # seconds until a fresh order must be there
ROLES: Final = ("stream", "sink")


@dataclass
class Site(Stage):
    """A stage whose roles talk to Kafka and Postgres through proxies. The test itself goes straight."""

    kafka_proxy: Proxy | None = None
    postgres_proxy: Proxy | None = None
    bot_port: int = 0
    base: "dict[str, Process]" = field(default_factory=dict)  # by role, kept over rows
    disturbed: bool = False  # until a row has held

    @property
    def network(self) -> tuple[Proxy, Proxy]:
        """The proxies in front of Kafka and Postgres."""
        assert self.kafka_proxy
        assert self.postgres_proxy
        return self.kafka_proxy, self.postgres_proxy

    # -- roles

    @property
    def outside(self) -> Rig:
        """Roles started by it go through the proxies."""
        if not self.kafka_proxy or not self.postgres_proxy:
            return self.rig
        there = urlsplit(self.postgres.dsn)
        dsn = urlunsplit(there._replace(netloc=f"{there.netloc.rpartition(':')[0]}:{self.postgres_proxy.port}"))
        return replace(self.rig, kafka=f"127.0.0.1:{self.kafka_proxy.port}", dsn=dsn)

    async def roles(self, *names: str) -> list[Process]:
        """These roles (stream and sink unless named), started if they do not live; ready."""
        for name in names or ROLES:
            if (known := self.base.get(name)) is None or known.popen.poll() is not None:
                self.base[name] = self.outside.start(name)
        found = [self.base[name] for name in names or ROLES]
        await self.rig.ready(*found)
        return found

    def start(self, role: str, instance: str = "1") -> Process:
        """Start a role; instance 1 is the one that goes on into the next row."""
        made = self.outside.start(role, instance)
        if instance == "1":
            self.base[role] = made
        return made

    async def stop(self, *roles: str) -> None:
        """End base roles as an operator does."""
        for name in roles or ROLES:
            if (known := self.base.pop(name, None)) and known.popen.poll() is None:
                await self.rig.stop(known)

    async def begin(self) -> None:
        """A row begins: what it sends is compared alone."""
        self.heal()
        if self.disturbed:  # a row failed: its facts must not be counted as this one's
            await self.roles()
            await self.settled()
        self.records, self.disturbed = [], True

    async def finish(self) -> None:
        """A row ends: its guests end."""
        self.heal()
        kept = {process.popen.pid for process in self.base.values()}
        for process in self.rig.processes.values():
            if process.popen.poll() is None and process.popen.pid not in kept:
                await self.rig.kill(process)

    def heal(self) -> None:
        """Good networks from now on."""
        for proxy in filter(None, (self.kafka_proxy, self.postgres_proxy)):
            proxy.heal()

    async def down(self) -> None:
        """End everything."""
        await self.rig.end()
        await asyncio.gather(self.kafka.stop(), self.postgres.stop())
        self.postgres.remove()

    # -- what must hold

    async def day(self, orders: int, seed: int) -> "Given":
        """Facts of so many orders, with jumps, conflicts, late and repeated ones."""
        return Given(self, await duplicates(self), a_day(orders, seed))

    async def fresh(self, row: Row | None = None, *, since: float | None = None, channel: str = "web") -> Order:
        """A fresh order is released in Postgres. Its time from `since` (monotonic; else now) is the row's recovery."""
        began = time.monotonic() if since is None else since
        shop = {"web": "s1", "edge": "s2"}[channel]
        number = next(_numbers)
        day = Day(number, int(time.time() * 1000), {channel: shop})
        day._run = f"0{number:07d}"  # by default the second: a row's day and its fresh order may share it
        order = day.order(channel)
        normal.paid(day, order, day.ago(minutes=4))
        await self.send([said for said in day.phase.says if isinstance(said, Say)])
        give_up = time.monotonic() + LIVES
        async with self.database() as connection:
            while not await connection.fetchval("SELECT released FROM lockstep.orders WHERE order_key = $1", order.key):
                assert time.monotonic() < give_up, f"the fresh order {order.key} was not released within {LIVES:.0f} s"
                await asyncio.sleep(0.05)
        if row:
            row.recovered(time.monotonic() - began)
        return order

    async def books(self, row: Row) -> None:
        """Audit chains verify, and both identities of the accounts balance."""
        verdict = await audit.verify(self.postgres.dsn)
        assert not verdict.broken, f"broken audit chains: {verdict.broken[:3]}"
        place = accounting.Place(self.rig.kafka, {}, self.config.channels, STREAM_GROUP, SINK_GROUP)
        accounts = await accounting.take(self.postgres.dsn, place)
        assert accounts.settled, "the pipeline does not rest"
        assert accounts.balanced, f"unbalanced: {accounts}"
        row.holds("audit chains verify, accounts balance")
        self.disturbed = False

    async def until(self, holds: Callable[[], Any], seconds: float, what: str = "") -> float:
        """Wait until something holds (a function or a coroutine function); how long that took."""
        began = time.monotonic()
        while True:
            answer = holds()
            if await answer if asyncio.iscoroutine(answer) else answer:
                return time.monotonic() - began
            assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
            await asyncio.sleep(0.05)

    async def count(self, query: str, *arguments: Any) -> int:
        """One number from Postgres."""
        async with self.database() as connection:
            return int(await connection.fetchval(query, *arguments))

    async def clear_alerts(self) -> None:
        """What earlier rows left for the bot counts as sent, and the bot has done nothing wrong."""
        async with self.database() as connection:
            await connection.execute("UPDATE lockstep.alerts SET status = 'sent' WHERE status <> 'sent'")
            reset = "paused_until = NULL, failures = 0, state = 'ok', recent = '{}'"
            await connection.execute(f"UPDATE lockstep.alert_targets SET {reset}")

    async def until_counted(self) -> None:
        """The sink has counted every raw event that was sent."""

        async def counted() -> bool:
            return await self.count("SELECT coalesce(sum(n), 0) FROM lockstep.raw_counts") == self.sent

        await self.until(counted, 60, "the sink counts all raw events")

    async def forgive(self, source: str, lost: dict[tuple[str, int], int]) -> None:
        """Take what a row has destroyed, by topic and partition, out of the books, so that the next row's balance again."""
        async with self.database() as connection:
            for (topic, partition), count in lost.items():
                query = "UPDATE lockstep.raw_counts SET n = n - $4 WHERE topic = $1 AND partition = $2 AND source = $3"
                await connection.execute(query, topic, partition, source, count)
                self.sent -= count
        self.disturbed = False

    def log(self, *roles: str) -> str:
        """What roles said, all of their lives; `stream-1` …"""
        return "".join(file.read_text(errors="replace") for role in roles if (file := self.rig.folder / f"{role}.log").exists())


@dataclass
class Given:
    """A day's facts of one row, sent in parts, and compared with an undisturbed run in the end."""

    site: Site
    doubled: Counter[Finding]
    torture: Torture
    _left: list[Say] = field(init=False)

    def __post_init__(self) -> None:
        self._left = list(self.torture.says)

    async def send(self, share: float = 1.0) -> None:
        """Send a share of all facts, in order; 1.0: all that is left."""
        count = len(self._left) if share >= 1.0 else round(len(self.torture.says) * share)
        part, self._left = self._left[:count], self._left[count:]
        await self.site.send(part)

    async def holds(self, row: Row) -> None:
        """Everything is written, the tables are those of an undisturbed run, the books balance."""
        for left in reversed(range(CHECKS)):
            await self.site.settled(*self.site.base.values())
            try:
                await check(self.site, self.torture, self.doubled)
                break
            except AssertionError:  # a deadline that is judged late on a busy machine; what should not be there stays
                if not left:
                    raise
                await asyncio.sleep(3)
        row.holds(f"tables of {len(self.torture.says):,} facts equal an undisturbed run")
        await self.site.books(row)


@contextmanager
def installation(kafka: Callable[[Path], EmbeddedKafka] | None = None) -> Iterator[Site]:
    """`built` in a folder of its own, ended and removed afterwards; `kafka` makes the servers in a folder."""
    folder = Path(tempfile.mkdtemp(prefix="lockstep-chaos-"))
    folder.chmod(0o755)
    with built(folder, kafka=kafka(folder / "kafka") if kafka else None) as site:
        yield site
        asyncio.run(site.down())
    if not os.environ.get("LOCKSTEP_CHAOS_KEEP"):  # for whoever wants to read the roles' logs afterwards
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def built(folder: Path, *, more: str = "", kafka: EmbeddedKafka | None = None) -> Iterator[Site]:
    """Start the servers, make topics and tables. A `kafka` that is given has no proxy."""
    bot = free_ports(1)[0]
    file = folder / "lockstep.yaml"
    file.write_text(CONFIG.format(bot=bot, token=DINGTALK_TOKEN, secret=DINGTALK_SECRET, more=more), encoding="utf-8")
    config = load(file)
    postgres = EmbeddedPostgres(folder / "postgres", durable=False)
    port = urlsplit(postgres.dsn).port
    assert port
    server = kafka or ProxiedKafka(folder / "kafka")
    with Proxy(port) as postgres_proxy:
        if isinstance(server, ProxiedKafka):
            server.__enter__()
        asyncio.run(_start(server, postgres, config.channels, config.partitions, 1 if kafka is None else 3))
        rig = Rig(folder, file, server.bootstrap, postgres.dsn)
        proxy = server.proxy if isinstance(server, ProxiedKafka) else None
        try:
            yield Site(config, server, postgres, rig, Load(config.shops), kafka_proxy=proxy, postgres_proxy=postgres_proxy, bot_port=bot)
        finally:
            if isinstance(server, ProxiedKafka):
                server.__exit__()


async def _start(kafka: EmbeddedKafka, postgres: EmbeddedPostgres, channels: Sequence[str], partitions: int, copies: int) -> None:
    await asyncio.gather(kafka.start(), postgres.start())
    wanted = topic_tools.wanted(channels, partitions)
    await topic_tools.create(Kafka(kafka.bootstrap, replication=copies), wanted)
    await migrate(postgres.dsn)


async def admin(kafka: str) -> AIOKafkaAdminClient:
    """An admin client, started."""
    client = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await client.start()
    return client


__all__ = ["MINUTE", "Given", "Site", "admin", "built"]
