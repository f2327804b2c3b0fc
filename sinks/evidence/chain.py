"""An order's audit chain, checked record by record by the rules of semantics §6: nothing of the writer is used. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

ZERO: Final = "0" * 64
COLUMNS: Final = (
    "order_key", "seq", "source", "axis", "operator", "trigger", "occurred_at", "recorded_at", "from_status", "to_status",
    "disposition", "raw_event_id", "prev_hash",
)  # fmt: skip
"""What is hashed."""
# RFC 8785 of texts, whole numbers and nulls: sorted by name, no white space, nothing escaped that need not be
_canonical: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


def moment(value: datetime) -> str:
    """UTC, cut to milliseconds: 2026-11-22T02:00:00.000Z."""
    return f"{value.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"


def canonical(members: Mapping[str, str | int | None]) -> bytes:
    """The canonical JSON (RFC 8785) of plain values."""
    return _canonical(members).encode()


def digest(row: Any) -> str:
    """The hash that a row of the audit table (a mapping of its columns) must have."""
    body = {name: row[name] for name in COLUMNS}
    body["occurred_at"], body["recorded_at"] = moment(body["occurred_at"]), moment(body["recorded_at"])
    return sha256(canonical(body)).hexdigest()


@dataclass(frozen=True)
class Fault:
    """The first record of a chain that is not what it should be, and why, for an auditor.

    `unsure`: only another table says so, and on a pipeline at work what is missing may still be on its way.
    """

    seq: int
    why: str
    unsure: bool = False


@dataclass(frozen=True)
class Anchor:
    """What a day's root says of one chain: its record `seq` has the hash `head`.

    `sure`: the table that holds it was checked against the root.
    """

    day: str
    seq: int
    head: str
    sure: bool = True


class Chain:
    """Follows one order's records in the order of their seq, from its beginning or from a record that is vouched for."""

    def __init__(self, seq: int = 0, head: str = ZERO, anchors: Mapping[int, Anchor] = MappingProxyType({})) -> None:
        self.seq, self.head = seq, head  # the last record that was proven
        self.fault: Fault | None = None
        self._anchors, self._vouched = anchors, seq
        self._last = seq

    def take(self, row: Any) -> None:
        """Check one record; after the first fault nothing of the chain can be proven."""
        self._last = max(self._last, row["seq"])
        if self.fault is None:
            self.fault = self._fault(row) or self._rewritten(row)
        if self.fault is None:
            self.seq, self.head = row["seq"], row["hash"]

    def _fault(self, row: Any) -> Fault | None:
        seq = row["seq"]
        if seq != self.seq + 1:
            return Fault(self.seq + 1, f"is missing: record {seq} stands where it should be")
        if digest(row) != row["hash"]:
            return Fault(seq, "was changed: its content does not have its hash")
        if row["prev_hash"] == self.head:
            return None
        if seq == 1:
            return Fault(1, "is not the first: it names a record before it")
        return Fault(seq, f"does not continue record {self.seq}: one of the two was rewritten")

    def _rewritten(self, row: Any) -> Fault | None:
        """A chain that was hashed anew to its end is whole in itself; only an anchor can tell."""
        anchor = self._anchors.get(row["seq"])
        if anchor is None:
            return None
        first = self._vouched + 1
        if anchor.head == row["hash"]:
            self._vouched = anchor.seq
            return None
        which = f"record {first}" if first == anchor.seq else f"of records {first} to {anchor.seq} at least one"
        if anchor.sure:
            return Fault(first, f"was rewritten: {which} is not what the root of {anchor.day} vouches for, though all hashes fit")
        return Fault(first, f"is in doubt: {which} does not fit audit_heads of {anchor.day}, which does not fit its root either")

    def end(self) -> None:
        """No more records: is there one for each anchor?"""
        missing = [anchor for anchor in self._anchors.values() if anchor.seq > self._last]
        if self.fault is None and missing:
            last = max(missing, key=lambda anchor: anchor.seq)
            said = "vouches" if last.sure else "seems to vouch"
            why = f"is missing: the root of {last.day} {said} for {last.seq} records, the table has {self._last}"
            self.fault = Fault(self._last + 1, why)

    def compare(self, seq: int | None, head: str | None) -> None:
        """Compare with what the order's own row says; None: there is no such row."""
        if self.fault is not None or (seq is None and self._last == 0):
            return
        if seq is None:
            self.fault = Fault(1, "was added: the table orders has no such order", unsure=True)
        elif seq > self._last:
            self.fault = Fault(self._last + 1, f"is missing: the order has {seq} records, the table {self._last}", unsure=True)
        elif seq < self._last:
            self.fault = Fault(seq + 1, f"was added, or the order's row was set back: it counts {seq} records", unsure=True)
        elif head != self.head:
            self.fault = Fault(self._last, "was rewritten, or the order's row was changed: it names another hash", unsure=True)
