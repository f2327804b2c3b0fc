"""A day that tortures, and whether the tables came through it."""

import time
from collections import Counter
from dataclasses import dataclass

from ops.simulator import faults, found, jumps, normal, parcels
from ops.simulator.day import Day, Finding
from ops.simulator.facts import Say
from tests.integration.pipeline.stage import Stage


@dataclass(frozen=True)
class Torture:
    """Facts with faults, what must be found because of them, and what must have been taken in."""

    says: list[Say]
    expected: Counter[Finding]
    facts: Counter[tuple[str, str, str, str]]  # order or parcel, source, axis, status: once each, however often delivered
    marker: str  # part of every order's number


def a_day(orders: int, seed: int) -> Torture:
    """About so many orders, most of them well, with jumps, late and repeated facts, conflicts without a deadline, stalls."""
    now = int(time.time() * 1000)
    day = Day(seed, now, {"web": "s1"})
    for _ in range(3):
        jumps.regression(day, "web")
        jumps.flap(day, "web")
        jumps.late_channel(day, "web")
        jumps.late_erp(day, "web")
        parcels.stalled(day, 2)
    for kind in faults.IMMEDIATE:  # few: all days together must not pause the channel
        faults.FAULTS[kind](day, "web")
    while day.phase.orders < orders:
        day.random.choice((normal.in_work, normal.on_its_way, normal.delivered, normal.refunded))(day)
    facts = [said for said in day.phase.says if isinstance(said, Say)]
    for said in day.random.sample(facts, 50):
        day.repeat(said)
    told = Counter(
        (said.order.parcel_key if said.axis == "parcel" else said.order.key, said.speaker, said.axis, said.status) for said in facts
    )
    says = sorted((said for said in day.phase.says if isinstance(said, Say)), key=lambda said: said.play)
    return Torture(says, day.phase.expected, told, f"{now // 1000 % 10**8:08d}")


async def check(stage: Stage, torture: Torture, doubled_before: Counter[Finding]) -> None:
    """The tables hold each fact once, exactly the planted findings, and orders as an undisturbed run leaves them."""
    async with stage.database() as connection:
        facts = Counter(
            {
                tuple(row)[:4]: row["n"]
                for row in await connection.fetch(
                    "SELECT order_key, source, axis, to_status, count(*) AS n FROM lockstep.audit WHERE NOT derived GROUP BY 1, 2, 3, 4"
                    " UNION ALL SELECT parcel_key, source, 'parcel', status, count(*) FROM lockstep.parcel_events"
                    " WHERE kind = 'node' GROUP BY 1, 2, 4"
                )
                if torture.marker in row[0]
            }
        )
        gaps = await connection.fetch(
            "SELECT order_key FROM lockstep.audit GROUP BY order_key HAVING count(*) <> max(seq) OR min(seq) <> 1"
        )
        bag = await found.found(connection)
    assert facts == torture.facts, (list((facts - torture.facts).items())[:5], list((torture.facts - facts).items())[:5])
    assert not gaps, f"audit chains with gaps: {gaps[:3]}"
    own = Counter({key: n for key, n in bag.items() if torture.marker in key[1]})
    own += Counter({key: n for key, n in (bag - doubled_before).items() if key[0] == "duplicate"})
    assert own == torture.expected, f"not planted: {own - torture.expected}, missing: {torture.expected - own}"
    disturbed, undisturbed = await stage.orders(), stage.undisturbed()
    own_keys = {key for key in disturbed.keys() | undisturbed.keys() if torture.marker in key}
    assert {key: disturbed.get(key) for key in own_keys} == {key: undisturbed.get(key) for key in own_keys}


async def duplicates(stage: Stage) -> Counter[Finding]:
    """Counted so far."""
    async with stage.database() as connection:
        bag = await found.found(connection)
    return Counter({key: n for key, n in bag.items() if key[0] == "duplicate"})
