"""A parcel from the list of its nodes and links, as they were read. Semantics §2 and §7."""

from dataclasses import dataclass, field
from typing import Final

from ops.simulation.oracle.reading import RANK, Fact

HOUR: Final = 3_600_000
TIERS: Final = (2 * HOUR, 6 * HOUR, 24 * HOUR)
UNSIGNED: Final = 4 * HOUR
MOVES: Final = {
    "PickedUp", "InTransit", "ArrivedAtHub", "CustomsCleared", "ArrivedAtStation", "OutForDelivery", "DeliveryAttemptFailed",
    "AwaitingPickup", "Returning",
}  # fmt: skip
OVER: Final = {"Signed", "SignedByProxy", "Returned", "Lost"}
SAYS: Final = {
    "PickedUp": "PickedUp", "InTransit": "InTransit", "ArrivedAtHub": "InTransit", "CustomsCleared": "InTransit",
    "ArrivedAtStation": "InTransit", "OutForDelivery": "OutForDelivery", "Signed": "Signed", "SignedByProxy": "Signed",
}  # fmt: skip


@dataclass(frozen=True)
class Link:
    """An order's word that a parcel is its own."""

    event_id: str
    order: str
    parcel: str
    source: str
    received: int
    customer: str | None


@dataclass
class Box:
    """All that is true of a parcel. `rows` are (kind, episode, tier, due)."""

    key: str
    status: str | None = None
    status_at: int | None = None
    moved: int | None = None
    watching: bool = False
    order: str | None = None
    customer: str | None = None
    observations: int = 0
    duplicates: int = 0
    updated: int = 0
    states: dict[str, Fact] = field(default_factory=dict)  # derived statements, by event id
    rows: set[tuple[str, int, int, int]] = field(default_factory=set)
    standing: set[tuple[str, int, int]] = field(default_factory=set)  # of rows that nothing has ended: they must have been alerted
    held: set[str] = field(default_factory=set)  # event ids of nodes that alert
    risky: bool = False


def tell(key: str, read: list[Fact | Link], until: int) -> Box:
    """What a parcel is after these, in the order of reading; somebody has looked until `until`."""
    box = Box(key)
    nodes = distinct(box, [each for each in read if isinstance(each, Fact)])
    place(box, nodes)
    say(box, read)
    stalls(box, nodes, until)
    unsigned(box, nodes, until)
    returning = any(node.status in {"Returning", "Returned"} for node in nodes)
    box.risky = returning and box.order is not None and any(node.reason == "address_unclear" for node in nodes)
    return box


def distinct(box: Box, nodes: list[Fact]) -> list[Fact]:
    """Without repeated ids, which are counted."""
    found: dict[str, Fact] = {}
    for node in nodes:
        found.setdefault(node.event_id, node)
    box.observations, box.duplicates = len(found), len(nodes) - len(found)
    box.updated = max((node.received for node in nodes), default=0)
    return list(found.values())


def place(box: Box, nodes: list[Fact]) -> None:
    """Where it is: the newest node by the courier's clock, of equal ones the last."""
    reason: str | None = None
    for node in nodes:
        if box.status_at is not None and node.at < box.status_at:
            continue
        now = (node.reason or "other") if node.status == "Held" else None
        if now is not None and now != reason:
            box.held.add(node.event_id)
        reason, box.status, box.status_at = now, node.status, node.at
    box.moved = max((node.at for node in nodes if node.status in MOVES), default=None)
    box.watching = box.moved is not None and not any(node.status in OVER for node in nodes)


def say(box: Box, read: list[Fact | Link]) -> None:
    """What it states of its orders: each status once; before an order is known the earliest of equal ones will be said."""
    said: dict[str, Fact] = {}
    orders: dict[str, int] = {}  # and when each was known
    seen: set[str] = set()
    for each in read:
        if isinstance(each, Link):
            if joins(box, list(orders), each):
                orders[each.order] = each.received
                box.updated = max(box.updated, each.received)
                for word in sorted(said, key=lambda word: (said[word].at, RANK[word])):
                    state(box, word, said[word], each.order, each.received)
        elif each.event_id not in seen:
            seen.add(each.event_id)
            found = SAYS.get(each.status)
            if found and (found not in said or (not orders and said[found].at > each.at)):
                said[found] = each
                for order, known in orders.items():
                    state(box, found, each, order, known)
    box.order = next(iter(orders), None)


def joins(box: Box, orders: list[str], link: Link) -> bool:
    """Whether a link makes an order the parcel's: the first does, and others of the same known customer."""
    if link.order in orders:
        box.customer = box.customer or link.customer
        return False
    if orders:
        return box.customer is not None and box.customer == link.customer
    box.customer = link.customer
    return True


def state(box: Box, word: str, node: Fact, order: str, known: int) -> None:
    """One statement about an order."""
    courier = box.key.split(":", 1)[0]
    event_id = f"{box.key}/{word}@{order}"
    box.states[event_id] = Fact(
        place=None,
        event_id=event_id,
        source=courier,
        kind="courier",
        key=order,
        axis="fulfilment",
        status=word,
        at=node.at,
        received=max(node.received, known),
        clock=node.clock,
        trigger=f"{courier}/{node.event_id}",
        derived=True,
        parcel=box.key,
    )


def stalls(box: Box, nodes: list[Fact], until: int) -> None:
    """Tiers that came due: the silence after each movement, up to the receipt of what ended it."""
    moved: int | None = None
    over, episode = False, 0
    for number, node in enumerate(nodes):
        over = over or node.status in OVER
        if node.status not in MOVES or (moved is not None and node.at <= moved):
            continue
        moved = node.at
        if over:
            continue
        enders = (later.received for later in nodes[number + 1 :] if later.status in OVER or (later.status in MOVES and later.at > moved))
        end = next(enders, None)
        due = [moved + tier for tier in TIERS if moved + tier < (until if end is None else end)]
        episode += bool(due)
        box.rows |= {("stall", episode, tier, at) for tier, at in enumerate(due, 1)}
        if end is None and due:
            box.standing.add(("stall", episode, len(due)))


def unsigned(box: Box, nodes: list[Fact], until: int) -> None:
    """Each OutForDelivery that nobody signed for in time, unless it was turned, ended, or went out again."""
    out: int | None = None
    turned, fired, over = 0, 0, False
    for number, node in enumerate(nodes):
        over = over or node.status in OVER
        if node.status in {"Rejected", "Returning"}:
            turned = max(turned, node.at)
        if node.status != "OutForDelivery" or (out is not None and node.at <= out):
            continue
        out = node.at
        if over or out < turned:
            continue
        end = until
        ended = False
        mark = turned
        for later in nodes[number + 1 :]:
            mark = max(mark, later.at) if later.status in {"Rejected", "Returning"} else mark
            if later.status in OVER or (later.status == "OutForDelivery" and later.at > out) or mark > out:
                end, ended = later.received, True
                break
        if out + UNSIGNED < end:
            fired += 1
            box.rows.add(("unsigned", fired, 0, out + UNSIGNED))
            if not ended:
                box.standing.add(("unsigned", fired, 0))
