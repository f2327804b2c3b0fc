"""When an order is due, what the rules say, and how it may have gone through the gate. Semantics §5 and §8."""

from dataclasses import dataclass

from ops.simulation.oracle import conflicts
from ops.simulation.oracle.orders import Entry, Story, detail, payable
from ops.simulation.oracle.reading import ENDS, RANK, Fact


@dataclass(frozen=True)
class Due:
    """What the pool knows of an order. `ruling` is (action, rule, branch); None: nothing was due, or it had ended before."""

    paid: Fact | None
    ended: bool
    ruling: tuple[str, str | None, str | None] | None
    withdrawn: Fact | None  # the fact by which it ended after it was due


def tell(story: Story) -> Due:
    """Goes through the order once."""
    paid: Fact | None = None
    ruling: tuple[str, str | None, str | None] | None = None
    withdrawn: Fact | None = None
    ended = shipped = False
    for number, one in enumerate(story.entries):
        fact, now = one.fact, story.entries[: number + 1]
        if fact.source != story.channel:
            continue
        rank = RANK.get(fact.status, -1) if fact.axis == "fulfilment" else -1
        shipped = shipped or rank >= RANK["Shipped"]
        ends = ends_now(story, one, now)
        if paid is None and not shipped and RANK["PaymentConfirmed"] <= rank < RANK["Shipped"]:
            paid = fact
            ruling = None if ended or ends else rule(story, now)
        if ends and not ended and ruling and ruling[0] != "filter":
            withdrawn = fact
        ended = ended or ends
    return Due(paid, ended, ruling, withdrawn)


def ends_now(story: Story, one: Entry, now: list[Entry]) -> bool:
    """Whether a channel's statement ends the order for the pool."""
    if one.fact.axis == "fulfilment":
        return one.fact.status in ENDS and one.disposition == "change"
    if one.disposition == "repeat" or not conflicts.refund_ends(story, one.fact, now):
        return False
    return one.fact.status == "Refunded" or not conflicts.taken_back(story, now, one.fact.case)


def rule(story: Story, now: list[Entry]) -> tuple[str, str | None, str | None]:
    """What the plan's rules say, read by hand."""
    if detail(story, now, "method") == "gift":
        return "filter", "gifts", None
    if (payable(story, now)[0] or 0) > 500_000:
        return "hold", "dear", None
    if detail(story, now, "province") == "新疆":
        return "release", "west", "west"
    return "release", None, "default"


def histories(due: Due) -> list[list[tuple[str, str | None]]]:
    """All (action, gate) that the pool may have been told, in order: the gate was open, or it was shut at first.

    In the end every gate is open, so nothing is held by a channel's.
    """
    if due.ruling is None:
        return [[]]
    action = due.ruling[0]
    if action == "release":
        begun: list[list[tuple[str, str | None]]] = [[("release", None)], [("hold", "channel"), ("release", None)]]
        if due.withdrawn:
            begun.append([("hold", "channel")])
    else:
        begun = [[(action, "review" if action == "hold" else None)]]
    return [[*each, ("withdraw", None)] if due.withdrawn else each for each in begun]
