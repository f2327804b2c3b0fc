"""An order from the list of its facts, gone through as often as there are questions. Semantics §2, §3, §5."""

from dataclasses import dataclass, field, replace
from typing import Final

from ops.simulation.oracle.reading import ENDS, RANK, Fact

ABOVE: Final = 1000  # ends are above all ranks
STEPS_BACK: Final = {
    ("Allocated", "Approved"), ("Picking", "Allocated"), ("Packed", "Picking"), ("Packed", "Allocated"), ("OutForDelivery", "InTransit"),
}  # fmt: skip
MILESTONES: Final = {"channel": ("PaymentConfirmed", "Shipped"), "system": ("Shipped",), "courier": ()}
LINKED: Final = {"web:s1": {"erp": "erp", "wms": "wms"}, "shop2:s9": {"erp": "erp"}}


@dataclass
class Entry:
    """One audited fact."""

    fact: Fact
    disposition: str  # change | repeat | late
    before: str | None
    jump: str | None = None


@dataclass
class Story:
    """An order: its facts as they were read, without repeated ids, and what each of them was."""

    key: str
    channel: str
    links: dict[str, str]  # system → erp | wms
    entries: list[Entry] = field(default_factory=list)
    duplicates: dict[str, int] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)  # in the order of their first word
    updated: int = 0
    named: list[tuple[str, Fact]] = field(default_factory=list)  # parcels by key, with the fact that first knew of them


def tell(key: str, facts: list[Fact]) -> Story:
    """The story of the facts of one order, in the order of reading."""
    channel, shop, _ = key.split(":", 2)
    story = Story(key, channel, LINKED.get(f"{channel}:{shop}", {}))
    seen: set[tuple[str, str]] = set()
    words: list[Fact] = []  # of parcels
    for fact in facts:
        if fact.source not in story.sources:
            story.sources.append(fact.source)
        if (fact.source, fact.event_id) in seen:
            if not fact.derived:
                story.duplicates[fact.source] = story.duplicates.get(fact.source, 0) + 1
                story.updated = max(story.updated, fact.received)
            continue
        seen.add((fact.source, fact.event_id))
        stated = of_all_parcels(fact, words, story)
        if fact.derived:
            words.append(fact)
            know(story, str(fact.parcel), fact)
        if stated is None:
            continue
        story.updated = max(story.updated, fact.received)
        before, disposition = dispose(stated, story.entries)
        entry = Entry(stated, disposition, before)
        if disposition == "change" and stated.axis == "fulfilment":
            entry.jump = jump(stated, story.entries)
        story.entries.append(entry)
        for parcel in stated.parcels:
            know(story, parcel, stated)
    return story


def know(story: Story, parcel: str, fact: Fact) -> None:
    """A parcel is the order's from now on."""
    if all(parcel != known for known, _ in story.named):
        story.named.append((parcel, fact))


# -- §2: parcels


def of_all_parcels(fact: Fact, words: list[Fact], story: Story) -> Fact | None:
    """What a parcel's word says of the order, None for nothing."""
    if not fact.derived:
        return fact
    others = {parcel for parcel, _ in story.named} - {fact.parcel}
    if not others:
        return fact
    if fact.status != "Signed":
        reached = [RANK[word.status] for word in words if word.parcel != fact.parcel]
        return None if RANK[fact.status] <= max(reached, default=-1) else fact
    newest = [latest([word for word in [*words, fact] if word.parcel == parcel]) for parcel in [*others, fact.parcel]]
    if any(word is None or word.status != "Signed" for word in newest):
        return None
    return replace(fact, at=max(word.at for word in newest if word))


def latest(words: list[Fact]) -> Fact | None:
    """A parcel's present word: the newest by its clock, then the one further on, then the one read later."""
    best: Fact | None = None
    for word in words:
        if best is None or (word.at, RANK[word.status]) >= (best.at, RANK[best.status]):
            best = word
    return best


# -- §3: dispositions and jumps


def height(status: str | None) -> int | None:
    """Rank of a status, ABOVE for an end, None for OnHold and nothing."""
    return ABOVE if status in ENDS else RANK.get(status or "")


def accepted(entries: list[Entry], source: str, axis: str, case: str | None = None) -> list[Fact]:
    """What a source has said on one axis, without what was repeated or late."""
    return [
        one.fact
        for one in entries
        if one.disposition == "change"
        and one.fact.source == source
        and one.fact.axis == axis
        and (axis != "aftersale" or one.fact.case == case)
    ]


def current(entries: list[Entry], source: str) -> str | None:
    """What a source says now on the fulfilment axis."""
    said = accepted(entries, source, "fulfilment")
    return said[-1].status if said else None


def base(entries: list[Entry], source: str) -> str | None:
    """Its newest status with a rank: OnHold leaves it."""
    ranked = [fact.status for fact in accepted(entries, source, "fulfilment") if fact.status != "OnHold"]
    return ranked[-1] if ranked else None


def dispose(fact: Fact, entries: list[Entry]) -> tuple[str | None, str]:
    """(status before, change | repeat | late)."""
    said = accepted(entries, fact.source, fact.axis, fact.case)
    if not said:
        return None, "change"
    last = said[-1]
    if last.status == fact.status:
        return last.status, "repeat"
    if fact.at != last.at:
        return last.status, "late" if fact.at < last.at else "change"
    if fact.axis == "fulfilment":
        here = height(base(entries, fact.source))
        there = here if fact.status == "OnHold" else height(fact.status)
        below, above = (-1 if rank is None else rank for rank in (here, there))
        if above != below:
            return last.status, "late" if above < below else "change"
    return last.status, "late" if fact.received < last.received else "change"


def jump(fact: Fact, before: list[Entry]) -> str | None:
    """The first kind of jump that fits."""
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
        return None if (place, fact.status) in STEPS_BACK else "regression"
    if fact.status in ENDS or new == old:
        return None
    if new <= reached(before, fact.source):
        return "flap"
    stated = {one.fact.status for one in before if one.fact.axis == "fulfilment"}
    return "skip" if any(old < RANK[name] < new and name not in stated for name in MILESTONES[fact.kind]) else None


def reached(entries: list[Entry], source: str) -> int:
    """The highest rank reached since the last allowed step back."""
    mark, before = -1, None
    for fact in accepted(entries, source, "fulfilment"):
        if fact.status in RANK:
            mark = RANK[fact.status] if before is not None and (before, fact.status) in STEPS_BACK else max(mark, RANK[fact.status])
        before = before if fact.status == "OnHold" else fact.status
    return mark


def own_status(story: Story) -> str | None:
    """The channel's end, else the greatest rank."""
    entries = story.entries
    if current(entries, story.channel) in ENDS:
        return current(entries, story.channel)
    ranked = [status for name in story.sources if (status := base(entries, name)) in RANK]
    if ranked:
        return max(ranked, key=lambda status: RANK[str(status)])
    return next((status for name in story.sources if (status := current(entries, name))), None)


# -- what else is known of it


def amounts(entries: list[Entry]) -> dict[str, Fact]:
    """The last stated amount of each source, whatever else its fact was."""
    last: dict[str, Fact] = {}
    for one in entries:
        fact, known = one.fact, last.get(one.fact.source)
        if fact.amount is not None and (known is None or (fact.at, fact.received) >= (known.at, known.received)):
            last[fact.source] = fact
    return last


def payable(story: Story, entries: list[Entry]) -> tuple[int | None, str | None]:
    """The channel's amount, else that of the first source that states one."""
    last = amounts(entries)
    names = [story.channel, *story.sources]
    fact = next((last[name] for name in names if name in last), None)
    return (fact.amount, fact.currency) if fact else (None, None)


def detail(story: Story, entries: list[Entry], name: str) -> str | None:
    """Payment method, customer or province: the channel's newest word; others fill what it leaves out."""
    known: str | None = None
    for one in entries:
        value = getattr(one.fact, name)
        if value and (known is None or (one.fact.kind == "channel" and one.disposition != "late")):
            known = value
    return known


def case_status(entries: list[Entry], source: str) -> str | None:
    """The newest word of a source on any refund."""
    cases: dict[str | None, Fact] = {}
    for one in entries:
        if one.disposition == "change" and one.fact.source == source and one.fact.axis == "aftersale":
            cases[one.fact.case] = one.fact
    best: Fact | None = None
    for fact in cases.values():
        if best is None or (fact.at, fact.received) > (best.at, best.received):
            best = fact
    return best.status if best else None
