"""Looks at an installation from outside: this machine, the configuration, the servers, the roles, what waits for people."""

import asyncio
import platform
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import aiohttp
import asyncpg
from aiokafka.errors import KafkaError

from ops import sql, topics
from ops.check import problems
from ops.config.problems import ConfigError
from ops.data import Data
from ops.installation import Installation, config_file, find
from ops.usage import UsageError

LOW_BYTES = 2 << 30
SECONDS = 10.0
AWAY = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
WAITING = """
SELECT (SELECT count(*) FROM lockstep.dead_letters WHERE stage = 'stream' AND replay_of IS NULL) AS dead,
       (SELECT count(*) FROM lockstep.alerts WHERE status = 'failed') AS failed,
       (SELECT count(*) FROM lockstep.alerts WHERE status = 'pending' AND due_at < now() - interval '5 minutes') AS late,
       (SELECT count(*) FROM lockstep.channel_state WHERE state = 'paused') AS paused,
       (SELECT count(*) FROM lockstep.conflicts WHERE state = 'opened') AS conflicts"""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: Literal["good", "bad", "note"]
    text: str
    advice: str = ""


async def examine(file: Path | None, folder: Path) -> list[Finding]:
    """Look at everything; what is away is a finding, never an error."""
    found = [_python(), *_disk(folder)]
    try:
        chosen = config_file(file, Data(folder))
        found.append(_configuration(chosen))
        place = find(file, folder)
    except (ConfigError, UsageError) as error:
        return [*found, Finding("configuration", "bad", str(error), "mend it; `lockstep check` shows every problem")]
    found += [await _kafka(place), await _postgres(place)]
    found += [each async for each in _roles(place.data)]
    return found


def _python() -> Finding:
    return Finding("Python", "good", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def _disk(folder: Path) -> list[Finding]:
    place = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / (1 << 30):.1f} GiB free at {place}"
    return [
        Finding("disk", "bad", text, "make room: Kafka and PostgreSQL stop when it is full")
        if free < LOW_BYTES
        else Finding("disk", "good", text)
    ]


def _configuration(file: Path) -> Finding:
    if not file.exists():
        return Finding("configuration", "note", f"there is no {file}", "begin with ops/lockstep.example.yaml, or run `lockstep demo`")
    errors = [problem for problem in problems(file) if not problem.warning]
    if errors:
        return Finding("configuration", "bad", f"{len(errors)} errors; the first: {errors[0]}", "`lockstep check` shows them all")
    return Finding("configuration", "good", str(file))


async def _kafka(place: Installation) -> Finding:
    if place.kafka is None:
        return Finding("Kafka", "note", "none is known: `lockstep up` does not run here", "start `lockstep up`")
    channels, partitions = (place.channels, place.model.partitions) if place.model else ((), 4)
    try:
        async with asyncio.timeout(SECONDS):
            seen = await topics.look(place.kafka, topics.wanted(channels, partitions))
    except AWAY as error:
        return Finding("Kafka", "bad", f"{place.kafka.servers} does not answer: {error!r}", "is it running? is the address right?")
    wrong = [f"{item.topic.name}: {item.differences[0]}" for item in seen if item.differences]
    if wrong:
        return Finding(
            "Kafka", "bad", f"{len(wrong)} topics are not as the catalogue says; the first: {wrong[0]}", "`lockstep topics list`"
        )
    return Finding("Kafka", "good", f"{place.kafka.servers}, {len(seen)} topics")


async def _postgres(place: Installation) -> Finding:
    if place.dsn is None:
        return Finding("PostgreSQL", "note", "none is known: `lockstep up` does not run here", "start `lockstep up`")
    try:
        async with asyncio.timeout(SECONDS), sql.connected(place.dsn) as connection:
            waits = (await connection.fetch(WAITING))[0]
    except asyncpg.UndefinedTableError:
        return Finding("PostgreSQL", "bad", "it has no tables of Lockstep", "start `lockstep up` or the sink role: they make them")
    except AWAY as error:
        return Finding("PostgreSQL", "bad", f"does not answer: {error!r}", "is it running? is the DSN right?")
    counts = f"{waits['dead']} dead letters, {waits['paused']} paused channels, {waits['conflicts']} open conflicts"
    if waits["failed"] or waits["late"]:
        text = f"{counts}; {waits['failed']} alerts failed, {waits['late']} wait for more than 5 min"
        return Finding("PostgreSQL", "bad", text, "look at lockstep.alert_targets: is a bot's token wrong, or its platform away?")
    return Finding("PostgreSQL", "good", counts)


async def _roles(data: Data) -> AsyncIterator[Finding]:
    ready = data.ready()
    if ready is None:
        yield Finding("roles", "note", f"`lockstep up` does not run on {data.root}, or is not ready", f"logs: {data.logs}")
        return
    ports = data.known_ports()
    places = {"connect": ready.connect, "board": ready.board}
    places |= {name: f"http://127.0.0.1:{ports[name]}" for name in ("stream", "sink") if name in ports}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=3)) as session:
        for name, url in places.items():
            yield await _role(session, name, url, data)


async def _role(session: aiohttp.ClientSession, name: str, url: str, data: Data) -> Finding:
    try:
        async with session.get(f"{url}/readyz") as answer:
            if answer.status == 200:
                return Finding(name, "good", f"ready at {url}")
            text = (await answer.text()).strip()[:200]
    except (aiohttp.ClientError, TimeoutError) as error:
        text = repr(error)
    return Finding(name, "bad", f"not ready at {url}: {text}", f"log: {data.logs / f'{name}.log'}")
