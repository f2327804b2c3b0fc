"""Which conflicts an order must have had, and which are closed. Semantics §4."""

from dataclasses import dataclass
from typing import Final

from ops.simulation.oracle.orders import ABOVE, Entry, Story, accepted, amounts, base, current, height
from ops.simulation.oracle.reading import ENDS, RANK, Fact

MINUTE: Final = 60_000
WITHIN: Final = {
    "paid_not_received": 10 * MINUTE,
    "shipped_not_synced": 30 * MINUTE,
    "signed_not_synced": 120 * MINUTE,
    "cancel_not_acknowledged": 10 * MINUTE,
    "stock_not_restored": 10 * MINUTE,
}
GRACE: Final = MINUTE
TO_ERP: Final = ("paid_not_received", "cancel_not_acknowledged", "stock_not_restored")


@dataclass(frozen=True)
class Expected:
    """One conflict; `system` of a contradiction."""

    kind: str
    system: str
    opened: int
    closed: int | None
    due: int | None = None


def all_of(story: Story) -> list[Expected]:
    """All conflicts of an order, in no order."""
    found = [expectation(story, kind) for kind in WITHIN]
    found += [moved(story, system) for system in {one.fact.source for one in story.entries if one.fact.kind == "system"}]
    return [each for each in [*found, amount_mismatch(story)] if each]


# -- refunds


def case_facts(story: Story, entries: list[Entry], case: str | None) -> list[Entry]:
    """Everything that the channel has said of a refund case."""
    return [one for one in entries if one.fact.source == story.channel and one.fact.axis == "aftersale" and one.fact.case == case]


def taken_back(story: Story, entries: list[Entry], case: str | None) -> bool:
    """Whether the channel has taken a refund back: rejected, or closed before it succeeded."""
    said = accepted(entries, story.channel, "aftersale", case)
    now = said[-1].status if said else None
    succeeded = any(one.fact.status == "Refunded" for one in case_facts(story, entries, case))
    return now == "RefundRejected" or (now == "RefundClosed" and not succeeded)


def refund_ends(story: Story, fact: Fact, entries: list[Entry]) -> bool:
    """Whether a statement on the after-sale axis ends an order; `entries` include it."""
    if fact.axis != "aftersale" or fact.source != story.channel or fact.partial:
        return False
    kinds = [one.fact.refund for one in case_facts(story, entries, fact.case) if one.fact.refund]
    return fact.status == "Refunded" or (fact.status == "RefundApproved" and kinds[-1:] == ["refund_only"])


# -- expectations


def is_a(story: Story, kind: str, fact: Fact, entries: list[Entry]) -> bool:
    """Whether a fact begins an expectation; `entries` include it."""
    ranked, channel = fact.axis == "fulfilment", fact.source == story.channel
    if kind == "paid_not_received":
        return channel and ranked and fact.status == "PaymentConfirmed"
    if kind == "shipped_not_synced":
        return fact.source in story.links and ranked and fact.status == "Shipped"
    if kind == "signed_not_synced":
        return fact.kind == "courier" and fact.status == "Signed"
    if kind == "cancel_not_acknowledged":
        return (channel and ranked and fact.status == "Cancelled") or (
            fact.status == "RefundApproved" and refund_ends(story, fact, entries)
        )
    return fact.status == "Refunded" and refund_ends(story, fact, entries)


def is_b(story: Story, kind: str, fact: Fact) -> bool:
    """Whether a fact is what was waited for."""
    ranked, erp = fact.axis == "fulfilment", story.links.get(fact.source) == "erp"
    if kind == "paid_not_received":
        return erp
    if kind == "shipped_not_synced":
        return fact.source == story.channel and ranked and (height(fact.status) or -1) >= RANK["Shipped"]
    if kind == "signed_not_synced":
        return fact.source == story.channel and ranked and (height(fact.status) or -1) >= RANK["Signed"]
    if kind == "cancel_not_acknowledged":
        return erp and ranked and fact.status in ("Cancelled", "OnHold")
    return erp and fact.axis == "stock"


def holds(story: Story, kind: str, entries: list[Entry]) -> bool:
    """Whether B is so already when A is read."""
    erps = [name for name in story.links if story.links[name] == "erp"]
    if kind in {"paid_not_received", "stock_not_restored"}:
        return any(is_b(story, kind, one.fact) for one in entries)
    if kind == "cancel_not_acknowledged":
        return any(current(entries, name) in ("Cancelled", "OnHold") for name in erps)
    rank = height(base(entries, story.channel))
    return (-1 if rank is None else rank) >= RANK["Shipped" if kind == "shipped_not_synced" else "Signed"]


def withdrawn(story: Story, kind: str, a: Fact, entries: list[Entry]) -> bool:
    """Whether A is withdrawn, as things stand."""
    if a.axis == "aftersale":
        return taken_back(story, entries, a.case)
    now = current(entries, a.source)
    if a.status == "Cancelled":
        return now not in (*ENDS, "Completed")
    rank = height(base(entries, a.source))
    if now in ENDS or rank is None or rank < RANK[a.status]:
        return True
    cases = {one.fact.case for one in entries if one.fact.source == story.channel and one.fact.axis == "aftersale"}
    stands = {said[-1].status for case in cases if (said := accepted(entries, story.channel, "aftersale", case))}
    return kind == "paid_not_received" and bool(stands & {"RefundApproved", "ReturnInTransit", "ReturnReceived", "Refunded"})


def expectation(story: Story, kind: str) -> Expected | None:
    """One per order and kind; its A is the first received. What was received counts, however early or late it was read."""
    entries = sorted(story.entries, key=lambda one: one.fact.received)
    if kind in TO_ERP and "erp" not in story.links.values():
        return None
    begins = (n for n, one in enumerate(entries) if one.disposition != "repeat" and is_a(story, kind, one.fact, entries[: n + 1]))
    first = next(begins, None)
    if first is None:
        return None
    a = entries[first].fact
    deadline = max(a.at + WITHIN[kind], a.received + GRACE)
    if withdrawn(story, kind, a, entries[: first + 1]) or holds(story, kind, entries[: first + 1]):
        return None
    closed: int | None = None
    for number in range(first + 1, len(entries)):
        one = entries[number]
        timely = one.fact.received <= deadline
        stale = one.disposition == "late" and one.fact.at < a.at and kind != "paid_not_received"
        if is_b(story, kind, one.fact) and not stale:
            if timely:
                return None
            closed = one.fact.received
            break
        if timely and one.fact.source == a.source and withdrawn(story, kind, a, entries[: number + 1]):
            return None
    if kind == "cancel_not_acknowledged" and not concerned(story, deadline):
        return None
    return Expected(kind, "", deadline, closed, deadline)


def concerned(story: Story, deadline: int) -> bool:
    """Whether a cancelled order was paid, or the ERP has spoken of it."""
    for one in story.entries:
        fact = one.fact
        if fact.received > deadline:
            continue
        rank = height(fact.status) if fact.axis == "fulfilment" else None
        if story.links.get(fact.source) == "erp" or (fact.source == story.channel and rank is not None and 20 <= rank < ABOVE):
            return True
    return False


# -- contradictions and amounts


def ends_in_force(story: Story, entries: list[Entry]) -> list[Fact]:
    """Ends that the channel stands by: its own since the last revival, and those of refunds not taken back."""
    found: list[Fact] = []
    for number, one in enumerate(entries):
        if one.fact.source != story.channel or one.disposition == "repeat":
            continue
        now = entries[: number + 1]
        if one.fact.axis == "fulfilment":
            if current(now, story.channel) not in ENDS:
                found = [end for end in found if end.axis != "fulfilment"]
            elif one.fact.status in ENDS:
                found.append(one.fact)
        elif one.fact.axis == "aftersale":
            if taken_back(story, now, one.fact.case):
                found = [end for end in found if end.axis == "fulfilment" or end.case != one.fact.case]
            elif refund_ends(story, one.fact, now):
                found.append(one.fact)
    return found


def moved(story: Story, system: str) -> Expected | None:
    """moved_after_end, of one system."""
    opened: int | None = None
    closed: int | None = None
    for number, one in enumerate(story.entries):
        now = story.entries[: number + 1]
        moves = [
            each.fact
            for each in now
            if each.fact.source == system
            and each.fact.axis == "fulfilment"
            and each.disposition != "repeat"
            and RANK.get(each.fact.status, -1) >= 50
        ]
        last = max(moves, key=lambda move: move.at, default=None)
        if last is None:
            continue
        stops = one.fact.source == system and one.fact.axis == "fulfilment" and one.fact.status in ("Cancelled", "OnHold")
        if opened is not None and closed is None and stops and (one.disposition != "late" or one.fact.at >= last.at):
            closed = max(opened, one.fact.received)
        if opened is not None or one.fact.kind == "courier":
            continue
        ends = ends_in_force(story, now)
        if any(end.at < last.at for end in ends):
            first = min(ends, key=lambda end: end.at)
            opened = max(first.received, min(move.received for move in moves if move.at > first.at))
            present = accepted(now, system, "fulfilment")[-1]
            if present.status in ("Cancelled", "OnHold") and present.at >= last.at:
                closed = max(opened, present.received)
    return None if opened is None else Expected("moved_after_end", system, opened, closed)


def amount_mismatch(story: Story) -> Expected | None:
    """Open while the last stated amounts of any two sources differ, once."""
    opened: int | None = None
    closed: int | None = None
    for number, one in enumerate(story.entries):
        apart = len({fact.amount for fact in amounts(story.entries[: number + 1]).values()}) > 1
        if apart and opened is None:
            opened = one.fact.received
        if not apart and opened is not None and closed is None:
            closed = max(opened, one.fact.received)
    return None if opened is None else Expected("amount_mismatch", "", opened, closed)
