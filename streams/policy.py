"""The policy: every number that a merchant may change, with the default of semantics.md. Durations are in milliseconds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Policy:
    """All of it. `links` are the systems that a shop is linked with, by `{channel}:{shop}`: name → kind (erp, wms)."""

    jumps: Jumps = Jumps()
    conflicts: Conflicts = Conflicts()
    expectations: Mapping[str, int] = field(default_factory=lambda: dict(EXPECTATIONS))  # kind → within; absent: off
    resume: Resume = Resume()
    stall: StallPolicy = StallPolicy()
    dedup_retention: int = 14 * DAY
    order_retention: int = 90 * DAY  # a finished order leaves the engine's state after it
    parcel_retention: int = 30 * DAY
    clock_tolerance: int = 5 * MINUTE
    earliest: int = 946_684_800_000  # 2000-01-01T00:00:00Z: what is older is a broken clock
    filter_rate: float = 0.01
    mark_lag: int = 1 * SECOND  # a push may take this long from its receipt to Kafka
    reader_stuck: int = 5 * MINUTE
    links: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def linked(self, channel: str, shop: str, kind: str) -> frozenset[str]:
        """The names of the systems of a kind (`erp`, `wms`) that the shop is linked with."""
        return frozenset(name for name, is_kind in self.links.get(f"{channel}:{shop}", {}).items() if is_kind == kind)
