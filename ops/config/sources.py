"""Which sources and kinds of alerts a configuration may name."""

from typing import Final

from connectors.registry import CONNECTORS

GENERIC: Final = "generic"


def known_sources(kind: str) -> list[str]:
    """The connectors that may speak for a `channel`, a `system` or a `courier`."""
    return [name for name, connector in CONNECTORS.items() if kind in connector.kinds]


# contract.md, Alert kinds
ALERT_KINDS: Final = (
    "channel_paused",
    "channel_resumed",
    "order_jumps",
    "conflict_opened",
    "unmapped_status",
    "filter_rate",
    "stall_sms",
    "stall_task",
    "stall_compensation",
    "unsigned_watch",
    "held_parcel",
    "risk_review",
    "source_silent",
    "reader_stuck",
    "audit_broken",
    "audit_root",
    "dead_letters",
    "sequence_gap",
    "records_lost",
    "pull_failed",
)
