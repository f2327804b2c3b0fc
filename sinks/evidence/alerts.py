"""What people are told of a closing: the root itself, so that a copy lies outside of the database, and what is broken. Pure."""

from collections.abc import Iterator

from schemas.evidence import AuditRoot
from schemas.records import Alert
from sinks.evidence.chain import Fault


def root(closed: AuditRoot) -> Alert:
    """The day's root. Its title holds the root: digests show titles only."""
    counts = {name: str(getattr(closed, name)) for name in ("chains", "records", "grown", "broken")}
    return Alert(
        alert_key=f"audit_root:{closed.day}",
        kind="audit_root",
        severity="critical" if closed.broken else "info",
        at=closed.closed_at,
        params={"day": closed.day, **counts, "root": closed.root, "previous": closed.previous},
    )


def broken(closed: AuditRoot, faults: list[tuple[str, Fault]]) -> Iterator[Alert]:
    """Chains that could not be proven."""
    for order_key, fault in faults:
        yield Alert(
            alert_key=f"audit_broken:{order_key}:{fault.seq}",
            kind="audit_broken",
            severity="critical",
            at=closed.closed_at,
            channel=order_key.partition(":")[0],
            order_key=order_key,
            params={"seq": str(fault.seq), "why": "audit_unproven", "detail": f"record {fault.seq} {fault.why}"},
        )
