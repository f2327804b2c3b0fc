"""The record that vouches for all audit chains at the end of a day. Times are milliseconds, UTC; hashes are hex."""

from msgspec import Struct


class AuditRoot(Struct, frozen=True, kw_only=True):
    """The Merkle root over all audit chains when a day was closed. Topic audit.root, kept for ever.

    `tree` is the RFC 6962 root over the head of every chain, `root` the node over it and the leaf that says the rest:
    who holds one root can check everything that was rooted until then.
    """

    day: str  # Asia/Shanghai, 2026-11-22
    closed_at: int
    records: int  # in all chains
    chains: int
    grown: int  # chains that grew since the root before
    broken: int  # chains that could not be proven at the closing: they stay at their last proven record
    growth: str  # as `tree`, over the heads of the grown chains alone
    previous: str  # the root before; 64 zeros before the first
    tree: str
    root: str
