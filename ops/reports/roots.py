"""Judges the daily roots and the heads that they were taken over. Pure: rows go in, what is wrong comes out."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from schemas.evidence import AuditRoot
from sinks.evidence.merkle import Tree
from sinks.evidence.roots import fault_of, head_leaf


@dataclass(frozen=True)
class Broken:
    """Something that is not what it should be: a record of an order, or the evidence of a day.

    `unsure`: on a pipeline at work what is missing may still be on its way.
    """

    why: str
    order_key: str | None = None
    seq: int | None = None
    day: str | None = None
    unsure: bool = False

    def __str__(self) -> str:
        if self.order_key is None:
            return f"audit root of {self.day}: {self.why}"
        return f"{self.order_key}, record {self.seq}: {self.why}"


class _Heads:
    """All chains as they were on one day."""

    def __init__(self, root: AuditRoot) -> None:
        self.root, self.tree, self.records = root, Tree(), 0

    def take(self, order_key: str, rows: Sequence[Any]) -> None:
        newest = next((row for row in reversed(rows) if row["day"].isoformat() <= self.root.day), None)
        if newest is not None:
            self.tree.add(head_leaf(order_key, newest["seq"], newest["head"]))
            self.records += newest["seq"]

    def fault(self) -> str | None:
        root = self.root
        if (self.tree.size, self.records) != (root.chains, root.records):
            return f"vouches for {root.records} records of {root.chains} orders, audit_heads has {self.records} of {self.tree.size}"
        return None if self.tree.root.hex() == root.tree else "does not fit audit_heads: a head was changed, or the root is another's"


class Book:
    """The roots in order of days, and the heads of audit_heads in order of (order_key, day), which `take` is given one by one.

    Every day's own heads are compared with its root; all heads, with the last root and with that of the day asked for.
    """

    def __init__(self, roots: Sequence[AuditRoot], day: str | None = None) -> None:
        self.roots = {root.day: root for root in roots}
        self.last = roots[-1] if roots else None
        self.asked = self.roots.get(day) if day else None
        self.broken: list[Broken] = []
        before = None
        for root in roots:
            if why := fault_of(root, before):
                self.broken.append(Broken(why, day=root.day))
            before = root
        self._unsure = {found.day for found in self.broken}
        self._growth = {name: Tree() for name in self.roots}
        self._whole = [_Heads(root) for root in {id(root): root for root in (self.asked, self.last) if root}.values()]
        self._orphans: Counter[str] = Counter()
        self._key, self._rows = "", list[Any]()

    def take(self, row: Any) -> None:
        """One row of audit_heads."""
        if row["order_key"] != self._key:
            self._flush()
            self._key = row["order_key"]
        elif row["seq"] <= self._rows[-1]["seq"]:
            why = f"audit_heads names record {row['seq']} for this day after record {self._rows[-1]['seq']} for an earlier one"
            self.broken.append(Broken(why, self._key, row["seq"], row["day"].isoformat()))
        self._rows.append(row)
        growth = self._growth.get(row["day"].isoformat())
        if growth is None:
            self._orphans[row["day"].isoformat()] += 1
        else:
            growth.add(head_leaf(row["order_key"], row["seq"], row["head"]))

    def _flush(self) -> None:
        for whole in self._whole if self._rows else ():
            whole.take(self._key, self._rows)
        self._rows = []

    def end(self) -> None:
        """No more rows: compare."""
        self._flush()
        for day, found in sorted(self._orphans.items()):
            self._say(day, f"is missing: audit_heads has {found} heads of that day")
        for day, tree in self._growth.items():
            root = self.roots[day]
            if tree.size != root.grown:
                self._say(day, f"was taken over {root.grown} chains that grew, audit_heads has {tree.size} of that day")
            elif tree.root.hex() != root.growth:
                self._say(day, "does not fit audit_heads: one of that day's heads was changed")
        for whole in self._whole:
            if why := whole.fault():
                self._say(whole.root.day, why)

    def _say(self, day: str, why: str) -> None:
        self._unsure.add(day)
        self.broken.append(Broken(why, day=day))

    def sure(self, day: str) -> bool:
        """Whether this day's heads fit its root, and that the roots before it."""
        return day in self.roots and day not in self._unsure


def copies_differ(roots: Mapping[str, AuditRoot], copies: Iterable[AuditRoot]) -> tuple[list[Broken], list[str]]:
    """What the copies on the topic say against the table: what is broken, and the days that have no copy yet."""
    told: dict[str, list[AuditRoot]] = {}
    for copy in copies:
        told.setdefault(copy.day, []).append(copy)
    broken = []
    for day, said in sorted(told.items()):
        if any(one != said[0] for one in said):
            broken.append(Broken("the topic has two different roots of this day: the first one is what was published then", day=day))
        if day not in roots:
            broken.append(Broken("is missing in the database: the topic has it", day=day))
        elif roots[day] != said[0]:
            broken.append(Broken(f"is not what the topic has: {said[0].root} was published", day=day))
    first, last = min(told, default=""), max(told, default="")
    uncopied = [day for day in roots if day not in told]
    broken += [Broken("is not on the topic, though later ones are", day=day) for day in uncopied if first < day < last]
    return broken, [day for day in uncopied if not first < day < last]
