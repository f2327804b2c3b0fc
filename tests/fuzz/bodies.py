"""What must hold of every body: refused as documented, or every fact of it an observation or a dead letter. In bounded time.

`Judge` takes one body after the other through a connector's signature check, its split, the wire, its decoder and the rules
of normalise, and out again as a record. Anything but the documented exceptions ends the run, with what led to it.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec

from connectors.base import Push, Refused, TooMany
from connectors.intake import Address, Publication, envelope
from connectors.registry import decoders
from schemas import codec
from schemas.facts import Unusable
from schemas.records import ParcelObservation, RawEvent
from sinks.postgres.rows import clean, dead_letter, parcel_event
from streams.normalise.normalise import letter, normalise, unmapped_alert
from streams.policy import Policy
from tests.contract.connectors.cases import CASES, NOW, Case
from tests.fuzz.mutate import Mutator

SLOW = 1.0  # seconds of processor time for one body of at most 1 MiB, on a machine that is busy
MAX_BODY = 1024 * 1024
REASONS = frozenset({"undecodable", "invalid", "bad_timestamp", "unmapped_status", "foreign_order"})
POLICY = Policy()
DECODERS = decoders()
INT64 = 2**63
LISTED = 0.3  # of the bodies of a source that both pushes and is asked


@dataclass(frozen=True)
class Listed:
    """An object of a list that was asked for."""

    feed: str
    item: bytes


class Found(AssertionError):
    """Something that must not be; its text says which body."""


@dataclass
class Tally:
    """What was seen."""

    bodies: int = 0
    facts: int = 0
    observations: int = 0
    empty: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    dead: Counter[str] = field(default_factory=Counter)
    connectors: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0

    def add(self, other: "Tally") -> None:
        """Add what another process saw."""
        for name in ("bodies", "facts", "observations", "empty"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("refused", "dead", "connectors"):
            getattr(self, name).update(getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)


class Judge:
    """Makes bodies by one seed and judges them."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.mutator, self.rolls = Mutator(seed), random.Random(~seed)
        self.tally = Tally()
        self.addresses = {id(case): Address(case.shop, case.connector) for case in CASES}

    def one(self) -> list[Publication]:
        """The next body; its envelopes. Raises Found."""
        case = self.rolls.choice(CASES)
        asked = case.connector.pull_only or (any(case.pulled) and self.rolls.random() < LISTED)
        body, good = self._item(case) if asked else self._push(case)
        if isinstance(body, Push) and len(body.body) > MAX_BODY:  # the server answers 413 before anybody reads it
            return []
        began = time.process_time()
        try:
            return self._judged(case, body, good=good)
        except Exception as error:
            what = f"seed {self.seed}, body {self.tally.bodies}, {case.name} ({case.shop.kind}): {type(error).__name__}: {str(error)[:500]}"
            raise Found(f"{what}\n{body!r}"[:6000]) from error
        finally:
            took = time.process_time() - began
            self.tally.bodies += 1
            self.tally.connectors[case.name] += 1
            self.tally.slowest = max(self.tally.slowest, took)

    def _push(self, case: Case) -> tuple[Push, bool]:
        """A push, and whether it is signed as it should be."""
        rolls, known = self.rolls, (*case.messages, case.unknown, *case.silent, *((case.foreign,) if case.foreign else ()))
        count = rolls.choice((1, 1, 1, 2, 5)) if case.many else 1
        messages = [self.mutator.message(rolls.choice(known)) for _ in range(count)]
        push = case.seal(case.shop, messages, NOW)
        return (push, True) if rolls.random() < 0.85 else (self._spoiled(push), False)

    def _item(self, case: Case) -> tuple[Listed, bool]:
        """An object of one of its lists. Where a source pushes nothing, the messages are such objects."""
        if case.connector.pull_only:
            known = [(str(case.pulled_feed), each) for each in (*case.messages, case.unknown, *case.silent)]
        else:
            known = [(feed, item) for _, item, feed in case.listed()]
        feed, item = self.rolls.choice(known)
        return Listed(feed, self.mutator.message(item)), True

    def _spoiled(self, push: Push) -> Push:
        """Changed after it was signed."""
        rolls, odd = self.rolls, ("", "\0", "é", "\udcff", "a" * 5000, "-1", "1e9", "9" * 400, "٣", "t=1,v1=00", ",,,=,", "t=,v1=")
        match rolls.randrange(5):
            case 0:
                return replace(push, body=self.mutator.broken(push.body))
            case 1 if push.headers:
                return replace(push, headers={**push.headers, rolls.choice(list(push.headers)): rolls.choice(odd)})
            case 2 if push.query:
                return replace(push, query={**push.query, rolls.choice(list(push.query)): rolls.choice(odd)})
            case 3 if pairs := parse_qsl(push.body.decode("utf-8", "replace"), keep_blank_values=True):
                fields = dict(pairs) | {rolls.choice(pairs)[0]: rolls.choice(odd)}
                return replace(push, body=urlencode(fields, errors="replace").encode())
            case _:
                return Push(push.body, {"traceparent": rolls.choice(odd), "content-type": rolls.choice(odd)}, {})

    def _received(self, case: Case, body: Push | Listed, now: float) -> list[Publication]:
        if isinstance(body, Push):
            return self.addresses[id(case)].receive(body, now)
        facts = case.connector.pulled(case.shop, body.feed, body.item)
        return [envelope(case.shop, fact, int(now * 1000)) for fact in facts]

    def _judged(self, case: Case, body: Push | Listed, *, good: bool) -> list[Publication]:
        began = time.process_time()
        try:
            found = self._received(case, body, NOW)
        except Refused as refused:
            within = not (case.mac and case.signs_body)  # what is garbled within may be what proves who sent it
            if good and not within and not isinstance(refused, TooMany):
                raise
            self.tally.refused[refused.result] += 1
            str(refused).encode()
            return []
        for publication in found:
            self._fact(case, publication)
        self.tally.empty += not found
        if (took := time.process_time() - began) > SLOW:
            raise TimeoutError(f"took {took:.2f} s")
        if self.rolls.random() < 0.05:
            self._again(case, body, found)
        return found

    def _again(self, case: Case, body: Push | Listed, found: list[Publication]) -> None:
        """The same once more: the same ids and keys, so that all of it is a duplicate."""
        again = self._received(case, body, NOW + 1)
        if [self._identity(each) for each in again] != [self._identity(each) for each in found]:
            raise ValueError("the same body again has other ids")

    @staticmethod
    def _identity(publication: Publication) -> tuple[Any, ...]:
        event = codec.decode(publication.value, RawEvent)
        return publication.topic, publication.key, event.event_id, event.source

    def _fact(self, case: Case, publication: Publication) -> None:
        """One envelope: one observation or one dead letter, either fit for Kafka and for the tables."""
        self.tally.facts += 1
        event = codec.decode(publication.value, RawEvent)
        if not 0 < len(publication.key) <= 1024 or not 0 < len(event.event_id) <= 512:
            raise ValueError(f"key of {len(publication.key)} bytes, id of {len(event.event_id)} characters")
        sizes = sum(len(name) + len(value) for name, value in publication.headers)
        if sizes > 8192:
            raise ValueError(f"headers of {sizes} bytes")
        try:
            fact = normalise(event, DECODERS, POLICY)
        except Unusable as why:
            self._dead(event, why)
            return
        self.tally.observations += 1
        if codec.decode(codec.encode(fact), type(fact)) != fact:
            raise ValueError("the observation is another one when it is read")
        key = fact.parcel_key if isinstance(fact, ParcelObservation) else fact.order_key
        if not key or len(key) > 400 or "\0" in key:
            raise ValueError(f"the key {key!r}")
        storable(msgspec.structs.astuple(fact))
        if isinstance(fact, ParcelObservation):
            for _, row in parcel_event(fact):
                storable(clean(row))

    def _dead(self, event: RawEvent, why: Unusable) -> None:
        self.tally.dead[why.reason] += 1
        if why.reason not in REASONS:
            raise ValueError(f"a dead letter with the reason {why.reason}")
        if len(why.detail) > 2000 or len(why.code or "") > 2000:
            raise ValueError(f"a detail of {len(why.detail)} characters, a code of {len(why.code or '')}")
        buried = letter(event, why.reason, why.detail, None, ("t", 0, 0))
        codec.decode(codec.encode(buried), type(buried))
        for _, row in dead_letter(buried):
            storable(clean(row))
        if alert := unmapped_alert(event, why):
            codec.encode(alert)


def storable(row: Any) -> None:
    """Fit for a column: texts that are UTF-8, integers of 64 bits."""
    for value in row:
        if isinstance(value, str):
            value.encode()
        elif isinstance(value, int) and not -INT64 <= value < INT64:
            raise ValueError(f"{value} has no place in a column")
        elif isinstance(value, list | tuple):
            storable(value)
