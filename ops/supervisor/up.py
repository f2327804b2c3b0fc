"""Starting everything in order, watching it, and ending it."""

import asyncio
import contextlib
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import aiohttp
import asyncpg
from aiokafka.errors import KafkaError

from ops import topics
from ops.config import Config
from ops.data import Data, Ready
from ops.embedded import EmbeddedError
from ops.supervisor.role import Role, stopped
from ops.supervisor.servers import Servers
from sinks.postgres.migrate import MigrationError, migrate

log = logging.getLogger("lockstep.up")

ROLES = ("connect", "stream", "sink", "board")
POLL = "poll"  # where some shop has `pull:`
LOOK_SECONDS = 0.2
SAY_SECONDS = 60.0
ROLE_SECONDS = 8.0  # together with the servers' below the end stays within 15 s
SERVER_SECONDS = 4.0
AWAY = (EmbeddedError, KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Refused(RuntimeError):
    """It cannot start as it is configured; says why."""


async def up(config: Config, data: Data, ready_files: tuple[Path, ...] = ()) -> None:
    """Run everything until SIGTERM or SIGINT.

    Raises:
        InUse: another one runs on this data.
        Refused: a role does not accept the configuration.
        EmbeddedError, KafkaError, OSError: a server does not start, or does not answer.
    """
    data.take()
    if config.file:
        data.remember_config(config.file)
    ending = asyncio.Event()
    try:
        with _ending_on_signals(ending):
            await _Up(config, data, (data.ready_file, *ready_files)).run(ending)
    finally:
        data.give_back()


@contextlib.contextmanager
def _ending_on_signals(ending: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ending.set)
    try:
        yield
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


class _Up:
    def __init__(self, config: Config, data: Data, ready_files: tuple[Path, ...]) -> None:
        self._config, self._data, self._ready_files = config, data, ready_files
        self._servers = Servers(config, data)
        self._roles: list[Role] = []
        self._token = config.token or data.token()
        self._written: Ready | None = None
        self._said = time.monotonic()

    async def run(self, ending: asyncio.Event) -> None:
        """Start, watch until asked to end, and end whatever has started."""
        self._forget_ready()
        watching = asyncio.create_task(self._start_and_watch())
        asked = asyncio.create_task(ending.wait())
        try:
            await asyncio.wait({watching, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            asked.cancel()
            watching.cancel()
            failed = (await asyncio.gather(watching, return_exceptions=True))[0]
            await self._stop()
        if isinstance(failed, Exception):
            raise failed

    async def _start_and_watch(self) -> None:
        await self._start()
        async with aiohttp.ClientSession() as session:
            while True:
                self._revive_roles()
                await self._revive_servers()
                await self._say_ready(session)
                await asyncio.sleep(LOOK_SECONDS)

    async def _start(self) -> None:
        log.info("starting in %s", self._data.root)
        await self._servers.start()
        for remark in self._servers.remarks:
            log.info("%s", remark)
        for name, pid in self._servers.pids.items():
            log.info("%s runs, process %d", name, pid)
        await self._patiently("Kafka", self._make_topics)
        await self._patiently("PostgreSQL", self._migrate)
        self._roles = await self._make_roles()
        for role in self._roles:
            role.start()

    async def _patiently(self, server: str, work: Callable[[], Awaitable[None]]) -> None:
        """A configured server that is away is waited for, and said once a minute; an embedded one must answer."""
        said = -SAY_SECONDS
        while True:
            try:
                return await work()
            except AWAY as error:
                if not (self._config.kafka if server == "Kafka" else self._config.postgres):
                    raise
                if time.monotonic() - said > SAY_SECONDS:
                    said = time.monotonic()
                    log.warning("waiting for %s: %s", server, str(error) or repr(error))
            await asyncio.sleep(1)

    async def _make_topics(self) -> None:
        if made := await topics.create(self._servers.kafka, topics.wanted(self._config.channels, self._config.partitions)):
            log.info("made %d topics", len(made))

    async def _migrate(self) -> None:
        try:
            if done := await migrate(self._servers.dsn):
                log.info("migrated the database: %s", ", ".join(done))
        except MigrationError as error:
            raise Refused(str(error)) from error

    async def _make_roles(self) -> list[Role]:
        names = (*ROLES, POLL) if self._config.pulls else ROLES
        ports = await self._data.ports(tuple(name for name in names if not self._configured_port(name)))
        environment = {
            "LOCKSTEP_KAFKA__SERVERS": self._servers.kafka.servers,
            "LOCKSTEP_POSTGRES__DSN": self._servers.dsn,
            "LOCKSTEP_BOARD__TOKEN": self._token,
        }
        roles = []
        for name in names:
            port = self._configured_port(name) or ports[name]
            arguments = [
                name,
                "--config",
                str(self._config.file),
                "--data",
                str(self._data.root),
                f"--port={port}",
                f"--instance={self._data.instance}",
            ]
            roles.append(Role(name, arguments, f"http://{self._host(name)}:{port}", environment, self._data.logs / f"{name}.log"))
        return roles

    def _configured_port(self, name: str) -> int:
        return {"connect": self._config.connect.port, "board": self._config.board.port}.get(name, 0)

    def _host(self, name: str) -> str:
        host = {"connect": self._config.connect.host, "board": self._config.board.host}.get(name, "127.0.0.1")
        return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else host  # noqa: S104 - asked on loopback, not opened here

    def _revive_roles(self) -> None:
        for role in self._roles:
            if role.hopeless:
                raise Refused(f"{role.name} refuses its configuration: {role.log.last_lines(5)}")
            if said := role.restart_when_due():
                log.warning("%s", said)

    async def _revive_servers(self) -> None:
        """A server that cannot be started again is tried again: the roles wait meanwhile."""
        try:
            for name in await self._servers.revive():
                log.warning("%s had ended and was started again", name)
        except AWAY as error:
            log.error("cannot start a server again, trying on: %s", error)  # noqa: TRY400 - one line for a person
            await asyncio.sleep(1)

    async def _say_ready(self, session: aiohttp.ClientSession) -> None:
        """Write the ready file when all answer and something has changed; once a minute, say what is waited for."""
        pids = {**self._servers.pids, **{role.name: role.pid for role in self._roles if role.pid}}
        if self._written and self._written.pids == pids:
            self._said = time.monotonic()
            return
        answers = await asyncio.gather(*(role.ready(session) for role in self._roles))
        if all(answers):
            self._write_ready(pids)
        elif time.monotonic() - self._said > SAY_SECONDS:
            self._said = time.monotonic()
            late = [f"{role.name} (log: {role.log.file})" for role, ready in zip(self._roles, answers, strict=True) if not ready]
            log.warning("still waiting for %s", ", ".join(late))

    def _write_ready(self, pids: dict[str, int]) -> None:
        urls = {role.name: role.url for role in self._roles}
        ready = Ready(self._servers.kafka.servers, self._servers.dsn, urls["connect"], urls["board"], pids, self._token)
        ready.write(*self._ready_files)
        first, self._written = self._written is None, ready
        if first:
            log.info("ready: push to %s/hooks/…, look at %s", ready.connect, ready.board)
        else:
            log.info("ready again")

    def _forget_ready(self) -> None:
        for file in self._ready_files:
            file.unlink(missing_ok=True)

    async def _stop(self) -> None:
        self._forget_ready()
        log.info("ending")
        for name in await stopped(self._roles, ROLE_SECONDS):
            log.warning("%s did not end within %g s and was killed", name, ROLE_SECONDS)
        await self._servers.stop(SERVER_SECONDS)
        for role in self._roles:
            role.log.close()
        log.info("ended")
