"""What courier connectors share: the status of a node, by a code of a table or by its words, and the node's envelope."""

import contextlib
from collections.abc import Mapping
from typing import Any

from connectors.base import Fact
from connectors.config import Shop
from connectors.reading import digest, key_of
from schemas import couriers, mapping, phrases
from schemas.facts import Unusable
from schemas.mapping import Entry, Table
from schemas.phrases import Reading
from schemas.records import ParcelObservation, RawEvent

TEXT_CODE = "(text)"  # one alert a day for all unknown texts of a courier; each dead letter holds its own
REVERSAL = "reversal"  # reason of codes that undo an earlier scan: no status, but a person must know
COURIER, NUMBER, STATE = "courier", "tracking-no", "state"  # headers of an envelope: whose node it is; the newest one's state


def table_of(courier: str) -> Table | None:
    """The codes of a courier by any of its names; None where there is no table of a courier."""
    table = mapping.find(couriers.ours(courier))
    return table if table and table.kind == "courier" else None


def read(text: str | None) -> Reading | None:
    """What the words of a node say; None without words."""
    return phrases.read(text) if text else None


def found(table: Table, code: str, *fields: str) -> Entry | None:
    """The row of a code in these fields, in turn; without fields in all, or in that of `field:code`.

    Raises Unusable where fields that were not named read it differently: one word, two meanings.
    """
    if fields:
        return next((entry for name in fields if (entry := table.get(name, code))), None)
    name, _, rest = code.partition(":")
    if rest and name in table.fields:
        return table.get(name, rest)
    rows = {name: entry for name in table.fields if (entry := table.get(name, code))}
    if len({(entry.status, entry.reason == REVERSAL) for entry in rows.values()}) > 1:
        said = ", ".join(f"{name}:{code} is {entry.status or 'no status'}" for name, entry in rows.items())
        raise Unusable("unmapped_status", f"{table.source}'s code {code!r} has several meanings: {said}; send the field too", code)
    return next(iter(rows.values()), None)


def meaning(table: Table, code: str, *fields: str) -> Entry:
    """The row of a code that must be there and state something. Raises Unusable."""
    entry = found(table, code, *fields)
    if entry is None:
        raise Unusable("unmapped_status", f"{table.source} sent code {code!r}, which its table does not have", code)
    if entry.status is None:
        undone = " and undoes an earlier one: look at the parcel" if entry.reason == REVERSAL else ""
        raise Unusable("unmapped_status", f"code {code} ({entry.label_zh}) states no status of the parcel{undone}", code)
    return entry


def silent(table: Table, code: str, *fields: str) -> bool:
    """Whether a code is known to state nothing. One that undoes an earlier scan is not silent, though it has no status."""
    with contextlib.suppress(Unusable):
        entry = found(table, code, *fields)
        return entry is not None and entry.status is None and entry.reason != REVERSAL
    return False


def worded(reading: Reading | None, text: str) -> Reading:
    """What the words of a node state. Raises Unusable: words that no rule knows are never guessed."""
    if reading is None or reading.status is None:
        known = f"({reading.reason}) " if reading and reading.reason else ""
        raise Unusable("unmapped_status", f"no rule reads a status {known}in the text {text[:200]!r}", TEXT_CODE)
    return reading


def given(fields: Mapping[str, str], name: str) -> str | None:
    """A Base64 digest in a form. Some senders forget to encode its `+`, which a form reads as a space."""
    return fields[name].replace(" ", "+") if name in fields else None


def whole(shop: Shop, body: bytes) -> Fact:
    """A push that cannot be cut: one fact, to become a dead letter that says why."""
    event_id = digest(shop.name, body)
    return Fact(event_id, event_id, shop.name, body)


def node(shop: Shop, courier: str, number: object, data: bytes, *identity: object, state: object = None) -> Fact:
    """A node of a parcel, with whose it is in its headers. Its id is of waybill and `identity`, else of its bytes."""
    said = [None if part is None else str(part) for part in identity]
    event_id = digest(courier, str(number), *said) if any(said) else digest(courier, str(number), data)
    key = key_of(courier, number)
    headers = {COURIER: courier, NUMBER: str(number)} if key else {}
    if state is not None and state != "":
        headers[STATE] = str(state)[:64]
    return Fact(event_id, key or event_id, courier if key else shop.name, data, headers)


def whose(event: RawEvent) -> tuple[str, str]:
    """Courier and waybill of an envelope. Raises Unusable for a push that could not be cut."""
    courier, number = event.headers.get(COURIER), event.headers.get(NUMBER)
    if not courier or not number:
        raise Unusable("undecodable", f"the push of {event.connector} could not be cut: it names no parcel where its format has one")
    return courier, number


def observation(
    event: RawEvent,
    said: Entry | Reading,
    at: int,
    code: str | None,
    text: str | None,
    place: str | None = None,
    operator: str | None = None,
    **parcel: Any,
) -> ParcelObservation:
    """What a node states. `parcel` is its courier and number where the headers do not tell; `at` is in ms."""
    courier, number = (parcel["courier"], parcel["number"]) if parcel else whose(event)
    words = read(text)
    return ParcelObservation(
        kind="node",
        event_id=event.event_id,
        source=event.source,
        parcel_key=f"{courier}:{number}",
        courier=courier,
        tracking_no=number,
        status=said.status,
        code=code,
        text=text or None,
        place=place or (words.place if words else None),
        reason=(words.reason if words else None) or said.reason,
        occurred_at=at,
        received_at=event.received_at,
        operator=operator,
    )
