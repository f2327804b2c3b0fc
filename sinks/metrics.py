"""What the sinks count. The one list of their metrics; dashboards are tested against it."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

# Rows handed to Postgres, repeats included
ROWS: Final = Counter("lockstep_sink_rows", "Rows handed to Postgres, repeats included", ["table"])
# Record batches written
BATCHES: Final = Counter("lockstep_sink_batches", "Record batches made durable", ["task"])
# Batches that had to wait: the database was away, or refused them
RETRIES: Final = Counter("lockstep_sink_retries", "Writes put off because Postgres was away or refused them", ["task", "why"])
# Seconds of one transaction, commit included
TRANSACTION_SECONDS: Final = Histogram(
    "lockstep_sink_transaction_seconds", "One transaction, commit included", buckets=(0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 30)
)
# Raw events counted for the accounting
RAW_COUNTED: Final = Counter("lockstep_sink_raw_events", "Raw events counted, each offset once")
# Audit rows that differ from the stored ones
AUDIT_BROKEN: Final = Counter("lockstep_sink_audit_broken", "Audit records that differ from the row that is stored")
# When the last audit day was closed
AUDIT_CLOSED: Final = Gauge("lockstep_sink_audit_root_timestamp_seconds", "When the last audit day was closed, by this worker; 0 for never")
# Records that the sink could not decode
UNREADABLE: Final = Counter("lockstep_sink_unreadable", "Records that are not what their topic holds", ["topic"])
# Alerts by outcome of a message
ALERTS: Final = Counter("lockstep_alerts", "Alerts by what became of the message that carried them", ["target", "outcome"])
# Messages sent, digests included
MESSAGES: Final = Counter("lockstep_alert_messages", "Messages that a bot has taken", ["target", "form"])
# Seconds from the alert's row to its message
ALERT_SECONDS: Final = Histogram(
    "lockstep_alert_delivery_seconds", "From an alert's row to its message", ["target"], buckets=(0.5, 1, 2, 5, 10, 30, 60, 300, 3600)
)
# Alerts that wait
PENDING: Final = Gauge("lockstep_alerts_pending", "Alerts that wait to be sent", ["target"])
# Whether a target works
TARGET_OK: Final = Gauge("lockstep_alert_target_ok", "1 where the target takes messages, 0 where it is away or misconfigured", ["target"])
