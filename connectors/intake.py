"""From a push to records for Kafka: verified, split, each fact in an envelope. Knows neither HTTP nor Kafka nor a clock."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from connectors.base import BadSignature, Connector, Fact, Push, Reply
from connectors.config import Shop
from connectors.reading import digest
from schemas import codec, headers, tracing
from schemas.records import RawEvent

log = logging.getLogger("lockstep.connect")

KEPT_HEADERS: Final = ("content-type",)  # of the push; never a signature or a token


@dataclass(frozen=True)
class Publication:
    """One record to write."""

    topic: str
    key: bytes
    value: bytes  # empty: a tombstone
    timestamp_ms: int
    headers: headers.Headers
    partition: int | None = None  # None: by the key


@dataclass(frozen=True)
class Address:
    """One shop and the connector that reads what is pushed to it."""

    shop: Shop
    connector: Connector

    def receive(self, push: Push, now: float) -> list[Publication]:
        """Every fact of the push in an envelope. Raises Refused. `now` is in seconds."""
        try:
            self.connector.verify(self.shop, push, now)
        except UnicodeError:
            raise BadSignature("a signed header or field is no text") from None
        traceparent = tracing.continued(push.headers.get("traceparent"))
        return [self._envelope(fact, push, int(now * 1000), traceparent) for fact in self._split(push)]

    def answer(self, push: Push, accepted: int, now: float) -> Reply:
        """Answer in the platform's words that all facts are safe."""
        return self.connector.answer(self.shop, push, accepted, now)

    def challenge(self, push: Push, now: float) -> Reply | None:
        """Answer a platform's check of the address. Raises Refused."""
        return self.connector.challenge(self.shop, push, now)

    def _split(self, push: Push) -> list[Fact]:
        try:
            return self.connector.split(self.shop, push)
        except (ValueError, TypeError, LookupError, RecursionError):  # ours to mend; the push is safe as a dead letter
            log.exception("%s cannot split a push to %s: it is kept whole", self.connector.name, self.shop.shop)
            event_id = digest(self.shop.name, push.body)
            return [Fact(event_id, event_id, self.shop.name, push.body)]

    def _envelope(self, fact: Fact, push: Push, received_at: int, traceparent: bytes | None) -> Publication:
        kept = {name: value[:256] for name in KEPT_HEADERS if (value := push.headers.get(name, "")) and value.isascii()}
        return envelope(self.shop, fact, received_at, kept, traceparent)


def envelope(
    shop: Shop, fact: Fact, received_at: int, kept: Mapping[str, str] | None = None, traceparent: bytes | None = None
) -> Publication:
    """A fact, pushed or pulled, as a record of its shop's raw topic. `received_at` is in ms; `kept` are headers of the push."""
    event = RawEvent(
        event_id=fact.event_id,
        source=fact.source,
        connector=shop.connector,
        kind=shop.kind,
        shop=shop.shop,
        received_at=received_at,
        verified=True,
        headers={**(kept or {}), **fact.headers},
        payload=fact.payload,
    )
    return Publication(
        shop.topic,
        fact.key.encode(),
        codec.encode(event),
        received_at,
        headers.cloudevent(
            "RawEvent",
            fact.event_id,
            fact.source,
            fact.key,
            received_at,
            traceparent,
        ),
    )


def addresses(shops: Iterable[Shop], connectors: Mapping[str, Connector]) -> Mapping[tuple[str, str], Address]:
    """Every address by source and shop. Raises ValueError for one that is configured wrongly."""
    found: dict[tuple[str, str], Address] = {}
    for shop in shops:
        connector = connectors.get(shop.connector)
        if connector is None:
            raise ValueError(f"there is no connector {shop.connector!r}; known are {', '.join(sorted(connectors))}")
        if shop.kind not in connector.kinds:
            raise ValueError(f"{shop.connector} cannot be a {shop.kind}; it can be {', '.join(sorted(connector.kinds))}")
        connector.check(shop)
        if (shop.connector, shop.shop) in found:
            raise ValueError(f"the address /hooks/{shop.connector}/{shop.shop} is configured twice")
        found[shop.connector, shop.shop] = Address(shop, connector)
    return found
