"""What the sinks count; `schemas/metrics.py` says what each is."""

from typing import Final

from schemas.metrics import counter, gauge, histogram
from sinks.latency import Latency

LATENCY: Final = Latency("lockstep_sink_latency_seconds")
ROWS: Final = counter("lockstep_sink_rows_total")
BATCHES: Final = counter("lockstep_sink_batches_total")
RETRIES: Final = counter("lockstep_sink_retries_total")
TRANSACTION_SECONDS: Final = histogram("lockstep_sink_transaction_seconds")
RAW_COUNTED: Final = counter("lockstep_sink_raw_events_total")
AUDIT_BROKEN: Final = counter("lockstep_sink_audit_broken_total")
AUDIT_CLOSED: Final = gauge("lockstep_sink_audit_root_timestamp_seconds")
UNREADABLE: Final = counter("lockstep_sink_unreadable_total")
HEARD: Final = gauge("lockstep_source_heard_timestamp_seconds")

CONFLICTS_OPENED: Final = counter("lockstep_conflicts_opened_total")
CONFLICTS_RESOLVED: Final = counter("lockstep_conflicts_resolved_total")
JUMPS: Final = counter("lockstep_jumps_total")
POOL_RECORDS: Final = counter("lockstep_pool_records_total")
CHANNEL_COMMANDS: Final = counter("lockstep_channel_commands_total")
STALLS: Final = counter("lockstep_stalls_total")
DEAD_LETTERS: Final = counter("lockstep_dead_letters_total")
ALERTS_MADE: Final = counter("lockstep_alerts_made_total")

ALERTS: Final = counter("lockstep_alerts_total")
MESSAGES: Final = counter("lockstep_alert_messages_total")
ALERT_SECONDS: Final = histogram("lockstep_alert_delivery_seconds")
PENDING: Final = gauge("lockstep_alerts_pending")
TARGET_OK: Final = gauge("lockstep_alert_target_ok")
