"""A courier's node: duplicate or news, movement, end of the watch. Semantics §3 (ids, late nodes) and §7. Pure."""

from bisect import insort
from typing import Final
from zlib import crc32

from schemas.records import ParcelObservation
from schemas.status import MOVEMENTS, SAYS_OF_ORDER, WATCH_ENDS
from streams.parcels.state import IDS_KEPT, NODES_KEPT, PLACES_KEPT, Node, Parcel, Said, Seen
from streams.policy import Policy

NEW: Final = "new"
DUPLICATE: Final = "duplicate"
REPLAY: Final = "replay"
TURNED: Final = frozenset({"Rejected", "Returning"})


def novelty(parcel: Parcel, node: ParcelObservation, place: bytes | None, policy: Policy) -> str:
    """Count the node as NEW or DUPLICATE by its id, within the retention; a REPLAY of the same raw event does not count.

    `place` names the raw event's place in Kafka, None where there is none.
    """
    mark = None if place is None else crc32(place)
    known = parcel.seen.get(node.event_id)
    if known is not None and mark in known.places:
        return REPLAY
    horizon = node.received_at - policy.dedup_retention
    if known is not None and known.at < horizon:
        known = None
    verdict = NEW if known is None else DUPLICATE
    seen = known or Seen(node.received_at)
    seen.at = max(seen.at, node.received_at)
    seen.places = [*seen.places, *([] if mark is None else [mark])][-PLACES_KEPT:]
    _remember(parcel, node.event_id, seen, horizon)
    if verdict is NEW:
        parcel.observations += 1
    else:
        parcel.duplicates += 1
    return verdict


def _remember(parcel: Parcel, event_id: str, seen: Seen, horizon: int) -> None:
    kept = parcel.seen
    kept.pop(event_id, None)
    while kept and (len(kept) >= IDS_KEPT or next(iter(kept.values())).at < horizon):
        del kept[next(iter(kept))]
    kept[event_id] = seen


def take(parcel: Parcel, node: ParcelObservation) -> bool:
    """Take news into the parcel. Returns whether it is where the parcel is now, and not a late node."""
    status, at = node.status or "", node.occurred_at
    insort(parcel.history, Node(at, status, node.place or "", node.text or ""))
    del parcel.history[:-NODES_KEPT]
    parcel.heard_at = max(parcel.heard_at, node.received_at)
    if status in MOVEMENTS:
        _moved(parcel, at)
    if status in WATCH_ENDS:
        parcel.ended, parcel.sms_at = True, None
    if status == "OutForDelivery":
        parcel.out_at = max(parcel.out_at or 0, at)
    if status in TURNED:
        parcel.turned_at = max(parcel.turned_at or 0, at)
    if parcel.status_at is not None and at < parcel.status_at:
        return False
    parcel.status, parcel.status_at, parcel.text, parcel.place = status, at, node.text, node.place
    return True


def _moved(parcel: Parcel, at: int) -> None:
    """A movement ends the episode; one that is older than the last movement is none."""
    if parcel.last_movement_at is None or at > parcel.last_movement_at:
        parcel.last_movement_at, parcel.tier, parcel.sms_at = at, 0, None


def says(parcel: Parcel, node: ParcelObservation) -> str | None:
    """What the node newly says of the order's fulfilment; None for what it has said before.

    As long as no order knows the parcel, the earliest of equal statements is the one that will be made.
    """
    word = SAYS_OF_ORDER.get(node.status or "")
    if word is None:
        return None
    before = parcel.said.get(word)
    if before is not None and (parcel.orders or before.occurred_at <= node.occurred_at):
        return None
    parcel.said[word] = Said(node.event_id, node.status or "", node.occurred_at, node.received_at, node.clock)
    return word
