"""What is remembered of an order, and the limits of it. Written as arrays: the order of fields is the format. Pure.

Times are milliseconds since the epoch, 0 for never. A finished normal order takes about 600 bytes.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from schemas.records import Line
from schemas.status import RANKS

NO_RANK: Final = -1
GENESIS: Final = bytes(32)  # the hash before the first

# Limits: no feed may let one order grow without end. A state must stay far below a Kafka record (1 MiB).
MAX_SOURCES: Final = 32  # a channel, its systems and couriers: four are usual
MAX_CASES: Final = 100  # refund cases of one source: platforms allow a few per line
MAX_PARCELS: Final = 1000  # wholesale orders travel in hundreds of boxes
MAX_LINES: Final = 5000  # kept only until the pool rules have spoken
MAX_MOVES: Final = 16  # of a system: there are nine statuses from Picking on; beyond, the oldest are forgotten; turns, too
MAX_SEEN: Final = 2000  # event ids per source; beyond, the oldest are forgotten: again, they are repeats or late


class TooMuch(ValueError):
    """An order names more of something than is kept of any order. Its record ends in the dead letters."""

    def __init__(self, order_key: str, count: int, what: str) -> None:
        super().__init__(f"order {order_key}: more than {count} {what}; check the source that states them, then replay")


class Said(Struct, array_like=True, gc=False):
    """One statement: who, what, by the source's clock, and when it was received."""

    source: str
    status: str
    at: int
    received: int


class Case(Struct, array_like=True, gc=False):
    """A refund case as its source states it."""

    status: str
    at: int
    received: int
    kind: str | None = None  # refund_only | return_refund
    succeeded: bool = False  # Refunded was stated
    end: Said | None = None  # its first statement that ends the order, while it is in force


class Source(Struct, array_like=True, gc=False):
    """What one source has said of the order."""

    kind: str  # channel | system | courier
    status: str | None = None  # on the fulfilment axis
    base: str | None = None  # the status that an OnHold stands on, whose rank it has; None if none
    at: int = 0
    received: int = 0
    mark: int = NO_RANK  # the highest rank reached; an allowed step back lowers it
    observations: int = 0
    duplicates: int = 0
    seen: bytes = b""  # see disposition.py
    amount: int | None = None
    currency: str | None = None
    amount_at: int = 0
    amount_received: int = 0
    first: int = 0  # receipt of a system's first statement,
    stopped: int = 0  # of its first Cancelled or OnHold;
    shipped: int = 0  # of a channel's first statement of Shipped or beyond,
    signed: int = 0  # of Signed or beyond
    stock: str | None = None
    stock_at: int = 0
    stock_received: int = 0
    cases: dict[str, Case] = field(default_factory=dict)  # by case id
    end: Said | None = None  # a channel's Cancelled or Closed, while it is in force
    moves: list[Said] = field(default_factory=list)  # a system's moves to Picking or beyond
    turns: dict[str, list[int]] = field(default_factory=dict)  # receipts, by kind of answer: see turns.py

    @property
    def ranked(self) -> str | None:
        """The status whose rank this source has: its own, or the one that an OnHold stands on."""
        return self.status if self.status in RANKS else self.base

    @property
    def rank(self) -> int:
        """The rank of the source's status, NO_RANK without one."""
        ranked = self.ranked
        return NO_RANK if ranked is None else RANKS[ranked]


class Waiting(Struct, array_like=True, gc=False):
    """An expectation that has begun: A was said, B is due. With `opened`, B did not come in time: a conflict."""

    a: Said
    deadline: int
    case: str | None = None  # the refund case that A is about
    answer: Said | None = None  # B, received after the deadline, before it was judged
    opened: bool = False
    before: str = ""  # the source whose word was a B already when A was received, as far as has been read


class Clash(Struct, array_like=True, gc=False):
    """A conflict between statements that both stand: open until one gives way."""

    opened_at: int
    evidence: str
    resolved: bool = False


class Leap(Struct, array_like=True, gc=False):
    """One counted jump, for the evidence of a breach."""

    source: str
    kind: str
    before: str | None
    after: str
    at: int


class Parcel(Struct, array_like=True, gc=False):
    """How far a parcel of the order has come, in ranks of the order."""

    rank: int = NO_RANK
    at: int = 0
    top: int = NO_RANK


class Pool(Struct, array_like=True, gc=False):
    """What the pool was told of the order, and what to tell it when a gate opens."""

    action: str  # release | hold | filter | withdraw
    seq: int
    at: int
    gate: str | None = None
    rule_id: str | None = None
    branch: str | None = None
    tags: list[str] = field(default_factory=list)
    account: str | None = None
    reason: str | None = None


class Order(Struct, array_like=True):
    """All that the fold remembers of one order."""

    channel: str
    shop_id: str
    order_id: str
    version: int = 0  # of the order.state records written
    seq: int = 0  # of the audit chain
    head: bytes = GENESIS
    updated: int = 0  # receipt of the newest fact
    sources: dict[str, Source] = field(default_factory=dict)
    payment_method: str | None = None
    customer_id: str | None = None
    province: str | None = None
    lines: list[Line] | None = None  # until the pool rules have spoken
    milestones: int = 0  # stated by any source: see jumps.py
    jumps: int = 0
    leaps: list[Leap] = field(default_factory=list)  # the first ones, until the breach
    breached: bool = False
    waiting: dict[str, Waiting] = field(default_factory=dict)  # by kind
    over: int = 0  # kinds whose one expectation has ended: bits in the order of expectations.TABLE
    moved: dict[str, Clash] = field(default_factory=dict)  # moved_after_end, by system
    amounts: Clash | None = None
    parcels: dict[str, Parcel] = field(default_factory=dict)  # by parcel key
    charged: int = 0  # receipt of the channel's first statement from PaymentConfirmed on (no end)
    shipped: bool = False  # the channel has ever stated Shipped or beyond (no end)
    paid: bool = False
    paid_at: int = 0
    ended: bool = False
    released: bool = False
    pool: Pool | None = None
    told: int = 0  # the version that order.state has
    stub: bool = False  # nothing was said for long: see retention.py

    @property
    def key(self) -> str:
        """`{channel}:{shop_id}:{order_id}`."""
        return f"{self.channel}:{self.shop_id}:{self.order_id}"

    def of_kind(self, kind: str) -> Iterator[tuple[str, Source]]:
        """Sources of a kind that have spoken."""
        return ((name, source) for name, source in self.sources.items() if source.kind == kind)

    @property
    def voice(self) -> Source | None:
        """The channel that sells the order, if it has spoken."""
        return self.sources.get(self.channel)

    @property
    def open_conflicts(self) -> int:
        """Conflicts that nobody has resolved."""
        waiting = sum(item.opened for item in self.waiting.values())
        clashes = sum(not item.resolved for item in self.moved.values())
        return waiting + clashes + (self.amounts is not None and not self.amounts.resolved)
