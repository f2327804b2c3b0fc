"""What a seed decides, as plain data: what is pushed and when, what people command, which faults happen. Times are ms."""

from typing import Final, Literal

import msgspec
from msgspec import Struct

from streams.policy import MINUTE, Conflicts, Jumps, Policy, StallPolicy

START: Final = 1_795_312_800_000  # 2026-11-22T02:00:00Z
LINKS: Final = {"web:s1": {"erp": "erp", "wms": "wms"}, "shop2:s9": {"erp": "erp"}}
SHOPS: Final = {"web": "s1", "shop2": "s9"}
COURIERS: Final = ("zto", "sf")
RULES: Final = """
rules:
  - {id: gifts, when: "payment_method == 'gift'", action: filter}
  - {id: dear, when: "payable_minor > 500000", action: hold, reason: dear, tags: [vip]}
  - {id: west, when: "province == '新疆'", action: release, branch: west, tags: [far], account: a2}
"""

Kind = Literal["channel", "system", "courier"]
FaultKind = Literal[
    "crash", "rebalance", "down", "clock", "lag", "control_lag",
    "sink_crash", "sink_zombie", "sink_rebalance", "sink_down", "sender_crash", "bot",
]  # fmt: skip


class Push(Struct, frozen=True, kw_only=True):
    """A raw event that reaches its topic at `at`, as its connector wrapped it; `key` is the record's."""

    at: int
    kind: Kind
    source: str
    shop: str
    key: str
    event_id: str
    payload: bytes
    connector: str = "generic"
    eager: bool = True  # everything is read before the next push


class Command(Struct, frozen=True, kw_only=True):
    """A person's word on a channel."""

    at: int
    channel: str
    kind: Literal["pause", "resume"]
    finding_id: str


class Fault(Struct, frozen=True, kw_only=True):
    """One fault. It is armed when the world reaches `at`.

    crash: `worker` dies before the effect `effect` that it is about to make the `after`-th time.
    rebalance: one in two partitions is given to another worker, after its steps are durable (`graceful`) or not.
    down: all that `worker` has stands still for `last` ms. clock: its clock is ahead by `skew` for `last` ms.
    lag: a task folds one batch a turn only, for `last` ms. control_lag: gates are seen `skew` ms late.
    sink_*: the same of a sink worker, where `effect` is before or after; zombie: an old batch is written once more.
    sender_crash: it dies before or after (`effect`) it has sent. bot: the target answers nothing good for `last` ms.
    """

    at: int
    kind: FaultKind
    worker: int = 0
    effect: str = ""
    after: int = 0
    last: int = 0
    skew: int = 0
    graceful: bool = True


class Shape(Struct, frozen=True, kw_only=True):
    """How large everything is."""

    partitions: int = 2
    workers: int = 2
    batch: int = 4
    depth: int = 2
    max_conflicts: int = 15
    max_jumps: int = 3
    quiet: bool = True  # quiet hours are kept
    calm: float = 0.8  # how likely nobody ticks before the next fact, if nothing comes due


class Plan(Struct, frozen=True, kw_only=True):
    """A whole run."""

    seed: int
    shape: Shape
    pushes: list[Push]
    commands: list[Command]
    faults: list[Fault]
    least: int = 0  # it ends no sooner than this

    @property
    def begin(self) -> int:
        """When the world begins."""
        return START - MINUTE

    @property
    def end(self) -> int:
        """When the last thing has happened."""
        moments = [push.at for push in self.pushes] + [command.at for command in self.commands]
        moments += [fault.at + fault.last for fault in self.faults]
        return max([self.least, START, *moments])

    def undisturbed(self) -> "Plan":
        """The same delivery without faults."""
        return msgspec.structs.replace(self, faults=[], least=self.end)


def policy_of(shape: Shape) -> Policy:
    """The merchant's policy."""
    return Policy(
        jumps=Jumps(max_per_order=shape.max_jumps),
        conflicts=Conflicts(max_per_day=shape.max_conflicts),
        stall=StallPolicy() if shape.quiet else StallPolicy(quiet_hours=None),
        links=LINKS,
    )
