"""Clocks: of PostgreSQL, of the roles' machines, and what Kafka's newest records say. Deadlines and signatures stand on them."""

import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final

from ops import sql
from ops.doctor import lag
from ops.doctor import roles as role_look
from ops.doctor.finding import Finding, bad, good, note
from ops.doctor.site import Site
from schemas import topics

WRONG: Final = 30.0  # seconds: half of the grace that a deadline has, a tenth of what a signature may be off
OFF: Final = 3.0
SET: Final = "let NTP (chrony, systemd-timesyncd) set the clocks of both machines"


@dataclass(frozen=True)
class Clock:
    """How far a clock is ahead of ours, in seconds; `one_sided`: only what is ahead says anything."""

    of: str
    ahead: float
    one_sided: bool = False


def judge(clocks: list[Clock]) -> list[Finding]:
    """Some seconds are worth knowing, half a minute makes false conflicts and refused pushes."""
    found = []
    for clock in clocks:
        off = clock.ahead if clock.one_sided else abs(clock.ahead)
        text = f"{clock.of} is {abs(clock.ahead):.1f} s {'ahead of' if clock.ahead > 0 else 'behind'} this machine's clock"
        if off > WRONG:
            found.append(bad("clock", text, SET))
        elif off > OFF:
            found.append(note("clock", text, SET))
        else:
            found.append(good("clock", f"{clock.of}: {'not ahead' if clock.one_sided else f'within {max(off, 0.1):.1f} s'}"))
    return found


async def postgres(site: Site) -> list[Finding]:
    """Its own clock, half of the way there and back taken off."""
    async with sql.connected(site.dsn) as connection:
        began = time.time()
        there = float(await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())"))
        return judge([Clock("PostgreSQL", there - (began + time.time()) / 2)])


async def kafka(site: Site) -> list[Finding]:
    """Brokers do not tell their time: the newest observations carry the clock of who wrote them."""
    newest = await lag.newest(site, [topics.ORDER_OBSERVATION])
    if newest is None:
        return [note("clock", "Kafka has no record yet whose time could be compared")]
    return judge([Clock("the newest record in Kafka", newest / 1000 - time.time(), one_sided=True)])


async def roles(site: Site) -> list[Finding]:
    """HTTP answers have a date, to the second."""
    found = []
    for role in await role_look.asked(site):
        if role.date:
            there = parsedate_to_datetime(role.date).timestamp() + 0.5
            found.append(Clock(f"{role.name}'s machine", there - time.time()))
    return judge(found)
