"""Writes the day: ordinary orders, each fault so many times, and what must be found. Pure; seeded."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from ops.simulator import faults, jumps, noise, normal, parcels
from ops.simulator.day import COURIERS, SHOPS, Day, Finding, Plan
from ops.simulator.facts import ASKED, Order, Raw, Say

AGGREGATED: Final = frozenset({"yunda", "ems", "deppon"})  # pushed by an aggregator, which sends the whole trace each time
DOUYIN_EXACTLY: Final = {  # 15 conflicts, one less than what pauses
    "paid_not_received": 3,
    "shipped_not_synced": 2,
    "signed_not_synced": 2,
    "cancel_not_acknowledged": 2,
    "moved_after_end": 2,
    "amount_mismatch": 2,
}  # and one refund that the ERP ignores: two more
STORM: Final = "taobao"  # pauses for its jumps
CONFLICTED: Final = "pinduoduo"  # pauses for its conflicts
COUNTS: Final[Mapping[str, Mapping[str, int]]] = {  # conflicts by channel and kind
    "douyin": DOUYIN_EXACTLY,
    "wechat_shop": dict.fromkeys(faults.FAULTS, 1),
    STORM: dict.fromkeys(("paid_not_received", "shipped_not_synced", "stock_not_restored"), 2),
    "kuaishou": dict.fromkeys(("paid_not_received", "stock_not_restored", "moved_after_end"), 1),
    "xiaohongshu": dict.fromkeys(("shipped_not_synced", "cancel_not_acknowledged", "amount_mismatch"), 1),
    "youzan": dict.fromkeys(("amount_mismatch", "stock_not_restored"), 1),
    "shopee": dict.fromkeys(("signed_not_synced", "cancel_not_acknowledged"), 1),
    "tiktok_shop": dict.fromkeys(("shipped_not_synced", "stock_not_restored"), 1),
    "shopify": dict.fromkeys(("paid_not_received", "shipped_not_synced"), 1),
    "web": dict.fromkeys(("signed_not_synced", "moved_after_end"), 1),
    "jd": dict.fromkeys(("paid_not_received", "cancel_not_acknowledged", "stock_not_restored", "amount_mismatch"), 1),
}  # of jd all is found by asking alone
JUMPS: Final[Mapping[Callable[[Day, str], Order], tuple[str, ...]]] = {  # on which channels
    jumps.revival: ("taobao", "taobao", "taobao", "youzan"),
    jumps.late_erp: ("douyin", "pinduoduo", "tiktok_shop"),
    jumps.regression: ("douyin", "wechat_shop", "pinduoduo", "xiaohongshu", "jd"),
    jumps.flap: ("douyin", "wechat_shop", "pinduoduo", "kuaishou", "jd"),
    jumps.skip: ("douyin", "taobao", "wechat_shop", "tiktok_shop", "youzan"),
    jumps.late_channel: ("douyin", "taobao", "wechat_shop", "shopee", "web"),
}
PAUSING: Final = 16
ENDS: Final = {STORM: "Closed", CONFLICTED: "Cancelled"}  # how a paid order ends there


@dataclass
class Script:
    """The whole day. Each phase is sent when the one before has been taken in."""

    day: Plan = field(default_factory=Plan)  # ordinary orders and most faults
    storms: Plan = field(default_factory=Plan)  # what pauses two channels
    evening: Plan = field(default_factory=Plan)  # orders that find two gates shut
    repair: Plan = field(default_factory=Plan)  # people repair; then the channels are resumed

    @property
    def phases(self) -> tuple[Plan, ...]:
        """In order."""
        return self.day, self.storms, self.evening, self.repair


def write(
    seed: int, orders: int, now: int, shops: Mapping[str, str] = SHOPS, couriers: Sequence[str] = COURIERS, *, faulty: bool = True
) -> Script:
    """A day of about `orders` orders that ends at `now` (ms). `shops` by channel. Not `faulty`: ordinary orders only."""
    day, script = Day(seed, now, shops, couriers), Script()
    script.day = day.begin()
    if faulty:
        _faulty(day, script, orders)
    else:
        _ordinary(day, orders)
    traces: dict[str, list[Say]] = {}
    for phase in script.phases:
        phase.says.sort(key=lambda said: said.play)
        _whole_traces(phase, traces)
    return script


def _faulty(day: Day, script: Script, orders: int) -> None:
    open_conflicts = list(_faults(day))
    noise.plant(day)
    moving = _stalls(day)
    evening = max(40, orders // 12)
    _ordinary(day, orders - evening - 2 * PAUSING)
    _duplicates(day, 60)
    script.storms = day.begin()
    open_conflicts += _storms(day)
    script.evening = day.begin()
    _evening(day, evening)
    parcels.moves_again(day, moving)
    script.repair = day.begin()
    _repair(day, open_conflicts)


def _ordinary(day: Day, orders: int) -> None:
    """Fill the phase up with orders that go well."""
    while day.phase.orders < orders:
        normal.any_order(day)


def _faults(day: Day) -> Iterator[tuple[str, Order]]:
    """Every kind of conflict and jump that does not pause; yields the conflicts."""
    for channel, counts in COUNTS.items():
        if channel not in day.shops:
            continue
        for kind, n in counts.items():
            for _ in range(n):
                yield kind, faults.FAULTS[kind](day, channel)
    faults.refund_ignored(day, "douyin")
    for sort, channels in JUMPS.items():
        for channel in channels:
            if channel in day.shops:
                sort(day, channel)


def _stalls(day: Day) -> Order:
    """Parcels that stand still; returns one that will move again."""
    for tier, n in {1: 5, 2: 3, 3: 2}.items():
        for _ in range(n):
            parcels.stalled(day, tier)
    for seconds in (45, 70):
        parcels.stalls_soon(day, seconds)
    for _ in range(3):
        parcels.unsigned(day)
        parcels.lost(day)
    return parcels.stalled(day, 1)


def _storms(day: Day) -> list[tuple[str, Order]]:
    """Two jump storms on one channel, the 16th conflict on another."""
    jumps.storm(day, STORM, pauses=True)
    jumps.storm(day, STORM, pauses=False)
    day.expect("channel.paused", f"{CONFLICTED} channel_conflicts")
    day.expect("alert.channel_paused", CONFLICTED)
    made = []
    for n in range(PAUSING):
        kind = faults.IMMEDIATE[n % 2]
        made.append((kind, faults.FAULTS[kind](day, CONFLICTED)))
    return made


def _evening(day: Day, orders: int) -> None:
    """New orders on all channels: those of a paused channel wait at its gate, and some of them are cancelled there."""
    for n in range(orders):
        order = day.order()
        normal.paid(day, order, day.ago(minutes=day.random.uniform(5, 9)))
        paused = order.channel in (STORM, CONFLICTED)
        if paused:
            day.expect("held.channel", order.key)
        if paused and n % 10 == 0:
            day.say(order.channel, order, ENDS[order.channel], day.ago(minutes=2))
            day.say(order.erp, order, "Cancelled", day.ago(minutes=1), payable=order.payable)
            day.expect("pool.withdraw", order.key)
        else:
            day.expect("pool.release", order.key)


def _repair(day: Day, conflicts: list[tuple[str, Order]]) -> None:
    """One conflict of each kind is repaired, and the channels are resumed."""
    seen: set[str] = set()
    for kind, order in conflicts:
        if kind not in seen:
            seen.add(kind)
            faults.repair(day, kind, order)
    for channel in (STORM, CONFLICTED):
        day.expect("channel.resumed", channel)
        day.expect("alert.channel_resumed", channel)


def _duplicates(day: Day, n: int) -> None:
    """Deliver some facts twice, as every platform does."""
    once = AGGREGATED | ASKED.keys() | set(ASKED.values())  # an aggregator repeats all by itself; what is asked for is read once
    facts = [said for said in day.phase.says if isinstance(said, Say) and said.code is None and said.speaker not in once]
    for fact in day.random.sample(facts, n):
        day.repeat(fact)


def _whole_traces(phase: Plan, traces: dict[str, list[Say]]) -> None:
    """An aggregator repeats all earlier nodes in each push: duplicates that are nobody's fault."""
    for n, said in enumerate(phase.says):
        if isinstance(said, Raw) or said.speaker not in AGGREGATED or said.code is not None:
            continue
        earlier = traces.setdefault(said.order.tracking, [])
        phase.says[n] = msgspec.structs.replace(said, so_far=tuple((node.status, node.at) for node in earlier))
        if earlier:
            phase.expected["duplicate", said.speaker] += len(earlier)
        earlier.append(said)


def expected(phases: tuple[Plan, ...]) -> Counter[Finding]:
    """All that must be found because of these phases."""
    return sum((phase.expected for phase in phases), Counter())


def held(phase: Plan) -> Counter[Finding]:
    """The releases that wait for a channel to be resumed."""
    waiting = {subject for kind, subject in phase.expected if kind == "held.channel"}
    return Counter({("pool.release", subject): 1 for subject in waiting if ("pool.release", subject) in phase.expected})
