"""A failing plan made small: facts, commands and faults are dropped while it still fails. Delta debugging, bounded."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from msgspec.structs import replace

from ops.simulation.many import Break, examine
from ops.simulation.plan import Plan

T = TypeVar("T")
TRIES = 400


class Shrinker:
    """Keeps the smallest plan that fails in one of the same checks."""

    def __init__(self, plan: Plan, checks: frozenset[str], breakage: Break | None = None, tries: int = TRIES) -> None:
        self.plan, self.left = plan, tries
        self._checks, self._breakage = checks, breakage

    def fails(self, plan: Plan) -> bool:
        """Whether it still does."""
        self.left -= 1
        verdict = examine(plan, self._breakage, compare="undisturbed" in self._checks)
        return any(problem.check in self._checks for problem in verdict.problems)

    def shrink(self) -> Plan:
        """As small as the tries allow: faults first, for each of them may be the whole story."""
        size = None
        while size != (size := self._size()) and self.left > 0:
            for name in ("faults", "pushes", "commands"):
                self._thin(name)
        return self.plan

    def _size(self) -> int:
        return len(self.plan.faults) + len(self.plan.pushes) + len(self.plan.commands)

    def _thin(self, name: str) -> None:
        items: Sequence[Any] = getattr(self.plan, name)
        kept = thinned(items, lambda some: self.left > 0 and self.fails(replace(self.plan, **{name: list(some)})))
        self.plan = replace(self.plan, **{name: list(kept)})


def thinned(items: Sequence[T], fails: Callable[[Sequence[T]], bool]) -> Sequence[T]:
    """Fewer items with which it fails: halves are left out, then quarters, at last single ones."""
    size = max(1, len(items) // 2)
    while items:
        position, dropped = 0, False
        while position < len(items):
            without = [*items[:position], *items[position + size :]]
            if fails(without):
                items, dropped = without, True
            else:
                position += size
        if size == 1 and not dropped:
            break
        size = max(1, size // 2)
    return items


def shrunk(plan: Plan, checks: frozenset[str], breakage: Break | None = None, tries: int = TRIES) -> Plan:
    """The smallest plan found that fails in one of these checks."""
    return Shrinker(plan, checks, breakage, tries).shrink()
