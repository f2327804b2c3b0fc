"""The day while it is written: orders, what is said of them, and what must be found."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypedDict, Unpack

import msgspec

from ops.simulator.facts import ABROAD, ASKED, Order, Raw, Say, tells

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
SHOPS: Final = {  # the demo merchant's
    "douyin": "1001",
    "taobao": "2001",
    "pinduoduo": "3001",
    "wechat_shop": "4001",
    "kuaishou": "5001",
    "xiaohongshu": "6001",
    "youzan": "7001",
    "shopee": "8001",
    "tiktok_shop": "9001",
    "shopify": "demo.myshopify.com",
    "web": "s1",
    "jd": "10086",
}
COURIERS: Final = ("zto", "yto", "sf", "sto", "jt", "yunda", "ems", "deppon")
FEW: Final = COURIERS[:3]  # of smaller installations than the demo's
PREFIXES: Final = {  # of order ids; a letter where the channel's begin with one
    "douyin": "4781",
    "taobao": "1958",
    "wechat_shop": "3705",
    "kuaishou": "2313",
    "xiaohongshu": "P",
    "youzan": "E",
    "shopee": "2611",
    "tiktok_shop": "5764",
    "shopify": "6201",
    "web": "W",
    "jd": "28",
}
PROVINCES: Final = ("浙江", "广东", "江苏", "上海", "北京", "四川", "山东", "湖北")
SKUS: Final = ("TEE-M-BLACK", "TEE-L-WHITE", "MUG-350", "LAMP-01", "SOCKS-3", "SCARF-RED")

Finding = tuple[str, str]  # (kind, subject): what is planted and what is found are bags of these


class Details(TypedDict, total=False):
    """What a fact may say besides; see `facts.Say`."""

    axis: str
    play: int
    payable: int
    with_parcel: bool
    refund_only: bool
    code: str


@dataclass
class Plan:
    """One phase of the day: what is sent, in order of delivery, and what must be found because of it."""

    says: list[Say | Raw] = field(default_factory=list)
    expected: Counter[Finding] = field(default_factory=Counter)
    orders: int = 0


class Day:
    """Writes phases. The same seed, `now` (ms), shops by channel and couriers write the same day."""

    def __init__(self, seed: int, now: int, shops: Mapping[str, str] = SHOPS, couriers: Sequence[str] = FEW) -> None:
        self.shops, self.couriers = shops, couriers
        asked = [channel for channel in shops if channel in ASKED]
        self._any = (*shops, *(channel for channel in shops if asked and channel not in asked))  # fewer of those that are asked
        self.random = random.Random(seed)  # noqa: S311 (a day to play, no keys)
        self.now = now
        self.phase = Plan()
        self._numbers = 0
        self._run = f"{now // 1000 % 10**8:08d}"  # another run has other order numbers

    def begin(self) -> Plan:
        """Begin the next phase; what is written from here on belongs to it."""
        self.phase = Plan()
        return self.phase

    def ago(self, *, hours: float = 0, minutes: float = 0) -> int:
        """A time before now, in ms."""
        return self.now - round(hours * HOUR + minutes * MINUTE)

    def order(self, channel: str | None = None, *, courier: str | None = None, payable: int | None = None) -> Order:
        """Make a new order; without a channel, any."""
        channel = channel or self.random.choice(self._any)
        self._numbers += 1
        self.phase.orders += 1
        number = self._number(channel)
        return Order(
            channel=channel,
            shop=self.shops[channel],
            number=number,
            customer=f"c{self.random.randrange(10**6):06d}",
            province=self.random.choice(PROVINCES),
            payable=payable or self.random.randrange(1_900, 49_900),
            sku=self.random.choice(SKUS),
            courier=courier or self.random.choice(self.couriers),
            tracking=f"7{self._run}{self._numbers:06d}",
        )

    def one_that_tells(self, *statuses: str) -> str:
        """Any channel that has words for all of these."""
        return self.random.choice([channel for channel in self._any if tells(channel, *statuses)])

    def _number(self, channel: str) -> str:
        """An order id of the channel's own shape."""
        n = self._numbers
        if channel == "pinduoduo":
            return f"261122-{self._run}{n:07d}"
        return f"{PREFIXES.get(channel, '9000')}{self._run}{n:07d}"

    def say(self, speaker: str, order: Order, status: str, at: int, **details: Unpack[Details]) -> Say:
        """Let a source state something, delivered at its own time unless `play` says otherwise."""
        self._numbers += 1
        told: Details = {"axis": "fulfilment", "play": at, **details}
        if speaker in ABROAD:
            told.pop("payable", None)
        fact = Say(speaker=speaker, order=order, status=status, at=at, nonce=self._numbers, **told)
        self.phase.says.append(fact)
        return fact

    def repeat(self, fact: Say, *, after: int = MINUTE) -> None:
        """Deliver a fact a second time: a duplicate of its source."""
        self.phase.says.append(msgspec.structs.replace(fact, play=fact.play + after))
        self.expect("duplicate", fact.speaker)

    def send(self, raw: Raw) -> None:
        """Send bytes as they are."""
        self.phase.says.append(raw)

    def expect(self, kind: str, subject: str, n: int = 1) -> None:
        """Plant a finding."""
        self.phase.expected[kind, subject] += n
