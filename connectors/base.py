"""What every connector is: five answers about one source's pushes, none of which reads a clock or touches the network.

* Refused — the push is not taken, with the HTTP status that says why
  + BadSignature (401) — not signed with this shop's secret
  + Stale (401) — signed, but for another time
  + TooMany (413) — more facts than one push may hold
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

from connectors.config import Shop
from connectors.reading import form
from schemas.records import Observation, ParcelObservation, RawEvent

MAX_FACTS = 500  # of one push
Decoded = Observation | ParcelObservation


class Refused(Exception):
    """A push that is not taken. Its text goes to the sender, so it never holds what a secret would have to be."""

    status: ClassVar[int] = 401
    result: ClassVar[str] = "refused"


class BadSignature(Refused):
    """Not signed with this shop's secret."""

    result = "bad_signature"


class Stale(Refused):
    """Signed for a time too far from now: a replay, or a clock that is wrong."""

    result = "stale"


class TooMany(Refused):
    """More facts than one push may hold."""

    status = 413
    result = "too_large"


@dataclass(frozen=True)
class Push:
    """One request as it came. Headers are asked for by names in lower case; the first value of a header or parameter counts."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def form(self) -> Mapping[str, str]:
        """The body as an urlencoded form, the first of each name; empty for what is none."""
        return form(self.body)


@dataclass(frozen=True)
class Fact:
    """One fact of a push, to become one envelope.

    `key` is the order key or parcel key, or the event id where it cannot be read. `payload` is the fact's own bytes;
    `headers` hold what `decode` needs besides them, such as the waybill that a list of nodes belongs to.
    """

    event_id: str
    key: str
    source: str
    payload: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """An answer in the platform's own words."""

    body: bytes = b""
    content_type: str = "application/json"
    status: int = 200


class Connector(ABC):
    """One source's format. Stateless: one instance serves all shops."""

    name: ClassVar[str]
    kinds: ClassVar[frozenset[str]]  # which of channel, system, courier may be configured with it
    pull_only: ClassVar[bool] = False  # it pushes nothing that is publicly known: every push is refused, its lists are asked for

    def check(self, shop: Shop) -> None:
        """Raise ValueError, for a person, where the shop's configuration lacks what this format needs."""
        if not shop.secret:
            raise ValueError(f"{self.name} {shop.shop} needs a secret: without one anybody could sign")

    @abstractmethod
    def verify(self, shop: Shop, push: Push, now: float) -> None:
        """Raise Refused unless the push is signed with the shop's secret. `now` is in seconds."""

    @abstractmethod
    def split(self, shop: Shop, push: Push) -> list[Fact]:
        """Cut a verified push into its facts. Raise nothing but TooMany: what cannot be read is one fact all the same.

        A message that is documented to state nothing (a probe, a memo) is no fact.
        """

    @abstractmethod
    def acknowledge(self, shop: Shop, accepted: int) -> Reply:
        """Say in the platform's words that all facts are safe."""

    def answer(self, shop: Shop, push: Push, accepted: int, now: float) -> Reply:
        """The acknowledgement where its words depend on the push or the time (seconds); `acknowledge` where they do not."""
        return self.acknowledge(shop, accepted)

    @abstractmethod
    def decode(self, event: RawEvent) -> Decoded:
        """Read one envelope. Raises `schemas.facts.Unusable`."""

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """The facts of one object of a list, with its own bytes and the header `pulled`; a pull states what a push does.

        An object that states nothing is no fact; one that cannot be read is one all the same. Raises nothing.
        """
        raise NotImplementedError(f"{self.name} is not asked, it is told")

    def challenge(self, shop: Shop, push: Push, now: float) -> Reply | None:
        """Answer a GET with which some platforms check an address; None where they do not. Raises Refused."""
        return None
