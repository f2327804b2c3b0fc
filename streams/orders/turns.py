"""What a source's word was at an earlier receipt: facts of other sources are not always read in the order of receipt. Pure.

For each kind of answer a source remembers when it first gave it, and after that only when its word ceased to be one or
became one again, which no normal order does.
"""

from bisect import bisect_right
from typing import Final

from schemas.records import Observation
from schemas.status import RANKS
from streams.orders.contradictions import STOPS
from streams.orders.state import MAX_MOVES, Source

SHIPPED, SIGNED = RANKS["Shipped"], RANKS["Signed"]
ANY, STOPPED, STOCK = "first", "stopped", "stock_received"  # a system's first word, Cancelled or OnHold, Restored;
AT_SHIPPED, AT_SIGNED = "shipped", "signed"  # a channel's rank
FINAL_WORDS: Final = frozenset({ANY, STOCK})  # a word of these is never taken back


def note(source: Source, fact: Observation) -> None:
    """Remember when a source first gave an answer, whatever became of the statement, and when its word turned."""
    at = fact.received_at
    if source.kind == "system":
        source.first = source.first or at
        if fact.axis == "fulfilment":
            source.stopped = source.stopped or (at if fact.status in STOPS else 0)
            _turn(source, STOPPED, at, now=source.status in STOPS)
    elif source.kind == "channel" and fact.axis == "fulfilment":
        rank = RANKS.get(fact.status, -1)
        source.shipped = source.shipped or (at if rank >= SHIPPED else 0)
        source.signed = source.signed or (at if rank >= SIGNED else 0)
        _turn(source, AT_SHIPPED, at, now=source.rank >= SHIPPED)
        _turn(source, AT_SIGNED, at, now=source.rank >= SIGNED)


def _turn(source: Source, what: str, at: int, *, now: bool) -> None:
    if not getattr(source, what):
        return
    turns = source.turns.get(what, [])
    if now == bool(len(turns) % 2):  # the first word, and every second turn, is an answer
        turns = [*turns, max([at, *turns])]
        source.turns[what] = turns if len(turns) <= MAX_MOVES else turns[2:]  # two: what the number of them says must stay


def held(source: Source, what: str, at: int) -> bool:
    """Whether the source's word was this answer when something else was received at `at` (ms)."""
    first: int = getattr(source, what)
    return 0 < first <= at and not bisect_right(source.turns.get(what, ()), at) % 2


def given_after(source: Source, what: str, at: int) -> int:
    """The receipt of the first such answer after `at`, 0 without one."""
    first: int = getattr(source, what)
    return first if first > at else next((turn for turn in source.turns.get(what, ())[1::2] if turn > at), 0)
