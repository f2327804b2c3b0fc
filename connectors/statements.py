"""What connectors of channels share whose pushes and lists state the same facts: one reading makes the id and the observation.

A subclass says how a push's message, or an object of a list, is read (`read`) and whose it is where it cannot be read
(`order_of`). The event id of a fact is `connectors.orders.fact_id`, so that it is one whether it was pushed or listed.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from connectors import orders
from connectors.base import Connector, Fact
from connectors.config import CHANNEL, Shop
from connectors.orders import Details, Stated
from connectors.pull.base import PULLED
from connectors.reading import digest, key_of
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent


@dataclass(frozen=True, slots=True)
class Statement:
    """What one message or object says. `said` None: it states nothing. `at` is in ms; None where the platform says no time.

    `speakers` are the shop ids that it names; `what` is the code, for a person; `own_id` is the platform's own id of the message,
    which counts where there is no time to make an id of.
    """

    order_id: str
    said: Stated | None
    at: int | None = None
    what: str = ""
    speakers: tuple[str | None, ...] = ()
    details: Details = field(default_factory=Details)
    own_id: str | None = None


NOTHING: Final = Statement("", None)


class StatementConnector(Connector):
    """A channel that is read in one way, pushed or pulled."""

    kinds = frozenset({CHANNEL})

    @abstractmethod
    def read(self, payload: bytes, feed: str | None) -> Statement:
        """One message of a push (`feed` None), or one object of a list. Raises `schemas.facts.Unusable`."""

    @abstractmethod
    def order_of(self, payload: bytes, feed: str | None) -> Any:
        """The order's id, as it stands there, of what may be unreadable otherwise; None where there is none. Raises nothing."""

    def pulled(self, shop: Shop, feed: str, item: bytes) -> list[Fact]:
        """See Connector."""
        return self.facts(shop, item, {PULLED: feed})

    def facts(self, shop: Shop, payload: bytes, headers: Mapping[str, str]) -> list[Fact]:
        """One fact of a message or object, none where it states nothing."""
        feed = headers.get(PULLED)
        event_id = None
        try:
            stated = self.read(payload, feed)
        except Unusable:
            order_id = self.order_of(payload, feed)  # a fact all the same: it ends as a dead letter and is said
        else:
            if stated.said is None:
                return []
            order_id, said, case = stated.order_id, stated.said, stated.details.get("case_id")
            if stated.at is not None:
                event_id = orders.fact_id(shop.name, shop.shop, order_id, said.axis, said.status, stated.at, case)
            else:
                event_id = key_of(stated.own_id)
        event_id = event_id or digest(shop.name, payload)
        return [Fact(event_id, key_of(shop.name, shop.shop, order_id) or event_id, shop.name, payload, headers)]

    def decode(self, event: RawEvent) -> Observation:
        """Read one envelope."""
        stated = self.read(event.payload, event.headers.get(PULLED))
        said = orders.required(stated.said, stated.what)
        orders.own(event, stated.order_id, *stated.speakers)
        at = event.received_at if stated.at is None else stated.at
        return orders.observation(event, (event.source, event.shop), stated.order_id, said, at, **stated.details)
