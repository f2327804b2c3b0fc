"""An object of a system's list, and what it states."""

from connectors.config import Shop
from connectors.registry import CONNECTORS
from schemas.facts import Unusable
from schemas.records import Observation, RawEvent

RECEIVED = 1_795_312_900_000


def envelopes(shop: Shop, feed: str, item: bytes) -> list[RawEvent]:
    """The envelopes of an object."""
    return [
        RawEvent(
            event_id=fact.event_id,
            source=fact.source,
            connector=shop.connector,
            kind=shop.kind,
            shop=shop.shop,
            received_at=RECEIVED,
            verified=True,
            headers=dict(fact.headers),
            payload=fact.payload,
        )
        for fact in CONNECTORS[shop.connector].pulled(shop, feed, item)
    ]


def said(shop: Shop, feed: str, item: bytes) -> list[Observation]:
    """What an object states, of each of its orders. Raises Unusable."""
    found = [CONNECTORS[shop.connector].decode(event) for event in envelopes(shop, feed, item)]
    assert all(isinstance(one, Observation) for one in found)
    return [one for one in found if isinstance(one, Observation)]


def states(shop: Shop, feed: str, item: bytes) -> list[str]:
    """Only the statuses."""
    return [one.status for one in said(shop, feed, item)]


def dead(shop: Shop, feed: str, item: bytes) -> list[tuple[str, str]]:
    """Why the envelopes of an object are dead letters: reason and detail of each."""
    found = []
    for event in envelopes(shop, feed, item):
        try:
            CONNECTORS[shop.connector].decode(event)
        except Unusable as why:
            found.append((why.reason, why.detail))
    return found
