"""From words to pushes: when each is received, what is pushed twice, what no connector can read."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any, Final

from msgspec.structs import replace

from ops.simulation.plan import SHOPS, Kind, Push
from ops.simulation.stories import Word
from streams.policy import DAY, HOUR, MINUTE, SECOND

TOPIC_SHOP: Final = {"system": "m1", "courier": "p1"}


@dataclass
class Post:
    """Turns words of an order into pushes. Receipts of a parcel's nodes keep ten seconds apart, and off their deadlines."""

    random: Random
    pushes: list[Push] = field(default_factory=list)
    _number: int = 0
    _taken: set[tuple[str, int]] = field(default_factory=set)

    def send(self, channel: str, order_id: str, begin: int, words: list[Word]) -> None:
        """Push all words of an order that begins at `begin` (ms)."""
        for minutes, kind, source, fact in words:
            self._number += 1
            occurred = begin + round(minutes * MINUTE) + self._number % 7 * SECOND
            if kind == "courier":
                occurred -= occurred % MINUTE - 30 * SECOND
            body = {"event_id": f"e{self._number}", "occurred_at": _iso(occurred, self.random)} | fact
            if kind == "courier":
                body["courier"] = source
                key = f"{source}:{fact['tracking_no']}"
            else:
                body |= {"channel": channel, "shop_id": SHOPS[channel], "order_id": order_id}
                key = f"{channel}:{SHOPS[channel]}:{order_id}"
            if kind != "courier" and self.random.random() < 0.03:
                body["occurred_at"] = _iso(occurred + self.random.choice((20 * MINUTE, 3 * HOUR)), self.random)  # a clock ahead
            self._deliver(kind, source, key, body, occurred)

    def _deliver(self, kind: Kind, source: str, key: str, body: dict[str, Any], occurred: int) -> None:
        random, shop = self.random, TOPIC_SHOP.get(kind) or SHOPS[source]
        if random.random() < 0.04:
            key, data = self._spoil(kind, source, key, body)
        else:
            data = json.dumps(body, ensure_ascii=False).encode()
        event_id = body["event_id"]
        at = self._receipt(key, occurred + self._delay())
        eager = random.random() < 0.5
        push = Push(at=at, kind=kind, source=source, shop=shop, key=key, event_id=event_id, payload=data, eager=eager)
        self.pushes.append(push)
        for again in self._again(push, body):
            self.pushes.append(again)

    def _delay(self) -> int:
        random = self.random
        return random.choice(
            (
                *(random.randint(1, 5000) for _ in range(16)),
                random.randint(1, 8) * MINUTE,
                random.randint(1, 8) * MINUTE,
                random.randint(1, 5) * HOUR,
                random.randint(1, 3) * DAY if random.random() < 0.5 else 1,
            )
        )

    def _again(self, push: Push, body: dict[str, Any]) -> Iterator[Push]:
        """The same event again, or the same fact by another id."""
        random = self.random
        if random.random() < 0.1:
            gap = random.choice((1, 1000, 5 * MINUTE, 7 * HOUR))
            yield replace(push, at=self._receipt(push.key, push.at + gap))
        if random.random() < 0.04 and push.payload[:1] == b"{" and b"event_id" in push.payload:
            named = body | {"event_id": body["event_id"] + "b"}
            at = self._receipt(push.key, push.at + random.choice((10, 20_000, 30 * MINUTE)))
            yield replace(push, at=at, event_id=named["event_id"], payload=json.dumps(named, ensure_ascii=False).encode())

    def _receipt(self, key: str, at: int) -> int:
        """A time at which nothing else of this key is received; of parcels far from each other and from deadlines."""
        if key.count(":") == 1:
            at -= at % (10 * SECOND)
            while (key, at) in self._taken or at % MINUTE == 30 * SECOND:
                at += 10 * SECOND
            self._taken.add((key, at))
        return at

    def _spoil(self, kind: str, source: str, key: str, body: dict[str, Any]) -> tuple[str, bytes]:
        """A body that ends in the dead letters, one way or another."""
        body = dict(body)
        ways = ["bytes", "list", "status", "no_time", "offset", "old", "words", "code"]
        way = self.random.choice([*ways, "foreign"] if kind == "channel" else ways)
        if way == "bytes":
            return body["event_id"], self.random.choice((b"\xff\xfe", b"", b"{", '{"event_id": "订单'.encode(), b"status=1&x=2"))
        if way == "list":
            return body["event_id"], b"[1, 2]"
        if way == "status":
            body["status"] = self.random.choice((None, 7, ""))
        elif way == "no_time":
            del body["occurred_at"]
        elif way == "code":
            body["status"] = self.random.choice(("Teleported", "已付款", "SHIPPED"))
        elif way == "foreign":
            body["shop_id"] = "s666"
        else:
            body["occurred_at"] = {"offset": "2026-11-22T10:00:00", "old": "1999-12-31T00:00:00+00:00", "words": "yesterday"}[way]
        return key, json.dumps(body, ensure_ascii=False).encode()


def iso(at: int) -> str:
    """A time as sources write it."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds")


def _iso(at: int, random: Random) -> str:
    text = iso(at)
    return text.replace("+00:00", "Z") if random.random() < 0.3 else text
