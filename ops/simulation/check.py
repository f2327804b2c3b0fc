"""Whether a run has left what the oracle expects. Each check says what is wrong in a line; none says that all is well."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ops.simulation import evidence
from ops.simulation.checks import alerts, channels, counting, orders, parcels, release
from ops.simulation.oracle import truth
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World

CHECKS: tuple[tuple[str, Callable[[World, Truth], Iterator[str]]], ...] = (
    ("facts", counting.facts),
    ("dead letters", counting.dead),
    ("accounting", counting.identities),
    ("orders", orders.states),
    ("sources", orders.sources),
    ("audit", orders.audit),
    ("jumps", orders.jumps),
    ("conflicts", orders.conflicts),
    ("pool", release.histories),
    ("gates", release.gates),
    ("channels", channels.controls),
    ("findings", channels.findings),
    ("parcels", parcels.states),
    ("stalls", parcels.stalls),
    ("alerts", alerts.rows),
    ("outbox", alerts.delivered),
    ("liveness", counting.liveness),
)


@dataclass(frozen=True)
class Problem:
    """One thing that is not as it must be."""

    check: str
    text: str


def judge(world: World) -> list[Problem]:
    """Everything that is wrong with a run."""
    told = truth.tell(evidence.raw_events(world.log), evidence.readings(world.log), world.end)
    found = [Problem("ticks", error) for error in world.errors]
    for name, check in CHECKS:
        found += [Problem(name, text) for text in check(world, told)]
    return found
