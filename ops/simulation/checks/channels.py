"""Channels: paused exactly when the limit is passed, resumed when a person says so; findings that follow from the facts."""

from collections.abc import Iterator

from ops.simulation import evidence
from ops.simulation.checks import ms, unlike
from ops.simulation.checks.orders import conflict_id
from ops.simulation.oracle import channels, pool
from ops.simulation.oracle import conflicts as expected_conflicts
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from sinks.postgres import tables as t


def controls(world: World, truth: Truth) -> Iterator[str]:
    """Every pause and resume, each once, with its reason and time; the newest is the channel's state."""
    expected = {}
    for channel, findings in evidence.findings(world.log).items():
        for control in channels.tell(findings, world.plan.shape.max_conflicts):
            expected[channel, control.seq] = (control.action, control.reason, control.since)
    found = {(row["channel"], row["seq"]): (row["action"], row["reason"], ms(row["since"])) for row in world.tables.all(t.CHANNEL_HISTORY)}
    yield from unlike("control", expected, found)
    newest = {channel: max(seq for name, seq in expected if name == channel) for channel, _ in expected}
    yield from unlike("newest control of", newest, {row["channel"]: row["seq"] for row in world.tables.all(t.CHANNEL_STATE)})


def findings(world: World, truth: Truth) -> Iterator[str]:
    """What the channels count follows from the facts of the orders: nothing more, nothing less."""
    expected: dict[str, int] = {}
    for key, story in truth.stories.items():
        for each in expected_conflicts.all_of(story):
            expected[f"conflict:{conflict_id(key, each.kind, each.system)}"] = each.opened
        jumped = [one.fact for one in story.entries if one.jump]
        if len(jumped) > world.plan.shape.max_jumps:
            expected[f"order_jumps:{key}"] = jumped[world.plan.shape.max_jumps].received
        due = pool.tell(story)
        if due.paid:
            expected[f"paid:{key}"] = due.paid.received
        if due.paid and due.ruling and due.ruling[0] == "filter":
            expected[f"filtered:{key}"] = due.paid.received
    told = [each for found in evidence.findings(world.log).values() for each in found if each.kind not in {"pause", "resume"}]
    yield from unlike("finding", expected, {each.finding_id: each.at for each in told})
