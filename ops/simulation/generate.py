"""A seed becomes a plan."""

import json
from random import Random
from typing import Any, Final, Literal

from ops.simulation.plan import START, Command, Fault, FaultKind, Plan, Push, Shape
from ops.simulation.stories import Teller, Word
from ops.simulation.words import Post, iso
from streams.policy import DAY, HOUR, MINUTE, SECOND

EFFECTS: Final = ("", "outputs", "outputs", "state", "commit")
KINDS: Final[tuple[FaultKind, ...]] = (
    "crash", "crash", "crash", "crash", "rebalance", "rebalance", "down", "clock", "lag", "control_lag",
    "sink_crash", "sink_crash", "sink_zombie", "sink_rebalance", "sink_down", "sender_crash", "sender_crash", "bot",
)  # fmt: skip


def plan_of(seed: int, *, faults: bool = True) -> Plan:
    """All that this seed decides; without faults the same facts."""
    random = Random(f"plan {seed}")  # noqa: S311 (no secret)
    shape = _shape(random)
    post = Post(random)
    storm = random.random() < (0.12 if shape.max_conflicts > 3 else 0.35)
    begin = START + random.choice((0, 0, 5, 9, 13)) * HOUR
    orders = random.randint(1, 5)
    for number in range(orders):
        channel = random.choice(("web", "web", "shop2"))
        post.send(channel, f"A{number}", begin + random.randint(0, 90) * MINUTE, Teller(random, number, channel).tell())
    if storm:
        _storm(post, random, shape, begin)
    contest = _contest(post, random, begin) if random.random() < 0.25 else []
    pushes = sorted(post.pushes, key=lambda push: push.at)
    commands = sorted(_commands(random, pushes, storm=storm) + contest, key=lambda command: command.at)
    harm = _faults(Random(f"faults {seed}"), pushes, contest) if faults else []  # noqa: S311 (no secret)
    return Plan(seed=seed, shape=shape, pushes=pushes, commands=commands, faults=harm)


def _shape(random: Random) -> Shape:
    return Shape(
        partitions=random.choice((1, 2, 2, 3)),
        workers=random.choice((1, 2, 3)),
        batch=random.choice((1, 2, 4, 50)),
        depth=random.choice((1, 2, 2, 3)),
        max_conflicts=random.choice((1, 2, 3, 15, 15)),
        quiet=random.random() < 0.7,
        calm=random.choice((0.0, 0.8, 0.8, 0.9, 0.9)),
    )


def _storm(post: Post, random: Random, shape: Shape, begin: int) -> None:
    """Conflicts around the limit, then paid orders that find the gate shut, or do not."""
    at = begin + random.choice((0, 30, 13 * 60 + 50)) * MINUTE
    for number in range(shape.max_conflicts + random.choice((-1, 0, 1, 1, 2, 3))):
        words: list[Word] = [
            (0.0, "channel", "web", {"status": "Cancelled"}),
            (random.choice((1.0, 2.0)), "system", "erp", {"status": "Picking"}),
        ]
        post.send("web", f"S{number}", at + number * 40 * SECOND, words)
    for number in range(random.randint(2, 5)):
        paid: list[Any] = [
            (random.random() * 30, "channel", "web", {"status": "PaymentConfirmed", "payable_minor": 9900, "currency": "CNY"})
        ]
        if random.random() < 0.3:
            paid.append((45.0, "channel", "web", {"status": "Cancelled"}))
        post.send("web", f"P{number}", at + 20 * MINUTE, paid)


def _commands(random: Random, pushes: list[Push], *, storm: bool) -> list[Command]:
    commands: list[Command] = []
    for number in range(random.choice((0, 0, 0, 1, 2, 3)) + storm):
        at = random.choice(pushes).at + random.choice((1, 5 * SECOND, 10 * MINUTE))
        kind: Literal["pause", "resume"] = "resume" if random.random() < 0.6 else "pause"
        command = Command(at=at, channel=random.choice(("web", "web", "shop2")), kind=kind, finding_id=f"{kind}-{number}")
        commands.append(command)
        if random.random() < 0.2:
            commands.append(Command(at=at + 5 * SECOND, channel=command.channel, kind=command.kind, finding_id=command.finding_id))
    return commands


def _contest(post: Post, random: Random, begin: int) -> list[Command]:
    """Orders are paid, ended and released just when the gate moves: pause, resume, pause, resume."""
    at = begin + random.randint(1, 90) * MINUTE
    moments = [at, at + 10 * MINUTE, at + 10 * MINUTE + random.choice((1500, 2500)), at + 20 * MINUTE]
    for number in range(random.randint(1, 3)):
        post.pushes.append(_of_channel(f"paid-{number}", f"G{number}", "PaymentConfirmed", at))
        if random.random() < 0.5:
            post.pushes.append(_of_channel(f"over-{number}", f"G{number}", "Cancelled", random.choice(moments[2:])))
    kinds: tuple[Literal["pause", "resume"], ...] = ("pause", "resume", "pause", "resume")
    return [
        Command(at=moment, channel="web", kind=kind, finding_id=f"gate-{n}")
        for n, (moment, kind) in enumerate(zip(moments, kinds, strict=True))
    ]


def _of_channel(event_id: str, order_id: str, status: str, at: int) -> Push:
    body = {"event_id": event_id, "order_id": order_id, "status": status, "occurred_at": iso(at)}
    data = json.dumps(body).encode()
    return Push(at=at, kind="channel", source="web", shop="s1", key=f"web:s1:{order_id}", event_id=event_id, payload=data, eager=False)


def _faults(random: Random, pushes: list[Push], contest: list[Command]) -> list[Fault]:
    found = [_fault(random, random.choice(pushes).at + random.choice((-1, 0, 0, 1, MINUTE))) for _ in range(random.randint(1, 10))]
    for command in contest:
        if random.random() < 0.7:
            effect, after = random.choice(("state", "state", "outputs", "")), random.randint(0, 6)
            found.append(Fault(at=command.at, kind="crash", worker=random.randrange(3), effect=effect, after=after))
    if contest:  # whoever has told the pool of a release dies before it is in the state
        deaths = [(worker, random.randint(0, 2)) for worker in range(3)]
        found += [Fault(at=contest[0].at, kind="crash", worker=worker, effect="state", after=after) for worker, after in deaths]
    return sorted(found, key=lambda fault: fault.at)


def _fault(random: Random, at: int) -> Fault:
    kind = random.choice(KINDS)
    told: dict[str, Any] = {"at": at, "kind": kind, "worker": random.randrange(3)}
    match kind:
        case "crash":
            told |= {"effect": random.choice(EFFECTS), "after": random.randint(0, 12)}
        case "rebalance":
            told |= {"graceful": random.random() < 0.5}
        case "down" | "sink_down":
            told |= {"last": random.choice((30 * SECOND, 4 * MINUTE, 40 * MINUTE, 9 * HOUR))}
        case "clock":
            told |= {"last": random.choice((2 * MINUTE, 50 * MINUTE, 3 * HOUR)), "skew": random.choice((-HOUR, -HOUR, DAY))}
        case "lag":
            told |= {"last": random.choice((30 * SECOND, 4 * MINUTE))}
        case "control_lag":
            told |= {"last": random.randint(1, 900)}
        case "sink_crash" | "sender_crash":
            told |= {"effect": random.choice(("before", "after"))}
        case "bot":
            told |= {"last": random.choice((MINUTE, HOUR))}
    return Fault(**told)
