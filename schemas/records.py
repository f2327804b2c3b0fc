"""The records on the topics, as msgspec Structs. Times are integers: milliseconds since the epoch, UTC.

Each public record has an Avro file of the same name in `schemas/avro`, with the same fields in the same order.
"""

from msgspec import Struct


class RawEvent(Struct, frozen=True, kw_only=True):
    """What a source sent, byte for byte, in an envelope: one fact each. Topics raw.*"""

    event_id: str  # unique within `source`; of a body without an id, a hash of source and body
    source: str  # the name of what speaks: the channel, the system's name, the courier
    connector: str  # whose format the payload has: generic, douyin, …
    kind: str  # channel | system | courier
    shop: str  # the configured shop it was sent to
    received_at: int
    verified: bool
    headers: dict[str, str] = {}  # of the push, secrets and signatures left out
    payload: bytes


class Line(Struct, frozen=True, kw_only=True):
    """One order line."""

    sku: str
    qty: int = 1
    price_minor: int | None = None


class ParcelRef(Struct, frozen=True, kw_only=True):
    """A parcel that an order names."""

    courier: str
    tracking_no: str


class Observation(Struct, frozen=True, kw_only=True):
    """A raw event normalised: one order, one source, one axis, one canonical status. Topic order.observation.

    `derived` marks what a parcel says of its order (`parcel_key` names it): no raw event of its own.
    """

    event_id: str
    order_key: str  # {channel}:{shop_id}:{order_id}
    order_id: str
    occurred_at: int
    received_at: int
    operator: str | None = None
    case_id: str | None = None
    payable_minor: int | None = None
    customer_id: str | None = None
    lines: list[Line] = []
    parcels: list[ParcelRef] = []
    parcel_key: str | None = None
    source: str
    source_kind: str  # channel | system | courier
    channel: str
    shop_id: str
    axis: str  # fulfilment | aftersale | stock
    status: str
    raw_code: str | None = None
    clock: str = "ok"  # ok | source_ahead: receipt time is used
    trigger: str | None = None
    aftersale_kind: str | None = None  # refund_only | return_refund
    partial_refund: bool = False
    currency: str | None = None
    payment_method: str | None = None
    province: str | None = None
    derived: bool = False


class ProgressMark(Struct, frozen=True, kw_only=True):
    """How far, in receipt time, normalise has read a raw partition. Written beside observations, never folded."""

    feed: str  # the raw topic
    read_to: int


class SourceState(Struct, frozen=True, kw_only=True):
    """What one source says of an order now, and how many facts it has sent."""

    source: str
    source_kind: str
    status: str | None = None
    aftersale_status: str | None = None
    stock_status: str | None = None
    occurred_at: int | None = None
    received_at: int | None = None
    payable_minor: int | None = None
    currency: str | None = None
    observations: int = 0  # audited facts that are raw events (no derived statements)
    duplicates: int = 0  # raw events with an id seen before


class OrderState(Struct, frozen=True, kw_only=True):
    """An order as it stands. Topic order.state, compacted. A higher `version` replaces a lower one."""

    order_key: str
    channel: str
    shop_id: str
    order_id: str
    version: int
    payable_minor: int | None = None
    customer_id: str | None = None
    paid_at: int | None = None
    audit_seq: int = 0
    audit_head: str = "0" * 64
    parcels: list[str] = []  # parcel keys
    updated_at: int = 0  # receipt time of the newest fact
    sources: list[SourceState] = []
    status: str | None = None
    aftersale_status: str | None = None
    currency: str | None = None
    payment_method: str | None = None
    province: str | None = None
    paid: bool = False  # counts as a paid order of semantics §8
    ended: bool = False  # ended at its channel, or refunded in whole
    jump_count: int = 0
    open_conflicts: int = 0
    pool: str | None = None  # release | hold | filter | withdraw
    released: bool = False  # was released once, even if withdrawn afterwards
    gate: str | None = None
    rule_id: str | None = None


class AuditRecord(Struct, frozen=True, kw_only=True):
    """One link of an order's audit chain. Topic order.audit. `hash` as in semantics §6."""

    order_key: str
    seq: int
    operator: str | None = None
    occurred_at: int
    recorded_at: int
    raw_event_id: str
    prev_hash: str
    hash: str
    source: str
    axis: str
    trigger: str | None = None
    from_status: str | None = None
    to_status: str
    disposition: str  # change | jump | repeat | late
    derived: bool = False  # not part of the hash
    clock: str = "ok"  # not part of the hash


class Jump(Struct, frozen=True, kw_only=True):
    """A change that is not normal progress. Topic order.jump."""

    order_key: str
    event_id: str
    channel: str
    source: str
    axis: str
    kind: str  # revival | regression | flap | skip
    n: int  # of the order, over all sources, from 1
    from_status: str | None
    to_status: str
    occurred_at: int
    recorded_at: int
    breach: bool = False  # this one breached the order's limit


class Conflict(Struct, frozen=True, kw_only=True):
    """Two sources cannot both be right. Topic order.conflict: once opened, at most once resolved."""

    conflict_id: str
    order_key: str
    channel: str
    kind: str
    state: str  # opened | resolved
    opened_at: int
    resolved_at: int | None = None
    due_at: int | None = None
    evidence: str  # JSON: who said what and when


class PoolRecord(Struct, frozen=True, kw_only=True):
    """What fulfilment works from. Topic order.pool. `record_id` is stable over repeats; a higher seq replaces a lower."""

    record_id: str
    order_key: str
    seq: int  # of the order's pool records, from 1
    tags: list[str] = []
    reason: str | None = None
    paid_at: int | None = None
    payable_minor: int | None = None
    at: int  # receipt time of the fact that led to it; of a gate's opening, the time of the resume
    channel: str
    action: str  # release | hold | filter | withdraw
    gate: str | None = None  # channel | stage | risk | review
    rule_id: str | None = None
    branch: str | None = None
    account: str | None = None
    currency: str | None = None


class ChannelFinding(Struct, frozen=True, kw_only=True):
    """What the channels stage counts and the commands that it obeys. Topic channel.finding (ours), key channel."""

    finding_id: str
    channel: str
    kind: str  # conflict | order_jumps | paid | filtered | pause | resume
    at: int  # when it was opened, counted or commanded
    order_key: str | None = None
    rule_id: str | None = None
    detail: str | None = None  # JSON evidence, or the reason of a command
    by: str | None = None  # the person behind a command
    origin_partition: int = -1  # of the observation that led to it: repeats after a crash are told by it
    origin_offset: int = -1


class ChannelControl(Struct, frozen=True, kw_only=True):
    """A channel's gate. Topic channel.control, compacted, key channel; empty until the first pause."""

    channel: str
    seq: int
    action: str  # pause | resume
    state: str  # open | paused | half_open
    reason: str  # channel_conflicts | order_jumps | manual | quiet
    why: str | None = None
    by: str  # lockstep, or the person
    since: int
    evidence: list[str] = []  # finding ids
    order_keys: list[str] = []


class ParcelObservation(Struct, frozen=True, kw_only=True):
    """A courier's node, or an order's word whose parcel it is. Topic parcel.observation."""

    event_id: str
    parcel_key: str  # {courier}:{tracking_no}
    tracking_no: str
    text: str | None = None
    occurred_at: int
    received_at: int
    operator: str | None = None
    order_key: str | None = None  # of a link
    customer_id: str | None = None  # of a link
    kind: str  # node | link
    source: str  # the courier; of a link, the source that named the parcel
    courier: str
    status: str | None = None  # canonical, of a node
    code: str | None = None
    place: str | None = None
    reason: str | None = None
    clock: str = "ok"


class ParcelState(Struct, frozen=True, kw_only=True):
    """A parcel as it stands. Topic parcel.state, compacted. A higher `version` replaces a lower one."""

    parcel_key: str
    courier: str
    tracking_no: str
    version: int
    order_key: str | None = None
    customer_id: str | None = None
    status_at: int | None = None
    text: str | None = None
    place: str | None = None
    last_movement_at: int | None = None
    updated_at: int = 0
    status: str | None = None
    watching: bool = False
    episode: int = 0
    tier: int = 0  # highest tier fired in this episode
    observations: int = 0
    duplicates: int = 0


class Stall(Struct, frozen=True, kw_only=True):
    """A tier that came due. Topic parcel.stall. Unique by parcel, episode and tier; the unsigned watch has kind `unsigned`."""

    parcel_key: str
    kind: str = "stall"  # stall | unsigned
    episode: int
    tier: int  # 1 2 3; 0 for unsigned
    due_at: int
    fired_at: int  # the judged time: due_at plus the real lateness
    last_movement_at: int
    order_key: str | None = None
    customer_id: str | None = None
    alerted: bool = True  # after downtime only the highest tier makes an alert


class Alert(Struct, frozen=True, kw_only=True):
    """What people must know. Topic alert. The sink expands it to targets; the same alert_key is sent once."""

    alert_key: str
    kind: str  # contract.md, Alert kinds
    severity: str  # info | warning | critical
    at: int
    channel: str | None = None
    order_key: str | None = None
    parcel_key: str | None = None
    customer_id: str | None = None
    params: dict[str, str] = {}  # what the text of this kind needs


class DeadLetter(Struct, frozen=True, kw_only=True):
    """A raw event that could not be used, whole, with the reason. Topic dead."""

    event_id: str
    source: str
    connector: str
    kind: str
    shop: str
    reason: str  # semantics §2, Reasons of dead letters
    detail: str  # for a person
    digest: str | None = None  # of the traceback, where it was our fault
    received_at: int
    origin_topic: str
    origin_partition: int
    origin_offset: int
    headers: dict[str, str] = {}
    payload: bytes
