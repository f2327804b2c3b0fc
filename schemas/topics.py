"""The topic catalogue: name, key, partitions, cleanup and retention of each. Topics are created and documented from it."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from schemas import evidence, polls, pulses, records

PREFIX = "lockstep."
DAY_MS = 86_400_000
FOREVER = -1
MAX_RECORD = 3 << 20  # bytes; a push of 1 MiB must fit with its envelope, and again as a dead letter
COMPACT, DELETE = "compact", "delete"


@dataclass(frozen=True)
class Topic:
    """One topic. `retention_ms` counts for cleanup `delete` only; `record` is what its values hold, None for the engine's own."""

    name: str
    key: str
    cleanup: str
    retention_ms: int
    what: str
    record: type | None
    public: bool = True
    partitions: int | None = None  # None: as many as configured, the same for all that are keyed alike
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def config(self) -> dict[str, str]:
        """The broker's settings of this topic."""
        config = {"cleanup.policy": self.cleanup, "max.message.bytes": str(MAX_RECORD), **self.settings}
        if self.cleanup == DELETE:
            config["retention.ms"] = str(self.retention_ms)
        return config


def named(name: str) -> str:
    """The full name of a topic of ours: `order.state` → `lockstep.order.state.v1`."""
    return f"{PREFIX}{name}.v1"


def raw_order(channel: str) -> str:
    """The raw topic of a channel."""
    return named(f"raw.order.{channel}")


RAW_SYSTEM = named("raw.system")
RAW_PARCEL = named("raw.parcel")
ORDER_OBSERVATION = named("order.observation")
ORDER_STATE = named("order.state")
ORDER_AUDIT = named("order.audit")
ORDER_JUMP = named("order.jump")
ORDER_CONFLICT = named("order.conflict")
ORDER_POOL = named("order.pool")
CHANNEL_FINDING = named("channel.finding")
CHANNEL_CONTROL = named("channel.control")
PARCEL_OBSERVATION = named("parcel.observation")
PARCEL_STATE = named("parcel.state")
PARCEL_STALL = named("parcel.stall")
ALERT = named("alert")
DEAD = named("dead")
SOURCE_PULSE = named("source.pulse")
AUDIT_ROOT = named("audit.root")
POLL_CURSOR = named("poll.cursor")
ORDERS_CHANGELOG = named("engine.orders.changelog")
CHANNELS_CHANGELOG = named("engine.channels.changelog")
PARCELS_CHANGELOG = named("engine.parcels.changelog")
SOURCES_CHANGELOG = named("engine.sources.changelog")

_COMPACTED = {"min.compaction.lag.ms": "0", "delete.retention.ms": str(DAY_MS)}


def _compacted(name: str, key: str, what: str, record: type | None, *, public: bool = True, partitions: int | None = None) -> Topic:
    return Topic(name, key, COMPACT, FOREVER, what, record, public, partitions, dict(_COMPACTED))


def _kept(name: str, key: str, days: int, what: str, record: type, *, public: bool = True, partitions: int | None = None) -> Topic:
    return Topic(name, key, DELETE, days * DAY_MS, what, record, public, partitions)


_FIXED: tuple[Topic, ...] = (
    _kept(RAW_SYSTEM, "order", 30, "envelopes of ERPs and WMSs", records.RawEvent),
    _kept(RAW_PARCEL, "parcel", 30, "envelopes of couriers", records.RawEvent),
    _kept(ORDER_OBSERVATION, "order", 14, "normalised facts about orders, and progress marks", records.Observation),
    _compacted(ORDER_STATE, "order", "the current state of each order", records.OrderState),
    _kept(ORDER_AUDIT, "order", 90, "audit records, hash-chained per order", records.AuditRecord),
    _kept(ORDER_JUMP, "order", 90, "status jumps", records.Jump),
    _kept(ORDER_CONFLICT, "order", 90, "conflicts between sources, opened and resolved", records.Conflict),
    _kept(ORDER_POOL, "order", 90, "release, hold, filter and withdraw: what fulfilment works from", records.PoolRecord),
    _kept(CHANNEL_FINDING, "channel", 14, "what the channels stage counts and obeys", records.ChannelFinding, public=False),
    _compacted(CHANNEL_CONTROL, "channel", "pause and resume, empty until the first pause", records.ChannelControl, partitions=1),
    _kept(PARCEL_OBSERVATION, "parcel", 14, "courier nodes and links to orders", records.ParcelObservation),
    _compacted(PARCEL_STATE, "parcel", "the current state of each parcel", records.ParcelState),
    _kept(PARCEL_STALL, "parcel", 90, "stall tiers that came due", records.Stall),
    _kept(ALERT, "alert", 30, "what people must know", records.Alert),
    _kept(DEAD, "as the raw event", 90, "raw events that could not be used, with a reason", records.DeadLetter),
    Topic(AUDIT_ROOT, "day", DELETE, FOREVER, "the Merkle root over all audit chains, one a day", evidence.AuditRoot, partitions=1),
    _kept(SOURCE_PULSE, "source", 2, "how sources are, and progress marks", pulses.SourcePulse, public=False, partitions=1),
    _compacted(POLL_CURSOR, "source:shop:feed", "how far pollers have read, and sealed tokens", polls.PollCursor, public=False),
    _compacted(ORDERS_CHANGELOG, "order", "the engine's state of orders", None, public=False),
    _compacted(CHANNELS_CHANGELOG, "channel", "the engine's state of channels", None, public=False),
    _compacted(PARCELS_CHANGELOG, "parcel", "the engine's state of parcels", None, public=False),
    _compacted(SOURCES_CHANGELOG, "source", "the engine's state of sources", None, public=False, partitions=1),
)


def catalogue(channels: Iterable[str]) -> tuple[Topic, ...]:
    """Every topic of an installation that sells through these channels."""
    raw = tuple(_kept(raw_order(channel), "order", 30, f"envelopes of {channel}", records.RawEvent) for channel in sorted(set(channels)))
    return raw + _FIXED
