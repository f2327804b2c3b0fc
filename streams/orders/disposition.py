"""Whether a fact is new: duplicate, repeat, late or change. Semantics §3. Pure.

Of each raw event 14 bytes are kept: 6 of its id's hash, 4 of the place it was read at, 4 of its receipt in seconds;
oldest first. The place tells a duplicate from a raw event that was normalised twice, after a crash.
"""

from hashlib import blake2b
from typing import Final, NamedTuple
from zlib import crc32

from schemas.records import Observation
from schemas.status import RANKS
from streams.orders.state import MAX_CASES, MAX_SEEN, Case, Source, TooMuch

NEW: Final = "new"
REPLAY: Final = "replay"
DUPLICATE: Final = "duplicate"
REPEAT: Final = "repeat"
LATE: Final = "late"
CHANGE: Final = "change"

_ID, _PLACE, _ENTRY = 6, 10, 14  # where parts of an entry end


class Verdict(NamedTuple):
    """What a fact is, and the status of its axis before it."""

    disposition: str
    before: str | None


def seen(source: Source, fact: Observation, origin: bytes | None, retention: int) -> str:
    """NEW for an id that the source has not sent within the retention, DUPLICATE, or REPLAY of the same raw event.

    `origin` names the raw event's place (topic, partition, offset), None where there is none. What is no replay is
    remembered.
    """
    name, place = blake2b(fact.event_id.encode(), digest_size=_ID).digest(), _fingerprint(origin)
    kept, verdict = source.seen, NEW
    at = kept.find(name)
    while at >= 0:
        if at % _ENTRY == 0:
            if origin is not None and kept[at + _ID : at + _PLACE] == place:
                return REPLAY
            if fact.received_at - _receipt(kept, at) <= retention:
                verdict = DUPLICATE
        at = kept.find(name, at + 1)
    if verdict is NEW or origin is not None:
        forgotten = max(0, len(kept) + _ENTRY - MAX_SEEN * _ENTRY)
        while forgotten < len(kept) and fact.received_at - _receipt(kept, forgotten) > retention:
            forgotten += _ENTRY
        source.seen = kept[forgotten:] + name + place + (fact.received_at // 1000).to_bytes(4)
    return verdict


def recent(kept: bytes, since: int) -> bytes:
    """The ids that were received at or after `since` (ms)."""
    entries = (kept[at : at + _ENTRY] for at in range(0, len(kept), _ENTRY))
    return b"".join(entry for entry in entries if _receipt(entry, 0) >= since)


def _fingerprint(origin: bytes | None) -> bytes:
    return bytes(4) if origin is None else crc32(origin).to_bytes(4)


def _receipt(kept: bytes, entry: int) -> int:
    return 1000 * int.from_bytes(kept[entry + _PLACE : entry + _ENTRY])


def judge(source: Source, fact: Observation) -> Verdict:
    """What a fact with a new id is, beside what its source said last on the same axis. Changes nothing."""
    if fact.axis == "fulfilment":
        return Verdict(_ranked(source, fact), source.status)
    if fact.axis == "stock":
        return Verdict(_unranked(source.stock, source.stock_at, source.stock_received, fact), source.stock)
    case = source.cases.get(fact.case_id or "")
    if case is None:
        return Verdict(CHANGE, None)
    return Verdict(_unranked(case.status, case.at, case.received, fact), case.status)


def _unranked(status: str | None, at: int, received: int, fact: Observation) -> str:
    if status is None:
        return CHANGE
    if status == fact.status:
        return REPEAT
    return LATE if (fact.occurred_at, fact.received_at) < (at, received) else CHANGE


def _ranked(source: Source, fact: Observation) -> str:
    """At equal times the higher rank wins; equal ranks (an end beside an end, OnHold): the one received later."""
    if source.status is None:
        return CHANGE
    if source.status == fact.status:
        return REPEAT
    if fact.occurred_at != source.at:
        return LATE if fact.occurred_at < source.at else CHANGE
    rank = RANKS.get(fact.status, source.rank)
    if rank != source.rank:
        return LATE if rank < source.rank else CHANGE
    return LATE if fact.received_at < source.received else CHANGE


def accept(source: Source, fact: Observation) -> None:
    """A change: the fact becomes what its source says."""
    if fact.axis == "fulfilment":
        source.base = source.ranked if fact.status not in RANKS else None
        source.status, source.at, source.received = fact.status, fact.occurred_at, fact.received_at
    elif fact.axis == "stock":
        source.stock, source.stock_at, source.stock_received = fact.status, fact.occurred_at, fact.received_at
    else:
        _accept_case(source, fact)


def _accept_case(source: Source, fact: Observation) -> None:
    name = fact.case_id or ""
    case = source.cases.get(name)
    if case is None:
        if len(source.cases) >= MAX_CASES:
            raise TooMuch(fact.order_key, MAX_CASES, f"refund cases at {fact.source}")
        case = source.cases[name] = Case(fact.status, fact.occurred_at, fact.received_at)
    case.status, case.at, case.received = fact.status, fact.occurred_at, fact.received_at
