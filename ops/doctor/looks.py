"""All looks at once, each within its time; what fails is a finding, never an error."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import asyncpg
from aiokafka.errors import KafkaError

from ops.config.problems import ConfigError
from ops.data import Data
from ops.doctor import accounts, bots, broker, clock, configuration, database, lag, machine, pollers, ports, roles, sources
from ops.doctor.finding import Finding, bad, note
from ops.doctor.site import LOOK_SECONDS, REACH_SECONDS, Site
from ops.installation import config_file, find
from ops.usage import UsageError

KAFKA, POSTGRES = "Kafka", "PostgreSQL"
AWAY: Final = (KafkaError, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
Look = Callable[[Site], Awaitable[list[Finding]]]


@dataclass(frozen=True)
class Check:
    """One look, and which servers must answer for it."""

    what: str
    look: Look
    needs: tuple[str, ...] = ()


CHECKS: Final = (
    Check("Python", machine.python),
    Check("packages", machine.packages),
    Check("disk", machine.disk),
    Check("configuration", configuration.configuration),
    Check("secrets", configuration.secrets),
    Check("mapping tables", configuration.mappings),
    Check("schemas", configuration.schemas),
    Check("ports", ports.look),
    Check("roles", roles.look),
    Check("clock", clock.roles),
    Check("Kafka", broker.cluster, (KAFKA,)),
    Check("topics", broker.topics, (KAFKA,)),
    Check("Kafka's disks", broker.disks, (KAFKA,)),
    Check("lag", lag.look, (KAFKA,)),
    Check("Kafka's clock", clock.kafka, (KAFKA,)),
    Check("pollers", pollers.look, (KAFKA,)),
    Check("PostgreSQL", database.server, (POSTGRES,)),
    Check("PostgreSQL's clock", clock.postgres, (POSTGRES,)),
    Check("migrations", database.migrations, (POSTGRES,)),
    Check("channels", database.channels, (POSTGRES,)),
    Check("alerts", database.alerts, (POSTGRES,)),
    Check("dead letters", database.dead, (POSTGRES,)),
    Check("sources", sources.look, (POSTGRES,)),
    Check("audit", database.audit, (POSTGRES,)),
    Check("accounting", accounts.look, (KAFKA, POSTGRES)),
    Check("bots", bots.look),
)
Doors = dict[str, "asyncio.Task[Finding | None]"]


async def examine(file: Path | None, folder: Path) -> list[Finding]:
    """Look at everything, in the order of CHECKS. Ends within 10 s, whatever is away."""
    try:
        chosen = config_file(file, Data(folder))
        place = find(file, folder)
    except (ConfigError, UsageError) as error:
        found = [*machine.judge_python(machine.version()), *machine.judge_disk(machine.free(folder))]
        return [*found, bad("configuration", str(error), "mend it; `lockstep check` shows every problem")]
    site = Site(place, chosen)
    doors: Doors = {KAFKA: asyncio.create_task(_kafka(site)), POSTGRES: asyncio.create_task(_postgres(site))}
    looked = await asyncio.gather(*(_looked(check, site, doors) for check in CHECKS))
    shut = [finding for door in doors.values() if (finding := door.result())]
    return [*shut, *(finding for each in looked for finding in each)]


async def _looked(check: Check, site: Site, doors: Doors) -> list[Finding]:
    """A look within its time. Nothing where a server that it needs does not answer: that is said once."""
    await asyncio.wait([*doors.values()])
    if any(doors[name].result() for name in check.needs):
        return []
    try:
        async with asyncio.timeout(LOOK_SECONDS):
            return await check.look(site)
    except TimeoutError:
        return [bad(check.what, f"could not be looked at within {LOOK_SECONDS:.0f} s", "a server is slow or overloaded: look again")]
    except asyncpg.UndefinedTableError:
        return [note(check.what, "there are no tables yet", "see migrations")]
    except Exception as error:  # noqa: BLE001 - whatever keeps us from looking is what a person must see, beside all other findings
        return [bad(check.what, f"could not be looked at: {_said(error, site)}", "is the server well, and this program as new as it?")]


async def _kafka(site: Site) -> Finding | None:
    if site.place.kafka is None:
        return note(KAFKA, "none is known: `lockstep up` does not run here", "start `lockstep up`, or set kafka.servers")
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await broker.reach(site)
    except AWAY as error:
        return bad(KAFKA, f"{site.place.kafka.servers} does not answer: {_said(error, site)}", "is it running? is the address right?")
    return None


async def _postgres(site: Site) -> Finding | None:
    if site.place.dsn is None:
        return note(POSTGRES, "none is known: `lockstep up` does not run here", "start `lockstep up`, or set postgres.dsn")
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await database.reach(site)
    except (*AWAY, ValueError) as error:  # ValueError: a DSN that is none
        return bad(POSTGRES, f"does not answer: {_said(error, site)}", "is it running? is the DSN right?")
    return None


def _said(error: Exception, site: Site) -> str:
    """An error in a line, without the password of a DSN that it may repeat."""
    text = f"{type(error).__name__} {error}".strip().splitlines()[0][:200]
    hidden = database.password(site.place.dsn)
    return text.replace(hidden, "…") if hidden else text
