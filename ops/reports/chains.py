"""Some orders' chains beside what vouches for them: heads of audit_heads, and the orders' own rows. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from ops.reports.roots import Book, Broken
from sinks.evidence.chain import Anchor, Chain

WHOLE: Final = 1 << 62  # beyond every seq


class Chains:
    """Follows the chains of these orders.

    Args:
        orders: rows with order_key, and of the order's row audit_seq and audit_head, known false where there is none.
        heads: their rows of audit_heads in order of days.
        book: says which of these heads fit their roots.
        rooted: look only at what the heads vouch for.
    """

    def __init__(self, orders: Sequence[Any], heads: Sequence[Any], book: Book, *, rooted: bool = False) -> None:
        self._orders, self._rooted = orders, rooted
        self.keys = [row["order_key"] for row in orders]
        anchors: dict[str, dict[int, Anchor]] = {key: {} for key in self.keys}
        for row in heads:
            day = row["day"].isoformat()
            anchors[row["order_key"]][row["seq"]] = Anchor(day, row["seq"], row["head"], book.sure(day))
        self._ends = {key: max(found, default=0) for key, found in anchors.items()}
        self._chains = {key: Chain(anchors=found) for key, found in anchors.items()}
        self.records = self.unrooted = 0

    @property
    def limits(self) -> list[int]:
        """The last record to look at, of each key."""
        return [self._ends[key] if self._rooted else WHOLE for key in self.keys]

    def take(self, row: Any) -> None:
        """A record; those of one order in order of seq."""
        self.records += 1
        self.unrooted += row["seq"] > self._ends[row["order_key"]]
        self._chains[row["order_key"]].take(row)

    def end(self) -> Iterator[tuple[str, Chain]]:
        """No more records: the chains that exist, or should, by key."""
        for row in self._orders:
            chain = self._chains[row["order_key"]]
            chain.end()
            if not self._rooted:
                chain.compare(row["audit_seq"] if row["known"] else None, row["audit_head"])
            if chain.seq or chain.fault:
                yield row["order_key"], chain


def broken(order_key: str, chain: Chain) -> Broken:
    """A chain's fault as a finding."""
    assert chain.fault, "only a chain with a fault is a finding"
    return Broken(chain.fault.why, order_key, chain.fault.seq, unsure=chain.fault.unsure)
