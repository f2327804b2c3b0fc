"""An order by the letter of semantics.md: slow, from the whole list of delivered facts each time, apart from the fold.

`tell(facts, policy)` answers everything about the facts as delivered, in that order. Nothing is imported from
`streams.orders`; ranks and tables are written down once more.
"""

from dataclasses import dataclass, field

from msgspec.structs import replace

from schemas.records import Observation
from streams.policy import Policy

RANK = {
    "Created": 0,
    "PaymentPending": 10,
    "PaymentConfirmed": 20,
    "Approved": 30,
    "Allocated": 40,
    "Picking": 50,
    "Packed": 60,
    "PartiallyShipped": 65,
    "Shipped": 70,
    "PickedUp": 80,
    "InTransit": 90,
    "OutForDelivery": 100,
    "Signed": 110,
    "Completed": 120,
}
ABOVE = 1000  # ends are above all ranks
ENDS = ("Cancelled", "Closed")
LINKED = {"erp": "erp", "wms": "wms"}


def height(status: str | None) -> int | None:
    """Rank of a status, ABOVE for an end, None for OnHold and nothing."""
    return ABOVE if status in ENDS else RANK.get(status or "")


@dataclass
class Told:
    """What is true after the last fact."""

    dispositions: list[tuple[str, str]] = field(default_factory=list)  # (event id, disposition) of the audited
    duplicates: dict[str, int] = field(default_factory=dict)
    jumps: list[tuple[str, str]] = field(default_factory=list)  # (event id, kind)
    breach: str | None = None  # event id of the jump that breached
    statuses: dict[str, str | None] = field(default_factory=dict)
    status: str | None = None
    conflicts: dict[tuple[str, str], tuple[int, int | None]] = field(default_factory=dict)  # (kind, system) → times
    pool: list[str] = field(default_factory=list)  # actions
    paid: bool = False
    ended: bool = False


@dataclass
class Entry:
    """One audited fact."""

    fact: Observation
    disposition: str = ""


def tell(delivered: list[Observation], policy: Policy) -> Told:
    """Everything, by going through the list as often as there are questions."""
    told = Told()
    entries: list[Entry] = []
    for number, fact in enumerate(delivered):
        if any(old.source == fact.source and old.event_id == fact.event_id for old in delivered[:number]):
            if not fact.derived:
                told.duplicates[fact.source] = told.duplicates.get(fact.source, 0) + 1
            continue
        stated = aggregate(fact, fresh(delivered[:number]))
        if stated is not None:
            entries.append(Entry(stated, dispose(stated, entries)))
    told.dispositions = [(one.fact.event_id, one.disposition) for one in entries]
    tell_jumps(told, entries, policy)
    told.statuses = {source: current(entries, source) for source in dict.fromkeys(one.fact.source for one in entries)}
    told.status = own_status(entries)
    for kind, within in policy.expectations.items():
        tell_expectation(told, entries, kind, within, policy)
    tell_moved(told, entries)
    tell_amounts(told, entries)
    tell_pool(told, entries)
    return told


def fresh(facts: list[Observation]) -> list[Observation]:
    """Without duplicates."""
    return [
        fact
        for number, fact in enumerate(facts)
        if not any(old.source == fact.source and old.event_id == fact.event_id for old in facts[:number])
    ]


# -- §2: parcels


def aggregate(fact: Observation, before: list[Observation]) -> Observation | None:
    """What a parcel's word says of the order, None for nothing."""
    if not fact.derived:
        return fact
    words = [one for one in before if one.derived]
    others = {one.parcel_key for one in words} | {f"{ref.courier}:{ref.tracking_no}" for one in before for ref in one.parcels}
    others -= {fact.parcel_key}
    if not others:
        return fact
    if fact.status != "Signed":
        reached = [RANK[one.status] for one in words if one.parcel_key != fact.parcel_key]
        return None if RANK[fact.status] <= max(reached, default=-1) else fact
    newest = [latest([one for one in [*words, fact] if one.parcel_key == key]) for key in [*others, fact.parcel_key]]
    if any(one is None or one.status != "Signed" for one in newest):
        return None
    return replace(fact, occurred_at=max(one.occurred_at for one in newest if one))


def latest(words: list[Observation]) -> Observation | None:
    """A parcel's present word: the newest by its clock, then the one that is further on, then the one read later."""
    best: Observation | None = None
    for word in words:
        if best is None or (word.occurred_at, RANK[word.status]) >= (best.occurred_at, RANK[best.status]):
            best = word
    return best


# -- §3: dispositions and jumps


def axis_of(entries: list[Entry], source: str, axis: str, case: str | None = None) -> list[Entry]:
    """Accepted facts of a source on one axis, in the order of reading."""
    return [
        one
        for one in entries
        if one.fact.source == source
        and one.fact.axis == axis
        and (axis != "aftersale" or one.fact.case_id == case)
        and one.disposition == "change"
    ]


def current(entries: list[Entry], source: str) -> str | None:
    """What a source says now on the fulfilment axis."""
    accepted = axis_of(entries, source, "fulfilment")
    return accepted[-1].fact.status if accepted else None


def base(entries: list[Entry], source: str) -> str | None:
    """Its newest status with a rank: OnHold leaves it."""
    ranked = [one.fact.status for one in axis_of(entries, source, "fulfilment") if one.fact.status != "OnHold"]
    return ranked[-1] if ranked else None


def dispose(fact: Observation, entries: list[Entry]) -> str:
    """Change, repeat or late."""
    accepted = axis_of(entries, fact.source, fact.axis, fact.case_id)
    if not accepted:
        return "change"
    last = accepted[-1].fact
    if last.status == fact.status:
        return "repeat"
    if fact.occurred_at != last.occurred_at:
        return "late" if fact.occurred_at < last.occurred_at else "change"
    if fact.axis == "fulfilment":
        here = height(base(entries, fact.source))
        there = here if fact.status == "OnHold" else height(fact.status)
        below, above = (-1 if rank is None else rank for rank in (here, there))
        if above != below:
            return "late" if above < below else "change"
    return "late" if fact.received_at < last.received_at else "change"


def tell_jumps(told: Told, entries: list[Entry], policy: Policy) -> None:
    """Jumps, and which of them breaches."""
    for number, one in enumerate(entries):
        if one.disposition == "change" and one.fact.axis == "fulfilment":
            kind = jump(one.fact, entries[:number], policy)
            if kind:
                told.jumps.append((one.fact.event_id, kind))
                place = told.dispositions.index((one.fact.event_id, "change"))
                told.dispositions[place] = (one.fact.event_id, "jump")
    if len(told.jumps) > policy.jumps.max_per_order:
        told.breach = told.jumps[policy.jumps.max_per_order][0]


def jump(fact: Observation, before: list[Entry], policy: Policy) -> str | None:
    """The first kind that fits."""
    final = (*ENDS, "Completed")
    last = current(before, fact.source)
    if last is None:
        return None
    if last in final:
        return None if fact.status in final else "revival"
    place = base(before, fact.source)
    old, new = height(place), height(fact.status)
    if place is None or old is None or new is None:
        return None
    if new < old:
        return None if (place, fact.status) in policy.jumps.allowed_steps_back else "regression"
    if fact.status in ENDS or new == old:
        return None
    if new <= mark(before, fact.source, policy):
        return "flap"
    milestones = {"channel": ("PaymentConfirmed", "Shipped"), "system": ("Shipped",)}.get(fact.source_kind, ())
    stated = {one.fact.status for one in before if one.fact.axis == "fulfilment"}
    return "skip" if any(old < RANK[name] < new and name not in stated for name in milestones) else None


def mark(entries: list[Entry], source: str, policy: Policy) -> int:
    """The highest rank reached since the last allowed step back."""
    reached, before = -1, None
    for one in axis_of(entries, source, "fulfilment"):
        status = one.fact.status
        if status in RANK:
            stepped = before is not None and (before, status) in policy.jumps.allowed_steps_back
            reached = RANK[status] if stepped else max(reached, RANK[status])
        before = before if status == "OnHold" else status
    return reached


def own_status(entries: list[Entry]) -> str | None:
    """The channel's end, else the greatest rank."""
    if current(entries, "web") in ENDS:
        return current(entries, "web")
    names = list(dict.fromkeys(one.fact.source for one in entries))
    ranked = [status for name in names if (status := base(entries, name)) in RANK]
    if ranked:
        return max(ranked, key=lambda status: RANK[str(status)])
    return next((status for name in names if (status := current(entries, name))), None)


# -- §4: conflicts


def case_now(entries: list[Entry], case: str | None) -> str | None:
    """The present status of a refund case at the channel."""
    accepted = axis_of(entries, "web", "aftersale", case)
    return accepted[-1].fact.status if accepted else None


def case_kind(entries: list[Entry], case: str | None) -> str | None:
    """The kind that was last named for a refund case."""
    kinds = [
        one.fact.aftersale_kind
        for one in entries
        if one.fact.source == "web" and one.fact.axis == "aftersale" and one.fact.case_id == case and one.fact.aftersale_kind
    ]
    return kinds[-1] if kinds else None


def succeeded(entries: list[Entry], case: str | None) -> bool:
    """Whether money has gone back."""
    return any(
        one.fact.source == "web" and one.fact.axis == "aftersale" and one.fact.case_id == case and one.fact.status == "Refunded"
        for one in entries
    )


def taken_back(entries: list[Entry], case: str | None) -> bool:
    """Whether the channel has taken a refund back."""
    now = case_now(entries, case)
    return now == "RefundRejected" or (now == "RefundClosed" and not succeeded(entries, case))


def refund_ends(fact: Observation, entries: list[Entry]) -> bool:
    """Whether a statement on the after-sale axis ends an order; `entries` include it."""
    if fact.axis != "aftersale" or fact.source != "web" or fact.partial_refund:
        return False
    whole = fact.status == "Refunded"
    return whole or (fact.status == "RefundApproved" and case_kind(entries, fact.case_id) == "refund_only")


def is_a(kind: str, fact: Observation, entries: list[Entry]) -> bool:
    """Whether a fact begins an expectation; `entries` include it."""
    ranked = fact.axis == "fulfilment"
    if kind == "paid_not_received":
        return fact.source == "web" and ranked and fact.status == "PaymentConfirmed"
    if kind == "shipped_not_synced":
        return fact.source in LINKED and ranked and fact.status == "Shipped"
    if kind == "signed_not_synced":
        return fact.source_kind == "courier" and fact.status == "Signed"
    if kind == "cancel_not_acknowledged":
        cancelled = fact.source == "web" and ranked and fact.status == "Cancelled"
        return cancelled or (fact.status == "RefundApproved" and refund_ends(fact, entries))
    return fact.status == "Refunded" and refund_ends(fact, entries)


def is_b(kind: str, fact: Observation) -> bool:
    """Whether a fact is what was waited for."""
    ranked = fact.axis == "fulfilment"
    if kind == "paid_not_received":
        return fact.source == "erp"
    if kind == "shipped_not_synced":
        return fact.source == "web" and ranked and (height(fact.status) or -1) >= RANK["Shipped"]
    if kind == "signed_not_synced":
        return fact.source == "web" and ranked and (height(fact.status) or -1) >= RANK["Signed"]
    if kind == "cancel_not_acknowledged":
        return fact.source == "erp" and ranked and fact.status in ("Cancelled", "OnHold")
    return fact.source == "erp" and fact.axis == "stock"


def holds(kind: str, entries: list[Entry]) -> bool:
    """Whether B is so already when A is read."""
    if kind == "paid_not_received":
        return any(one.fact.source == "erp" for one in entries)
    if kind == "shipped_not_synced":
        return (height(base(entries, "web")) or -1) >= RANK["Shipped"]
    if kind == "signed_not_synced":
        return (height(base(entries, "web")) or -1) >= RANK["Signed"]
    if kind == "cancel_not_acknowledged":
        return current(entries, "erp") in ("Cancelled", "OnHold")
    return any(one.fact.source == "erp" and one.fact.axis == "stock" for one in entries)


def withdrawn(kind: str, a: Observation, entries: list[Entry]) -> bool:
    """Whether A is withdrawn, as things stand."""
    if a.axis == "aftersale":
        return taken_back(entries, a.case_id)
    now = current(entries, a.source)
    if a.status == "Cancelled":
        return now not in (*ENDS, "Completed")
    rank = height(base(entries, a.source))
    if now in ENDS or rank is None or rank < RANK[a.status]:
        return True
    approved = ("RefundApproved", "ReturnInTransit", "ReturnReceived", "Refunded")
    cases = {one.fact.case_id for one in entries if one.fact.source == "web" and one.fact.axis == "aftersale"}
    return kind == "paid_not_received" and any(case_now(entries, case) in approved for case in cases)


def tell_expectation(told: Told, entries: list[Entry], kind: str, within: int, policy: Policy) -> None:
    """One per order and kind; its A is the first received. Facts are delivered in order of receipt."""
    first = next(
        (number for number, one in enumerate(entries) if one.disposition != "repeat" and is_a(kind, one.fact, entries[: number + 1])),
        None,
    )
    if first is None:
        return
    a = entries[first].fact
    deadline = max(a.occurred_at + within, a.received_at + policy.conflicts.grace)
    if withdrawn(kind, a, entries[: first + 1]) or holds(kind, entries[: first + 1]):
        return
    closed: int | None = None
    for number in range(first + 1, len(entries)):
        one = entries[number]
        timely = one.fact.received_at <= deadline
        stale = one.disposition == "late" and one.fact.occurred_at < a.occurred_at and kind != "paid_not_received"
        if is_b(kind, one.fact) and not stale:
            if timely:
                return
            closed = one.fact.received_at
            break
        if timely and one.fact.source == a.source and withdrawn(kind, a, entries[: number + 1]):
            return
    known = [one for one in entries if one.fact.received_at <= deadline]
    if kind == "cancel_not_acknowledged" and not any(
        one.fact.source == "erp"
        or (one.fact.source == "web" and one.fact.axis == "fulfilment" and 20 <= (height(one.fact.status) or -1) < ABOVE)
        for one in known
    ):
        return
    told.conflicts[kind, ""] = (deadline, closed)


def ends_in_force(entries: list[Entry]) -> list[Observation]:
    """Ends that the channel stands by: its own since the last revival, and those of refunds not taken back."""
    found: list[Observation] = []
    for number, one in enumerate(entries):
        if one.fact.source != "web" or one.disposition == "repeat":
            continue
        now = entries[: number + 1]
        if one.fact.axis == "fulfilment":
            if current(now, "web") not in ENDS:
                found = [end for end in found if end.axis != "fulfilment"]
            elif one.fact.status in ENDS:
                found.append(one.fact)
        elif taken_back(now, one.fact.case_id):
            found = [end for end in found if end.case_id != one.fact.case_id or end.axis == "fulfilment"]
        elif refund_ends(one.fact, now):
            found.append(one.fact)
    return found


def works(one: Entry, system: str) -> bool:
    """Whether a system moves to Picking or beyond."""
    rank = RANK.get(one.fact.status, -1)
    return one.fact.source == system and one.fact.axis == "fulfilment" and one.disposition != "repeat" and rank >= 50


def tell_moved(told: Told, entries: list[Entry]) -> None:
    """moved_after_end, per system."""
    for system in ("erp", "wms"):
        opened: int | None = None
        closed: int | None = None
        for number in range(len(entries)):
            now = entries[: number + 1]
            one = entries[number]
            moves = [each.fact for each in now if works(each, system)]
            last = max(moves, key=lambda move: move.occurred_at, default=None)
            stops = one.fact.source == system and one.fact.axis == "fulfilment" and one.fact.status in ("Cancelled", "OnHold")
            answers = last is not None and (one.disposition != "late" or one.fact.occurred_at >= last.occurred_at)
            if opened is not None and closed is None and stops and answers:
                closed = one.fact.received_at
            ends = ends_in_force(now)
            if opened is None and last is not None and any(end.occurred_at < last.occurred_at for end in ends):
                first = min(ends, key=lambda end: end.occurred_at)
                forbidden = [move.received_at for move in moves if move.occurred_at > first.occurred_at]
                opened = max(first.received_at, min(forbidden))
                present = axis_of(now, system, "fulfilment")[-1].fact
                if present.status in ("Cancelled", "OnHold") and present.occurred_at >= last.occurred_at:
                    closed = opened
        if opened is not None:
            told.conflicts["moved_after_end", system] = (opened, closed)


def tell_amounts(told: Told, entries: list[Entry]) -> None:
    """amount_mismatch."""
    opened: int | None = None
    closed: int | None = None
    for number, one in enumerate(entries):
        last: dict[str, Observation] = {}
        for each in entries[: number + 1]:
            fact, known = each.fact, last.get(each.fact.source)
            newer = known is None or (fact.occurred_at, fact.received_at) >= (known.occurred_at, known.received_at)
            if fact.payable_minor is not None and newer:
                last[fact.source] = fact
        apart = len({fact.payable_minor for fact in last.values()}) > 1
        if apart and opened is None:
            opened = one.fact.received_at
        if not apart and opened is not None and closed is None:
            closed = one.fact.received_at
    if opened is not None:
        told.conflicts["amount_mismatch", ""] = (opened, closed)


# -- §5: the pool


def tell_pool(told: Told, entries: list[Entry]) -> None:
    """Without rules, with an open gate."""
    shipped = False
    for number, one in enumerate(entries):
        fact, now = one.fact, entries[: number + 1]
        if fact.source != "web":
            continue
        rank = RANK.get(fact.status, -1) if fact.axis == "fulfilment" else -1
        shipped = shipped or rank >= 70
        told.ended = told.ended or ends(one, now)
        if not told.paid and not shipped and 20 <= rank < 70:
            told.paid = True
            if not told.ended:
                told.pool.append("release")
        if told.ended and told.pool == ["release"]:
            told.pool.append("withdraw")


def ends(one: Entry, now: list[Entry]) -> bool:
    """Whether a channel's statement ends the order for the pool."""
    if one.fact.axis == "fulfilment":
        return one.fact.status in ENDS and one.disposition == "change"
    if one.disposition == "repeat" or not refund_ends(one.fact, now):
        return False
    return one.fact.status == "Refunded" or not taken_back(now, one.fact.case_id)
