"""Alerts: every one that is due has its rows, under one id each; every row is delivered, again only after a death between."""

from collections import Counter
from collections.abc import Iterator

from ops.simulation import evidence
from ops.simulation.checks.orders import conflict_id
from ops.simulation.oracle import channels, pool
from ops.simulation.oracle import conflicts as expected_conflicts
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from sinks.postgres import tables as t

BY_TIME = ("stall_sms", "stall_task", "stall_compensation", "unsigned_watch", "reader_stuck")  # depend on who looked when


def rows(world: World, truth: Truth) -> Iterator[str]:
    """The keys of all alerts that do not depend on when somebody looked; of those that do, none without its reason."""
    found = {row["alert_key"]: row for row in world.tables.all(t.ALERTS)}
    expected = _expected(world, truth)
    steady = {key for key, row in found.items() if row["kind"] not in BY_TIME}
    yield from (f"alert {key}: missing" for key in sorted(expected - steady))
    yield from (f"alert {key}: not expected" for key in sorted(steady - expected))
    due = {key for name, box in truth.boxes.items() for row in box.rows for key in [_stall_key(name, row[:3])]}
    for key, row in found.items():
        if row["kind"] in BY_TIME and row["kind"] != "reader_stuck" and key not in due:
            yield f"alert {key}: its tier never came due"
    targets = Counter((row["alert_key"], row["target"]) for row in world.tables.all(t.ALERTS))
    yield from (f"alert {name}: {n} ids" for name, n in targets.items() if n > 1)


def _stall_key(parcel: str, row: tuple[str, int, int]) -> str:
    kind, episode, tier = row
    name = "unsigned_watch" if kind == "unsigned" else BY_TIME[tier - 1]
    return f"{name}:{parcel}:{episode}"


def _expected(world: World, truth: Truth) -> set[str]:
    shape = world.plan.shape
    found: set[str] = set()
    for key, story in truth.stories.items():
        found |= {f"conflict_opened:{conflict_id(key, each.kind, each.system)}" for each in expected_conflicts.all_of(story)}
        if sum(one.jump is not None for one in story.entries) > shape.max_jumps:
            found.add(f"order_jumps:{key}")
        due = pool.tell(story)
        if due.paid and due.ruling and due.ruling[0] == "filter":
            found.add(f"filter_rate:{story.channel}:gifts:{channels.day_of(due.paid.received)}")
    for letter in truth.dead.values():
        if letter.reason == "unmapped_status":
            found.add(f"unmapped_status:{letter.source}:{letter.code}:{channels.day_of(letter.received)}")
    for channel, findings in evidence.findings(world.log).items():
        for control in channels.tell(findings, shape.max_conflicts):
            kind = "channel_paused" if control.action == "pause" else "channel_resumed"
            found.add(f"{kind}:{channel}:{control.seq}")
    for key, box in truth.boxes.items():
        found |= {f"held_parcel:{key}:{event_id}" for event_id in box.held}
        if box.risky:
            found.add(f"risk_review:{key}:returned_for_address")
    return found


def delivered(world: World, truth: Truth) -> Iterator[str]:
    """Nothing waits at the end; every row went out, unless it became obsolete; more often only after a death in between."""
    senders = world.senders
    sent = Counter(name for name, _, _ in senders.sent)
    for (name,) in world.tables.rows["alerts"]:
        letter = senders.letters.get(name)
        if letter is None or letter.status == "pending":
            yield f"alert {name} still waits"
        elif letter.status == "sent" and not sent[name]:
            yield f"alert {name} is marked sent, and nobody has got it"
    yield from (f"message about {name}, of which there is no row" for name in sent if (name,) not in world.tables.rows["alerts"])
    again = Counter(message for name, message, _ in {(name, message, at) for name, message, at in senders.sent if sent[name] > 1})
    deaths = senders.happened["sender crash before mark"]
    if max(sent.values(), default=1) > deaths + 1:
        yield f"an alert went out {max(sent.values())} times after {deaths} deaths: {again.most_common(1)}"
