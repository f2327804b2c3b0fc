"""What a platform can say, before it is written in that platform's own format."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from msgspec import Struct

CHANNELS: Final = ("douyin", "taobao", "pinduoduo", "wechat_shop")  # a day needs these
MORE: Final = ("kuaishou", "xiaohongshu", "youzan", "shopee", "tiktok_shop", "shopify", "web")  # and may have these; they push too
ERP: Final = "erp"
WMS: Final = "wms"
ASKED: Final[Mapping[str, str]] = MappingProxyType({"jd": "wdt"})  # channels that push nothing → their ERP, which pushes nothing either
UNTOLD: Final[Mapping[str, frozenset[str]]] = MappingProxyType(  # what a channel has no words for
    {
        "pinduoduo": frozenset({"Created"}),  # it tells of an order when it is concluded
        "jd": frozenset({"Created"}),
        "shopee": frozenset({"Refunded"}),
        "shopify": frozenset({"Completed", "RefundRequested"}),
    }
)
NO_AMOUNT: Final = frozenset({"wechat_shop", "kuaishou", "xiaohongshu", "shopee", "tiktok_shop"})  # in what they push
ABROAD: Final = frozenset({"shopify"})  # has the amount in its own currency, which is not the ERP's


def tells(channel: str, *statuses: str) -> bool:
    """Whether a channel has words for all of these."""
    return UNTOLD.get(channel, frozenset()).isdisjoint(statuses)


class Order(Struct, frozen=True, kw_only=True):
    """An order of the day, as the buyer made it. Money in minor units."""

    channel: str
    shop: str
    number: str  # the channel's own order id
    customer: str
    province: str
    payable: int
    sku: str
    courier: str
    tracking: str

    @property
    def key(self) -> str:
        """The order key of semantics §1."""
        return f"{self.channel}:{self.shop}:{self.number}"

    @property
    def erp(self) -> str:
        """Which ERP has it."""
        return ASKED.get(self.channel, ERP)

    @property
    def parcel_key(self) -> str:
        """The parcel key of semantics §1."""
        return f"{self.courier}:{self.tracking}"


class Say(Struct, frozen=True, kw_only=True):
    """One fact: `speaker` says that `order`, or its parcel, has this status. Times in ms.

    `play` is when it is delivered in the day's own time: equal to `at` unless the plan reorders it.
    `nonce` is the platform's message number: a repeated delivery has the same one.
    """

    speaker: str  # a channel, an ERP, wms, or the courier
    order: Order
    axis: str  # fulfilment | aftersale | stock | parcel
    status: str  # canonical, or for `code` a platform's own code that no table knows
    at: int
    play: int
    nonce: int
    refund_only: bool = True
    payable: int | None = None
    with_parcel: bool = False
    so_far: tuple[tuple[str, int], ...] = ()  # earlier nodes that the same push repeats: (status, at)
    code: str | None = None  # send this code of the platform instead of the one for `status`

    @property
    def subject(self) -> str:
        """What keeps its order of delivery: the order's number, or the tracking number."""
        return self.order.tracking if self.axis == "parcel" else self.order.number


class Raw(Struct, frozen=True, kw_only=True):
    """Bytes that no platform would send: correctly signed garbage, or a push that must be refused with `status`."""

    speaker: str
    body: bytes
    play: int
    status: int = 200
    forged: bool = False  # with a wrong signature
    stale: bool = False  # signed long ago
    shop: str | None = None  # another shop than the speaker's own


@dataclass(frozen=True)
class Account:
    """How a platform reaches one shop of ours. Secrets are not shown."""

    source: str  # the path: /hooks/{source}/{shop}
    shop: str
    secret: str = field(repr=False)
    app_key: str = ""
    token: str = field(default="", repr=False)
    aes_key: str = field(default="", repr=False)
    app_id: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  # the connector's own


@dataclass(frozen=True)
class Request:
    """One push, ready to be sent."""

    path: str
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
