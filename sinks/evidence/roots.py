"""What a day's root is made of, and whether a row of roots is what it says. Pure."""

from datetime import date, timedelta
from typing import Any, Final

import msgspec

from schemas.evidence import AuditRoot
from schemas.headers import utc
from sinks.evidence import merkle
from sinks.evidence.chain import ZERO, canonical

SHANGHAI_MS: Final = 8 * 3_600_000  # ahead of UTC, without summer time since 1991
CLOSE_AFTER_MS: Final = 10 * 60_000
"""A day is closed so long after its midnight: pushes of its last minute have walked through by then, and people are asleep.

What comes later falls into the next root. Nothing is lost by that: a root says what was there when it was taken.
"""


def head_leaf(order_key: str, seq: int, head: str) -> bytes:
    """A chain as a leaf. No key holds a NUL."""
    return f"{order_key}\0{seq}\0{head}".encode()


def header_leaf(root: AuditRoot) -> bytes:
    """Everything that a root says beside its tree, as RFC 8785 JSON."""
    names = ("day", "records", "chains", "grown", "broken", "growth", "previous")
    return canonical({**{name: getattr(root, name) for name in names}, "closed_at": utc(root.closed_at)})


def root_of(root: AuditRoot) -> str:
    """The root that these members must have: the node over the tree of heads and the leaf of the rest."""
    return merkle.node(bytes.fromhex(root.tree), merkle.leaf(header_leaf(root))).hex()


def sealed(**members: Any) -> AuditRoot:
    """A root made of its members."""
    unsealed = AuditRoot(**members, root="")
    return msgspec.structs.replace(unsealed, root=root_of(unsealed))


def day_before(now: int) -> date:
    """The last day that may be closed at `now` (ms)."""
    return date(1970, 1, 1) + timedelta(days=(now - CLOSE_AFTER_MS + SHANGHAI_MS) // 86_400_000 - 1)


def days_due(last: date | None, now: int) -> list[date]:
    """The days to be closed at `now` (ms), in order. `last` was closed already; None: none was, so it begins with yesterday."""
    end = day_before(now)
    first = end if last is None else last + timedelta(days=1)
    return [first + timedelta(days=number) for number in range((end - first).days + 1)]


def fault_of(root: AuditRoot, before: AuditRoot | None) -> str | None:
    """What is wrong with a root beside the one of the day before (None: it is the first); None when it is sound."""
    try:
        if root_of(root) != root.root:
            return "was changed: its members do not have its root"
    except ValueError:
        return "was changed: its tree is no hash"
    if before is None:
        return None if root.previous == ZERO else "is not the first: the roots before it are missing"
    if date.fromisoformat(root.day) != date.fromisoformat(before.day) + timedelta(days=1):
        return f"does not follow the day {before.day}: the roots between are missing"
    return None if root.previous == before.root else f"does not continue the root of {before.day}: one of the two was rewritten"
