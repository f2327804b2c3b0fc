"""What is remembered of a parcel. Bounded: a parcel has few nodes, and a flood of them forgets the oldest. Pure."""

from typing import Final

from msgspec import Struct, field

from schemas.records import ParcelState

IDS_KEPT: Final = 500
PLACES_KEPT: Final = 50  # of one id
NODES_KEPT: Final = 12
ORDERS_KEPT: Final = 20  # of one shipment


class Said(Struct, array_like=True, frozen=True):
    """The first node that said something of the order's fulfilment."""

    event_id: str
    status: str  # of the parcel
    occurred_at: int
    received_at: int
    clock: str


class Seen(Struct, array_like=True):
    """An event id: its last receipt, and which raw events had it, by the checksums of their places."""

    at: int
    places: list[int] = field(default_factory=list)


class Node(Struct, array_like=True, frozen=True, order=True):
    """One line of the parcel's history."""

    occurred_at: int
    status: str
    place: str
    text: str


class Parcel(Struct, omit_defaults=True):
    """One parcel. Times are ms; those of nodes are the courier's, `heard_at` and `updated_at` are receipts."""

    parcel_key: str
    courier: str
    tracking_no: str
    version: int = 0
    orders: list[str] = field(default_factory=list)  # the first is the parcel's own
    customer_id: str | None = None
    # Where it is: the node with the largest occurred_at
    status: str | None = None
    status_at: int | None = None
    text: str | None = None
    place: str | None = None
    reason: str | None = None
    # The watch
    last_movement_at: int | None = None
    ended: bool = False
    episode: int = 0  # stalls so far
    tier: int = 0  # highest fired in the running one, 0 while it moves
    sms_at: int | None = None  # a message to the customer waits for the end of the quiet hours
    out_at: int | None = None  # the last OutForDelivery
    turned_at: int | None = None  # the last Rejected or Returning: nobody will sign after it
    unsigned_at: int | None = None  # the OutForDelivery whose watch has fired
    unsigned: int = 0  # how often it has
    address_fault: bool = False  # a node complained of the address
    returning: bool = False
    risk_told: bool = False
    # What was read
    said: dict[str, Said] = field(default_factory=dict)  # by the order's status
    history: list[Node] = field(default_factory=list)
    seen: dict[str, Seen] = field(default_factory=dict)  # by event id, the least lately received first
    observations: int = 0
    duplicates: int = 0
    heard_at: int = 0  # receipt of the newest node
    updated_at: int = 0  # receipt of the newest node or link
    told: int = 0  # the version that parcel.state has
    linked: dict[str, int] = field(default_factory=dict)  # receipt of each order's link

    @property
    def watching(self) -> bool:
        """Whether standing still would be a stall."""
        return self.last_movement_at is not None and not self.ended

    @property
    def order_key(self) -> str | None:
        """The order that the parcel belongs to."""
        return self.orders[0] if self.orders else None

    def changed(self) -> None:
        """Count a version. A parcel that comes back after its retention goes on above its old ones."""
        self.version = self.version + 1 if self.version else self.updated_at

    def record(self) -> ParcelState:
        """The parcel as others see it."""
        return ParcelState(
            parcel_key=self.parcel_key,
            courier=self.courier,
            tracking_no=self.tracking_no,
            version=self.version,
            order_key=self.order_key,
            customer_id=self.customer_id,
            status=self.status,
            status_at=self.status_at,
            text=self.text,
            place=self.place,
            last_movement_at=self.last_movement_at,
            watching=self.watching,
            episode=self.episode,
            tier=self.tier,
            observations=self.observations,
            duplicates=self.duplicates,
            updated_at=self.updated_at,
        )
