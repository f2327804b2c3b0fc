"""What the engine tells Prometheus. Labels are task and partition; seconds, bytes, records."""

from prometheus_client import Counter, Gauge, Histogram

_PLACE = ("task", "partition")
_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

LAG = Gauge("lockstep_engine_lag_records", "Records not yet folded", _PLACE)
LAG_SECONDS = Gauge("lockstep_engine_lag_seconds", "About the age of the oldest record not yet folded; 0 where there is none", _PLACE)
INBOX = Gauge("lockstep_engine_inbox_batches", "Fetched batches that wait to be folded", _PLACE)
DEPTH = Gauge("lockstep_engine_depth_steps", "Folded steps that are being written", _PLACE)
COMMIT_AGE = Gauge("lockstep_engine_commit_age_seconds", "Since the commit last moved while there was lag", _PLACE)
RESTORE = Gauge("lockstep_engine_restore_seconds", "What the last opening took", _PLACE)
STATE_KEYS = Gauge("lockstep_engine_state_keys", "Keys with a state", _PLACE)
STATE_BYTES = Gauge("lockstep_engine_state_bytes", "Size of keys and encoded states, estimated", _PLACE)
WAITS = Gauge("lockstep_engine_waiting", "1 while the partition waits for people (poison) or for a sink", _PLACE)

TASKS = Gauge("lockstep_engine_asyncio_tasks", "Tasks of the event loop")
BLOCKS = Gauge("lockstep_engine_allocated_blocks", "Blocks of memory that Python's objects take")

RECORDS = Counter("lockstep_engine_records_total", "Records folded or handed to a sink", ("task",))
OUTPUTS = Counter("lockstep_engine_outputs_total", "Records written", ("task",))
BURIED = Counter("lockstep_engine_buried_total", "Records whose fold failed", ("task",))
FAILED_TICKS = Counter("lockstep_engine_failed_ticks_total", "Deadlines and ticks that raised", ("task",))
REOPENINGS = Counter("lockstep_engine_reopenings_total", "Partitions opened anew, by cause", ("task", "cause"))
LOST = Counter("lockstep_engine_lost_records_total", "Records deleted from a source before they were read", ("task",))

BATCH = Histogram("lockstep_engine_batch_records", "Records per batch", ("task",), buckets=(1, 10, 50, 200, 500, 1000, 2000))
FOLD = Histogram("lockstep_engine_fold_seconds", "Folding one batch", ("task",), buckets=_SECONDS)
SETTLE = Histogram("lockstep_engine_settle_seconds", "From folded to durable, one step", ("task",), buckets=_SECONDS)

BY_PARTITION = (LAG, LAG_SECONDS, INBOX, DEPTH, COMMIT_AGE, RESTORE, STATE_KEYS, STATE_BYTES, WAITS)
