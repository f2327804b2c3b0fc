"""The policy: every number that a merchant may change, with the default of semantics.md. Durations are in milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Final

SECOND: Final = 1_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

ALLOWED_STEPS_BACK: Final = frozenset(
    {
        ("Allocated", "Approved"),
        ("Picking", "Allocated"),
        ("Packed", "Picking"),
        ("Packed", "Allocated"),
        ("OutForDelivery", "InTransit"),
    }
)
NOBODY: Final[frozenset[str]] = frozenset()
EXPECTATIONS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "paid_not_received": 10 * MINUTE,
        "shipped_not_synced": 30 * MINUTE,
        "signed_not_synced": 2 * HOUR,
        "cancel_not_acknowledged": 10 * MINUTE,
        "stock_not_restored": 10 * MINUTE,
    }
)
IMMEDIATE: Final = frozenset({"moved_after_end", "amount_mismatch"})  # conflicts without a deadline; may be switched off


@dataclass(frozen=True)
class Jumps:
    """Semantics §3."""

    count: str = "abnormal"  # abnormal: jumps only; every: each change
    max_per_order: int = 3
    allowed_steps_back: frozenset[tuple[str, str]] = ALLOWED_STEPS_BACK


@dataclass(frozen=True)
class Conflicts:
    """Semantics §4. `off` names kinds that are not looked for."""

    max_per_day: int = 15
    grace: int = 60 * SECOND
    off: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Resume:
    """Semantics §5: a policy may resume by itself after a quiet time, half-open. `after` None: never."""

    after: int | None = None
    per_minute: int = 10
    open_after: int = 30 * MINUTE


@dataclass(frozen=True)
class StallPolicy:
    """Semantics §7. `quiet_hours` are minutes of the Shanghai day, None for none."""

    tiers: tuple[int, int, int] = (2 * HOUR, 6 * HOUR, 24 * HOUR)
    out_for_delivery: int = 4 * HOUR
    quiet_hours: tuple[int, int] | None = (22 * 60, 8 * 60)
    freeze_orders: int = 3


@dataclass(frozen=True)
class DeadLetters:
    """When a source is said to be sick (semantics §2), and when well again. One alert each; never one a letter."""

    ratio: float = 0.2  # of what was received in `window`: one in five is no slip of a single order any more
    least: int = 50  # received in `window`; of fewer no ratio is judged: 3 bad ones of 10 may be one bad order
    window: int = 10 * MINUTE  # a wrong release of a platform shows within it, and a minute's hiccup does not fill it
    consecutive: int = 100  # one after the other in a partition: nothing good at all comes through, however slow it is
    well_after: int = 30 * MINUTE  # without being beyond half of the ratio: who swings around a limit is told of twice an hour at most


@dataclass(frozen=True)
class Silence:
    """When a source that has fallen silent is said. A rule is `learned`, `off`, or the longest silence in ms."""

    default: int | str = "learned"
    sources: Mapping[str, int | str] = field(default_factory=dict)  # by name, goes before `default`
    least: int = 15 * MINUTE  # no silence is learned to be too long before it: platforms push again within minutes
    expected: int = 12  # minutes with news that should have come meanwhile: by chance none of them comes once in 160,000
    days: int = 3  # an hour of the day is judged after it was seen so often

    def rule(self, source: str) -> int | str:
        """What holds for a source."""
        return self.sources.get(source, self.default)


@dataclass(frozen=True)
class Policy:
    """All of it. `links` are the systems that a shop is linked with, by `{channel}:{shop}`: name → kind (erp, wms)."""

    jumps: Jumps = Jumps()
    conflicts: Conflicts = Conflicts()
    expectations: Mapping[str, int] = field(default_factory=lambda: dict(EXPECTATIONS))  # kind → within; absent: off
    resume: Resume = Resume()
    stall: StallPolicy = StallPolicy()
    dedup_retention: int = 14 * DAY
    order_retention: int = 90 * DAY  # a finished order shrinks to a stub after it, an unfinished one after four times that
    stub_retention: int = 730 * DAY  # and is forgotten after this: claims come two years late, and must find their audit chain
    parcel_retention: int = 30 * DAY
    clock_tolerance: int = 5 * MINUTE
    earliest: int = 946_684_800_000  # 2000-01-01T00:00:00Z: what is older is a broken clock
    filter_rate: float = 0.01
    mark_lag: int = 1 * SECOND  # a push may take this long from its receipt to Kafka
    reader_stuck: int = 5 * MINUTE
    dead_letters: DeadLetters = DeadLetters()
    silence: Silence = field(default_factory=Silence)
    sequence_gap: int = 10 * MINUTE  # a missing number may come so much later: platforms push again within minutes
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def linked(self, channel: str, shop: str, kind: str) -> frozenset[str]:
        """The names of the systems of a kind (`erp`, `wms`) that the shop is linked with."""
        return self._linked.get((channel, shop, kind), NOBODY)

    @cached_property
    def _linked(self) -> Mapping[tuple[str, str, str], frozenset[str]]:
        found: dict[tuple[str, str, str], frozenset[str]] = {}
        for place, systems in self.links.items():
            channel, _, shop = place.partition(":")
            for kind in set(systems.values()):
                found[channel, shop, kind] = frozenset(name for name, is_kind in systems.items() if is_kind == kind)
        return found
