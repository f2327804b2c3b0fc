"""Every metric of every role, once: its name, kind, unit, labels, what it says, and who shows it. Roles make theirs from here.

Dashboards and alert rules are tested against this list. Labels never hold an id: `LABELS` says what bounds each.
A value that is shown by several workers alike (`alike`) is to be taken once: `max by (…)`, never `sum`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder

Kind = Literal["counter", "gauge", "histogram"]
Role = Literal["connect", "poll", "stream", "sink", "board"]
ENGINE: Final[tuple[Role, ...]] = ("stream", "sink")  # roles that are workers of the engine
OTHER: Final = "other"  # stands for every value of a label beyond its bound
MOST_VALUES: Final = 200  # of a label whose values outsiders can make up

LABELS: Final[Mapping[str, str]] = {
    "task": "tasks of the engine, known at start",
    "partition": "topic-partition, as many as are configured",
    "cause": "why a partition was opened anew: a closed list",
    "source": "connectors, or what spoke: configured names, and at most MOST_VALUES couriers; beyond that `other`",
    "channel": "configured channels; at most MOST_VALUES, beyond that `other`",
    "feed": "a puller's feeds",
    "result": "a closed list",
    "remedy": "a closed list",
    "table": "tables of schema lockstep",
    "why": "away or refused",
    "target": "configured bots, and sms",
    "outcome": "a closed list",
    "form": "single or digest",
    "topic": "the topic catalogue",
    "kind": "kinds of conflicts, jumps, stalls or alerts: closed lists",
    "action": "release, hold, filter, withdraw; pause, resume, half_open",
    "gate": "channel, stage, risk, review; empty where there is none",
    "reason": "reasons of dead letters",
    "stage": "stream or sink",
    "tier": "1, 2, 3",
    "state": "open, paused, half_open",
    "status": "of an alert: pending, sent, failed, obsolete, unrouted",
    "route": "routes of the board",
    "role": "the roles",
    "version": "this release",
}

ANSWERS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # of our HTTP servers
SHORT: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)  # work in memory
CALLS: Final = (0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)  # to platforms
TRANSACTIONS: Final = (0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0)
WAYS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)  # through all of it
DELIVERIES: Final = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0)
SIZES: Final = (1.0, 10.0, 50.0, 200.0, 500.0, 1000.0, 2000.0)


@dataclass(frozen=True)
class Metric:
    """One metric. `unit` is the base unit, or what is counted; `alike`: every process that shows it shows the same."""

    name: str
    kind: Kind
    unit: str
    says: str
    labels: tuple[str, ...]
    roles: tuple[Role, ...]
    buckets: tuple[float, ...] = ()
    alike: bool = False


_CONNECT: Final[tuple[Role, ...]] = ("connect",)
_POLL: Final[tuple[Role, ...]] = ("poll",)
_SINK: Final[tuple[Role, ...]] = ("sink",)
_BOARD: Final[tuple[Role, ...]] = ("board",)
_PLACE: Final = ("task", "partition")
_FEED: Final = ("source", "feed")


def _stands(name: str, unit: str, says: str, labels: tuple[str, ...]) -> Metric:
    """A gauge of what stands in the database: shown by the board's role, by each process of it alike."""
    return Metric(name, "gauge", unit, says, labels, _BOARD, alike=True)


METRICS: Final = (
    # -- every role
    Metric("lockstep_build_info", "gauge", "info", "1; which release runs", ("role", "version"), ("connect", "poll", *ENGINE, "board")),
    # -- connect: pushes
    Metric("lockstep_connect_pushes_total", "counter", "pushes", "Pushes by how they were answered", ("source", "result"), _CONNECT),
    Metric("lockstep_connect_facts_total", "counter", "facts", "Facts that Kafka has acknowledged", ("source",), _CONNECT),
    Metric("lockstep_connect_push_seconds", "histogram", "seconds", "From a push to its answer", ("source",), _CONNECT, ANSWERS),
    Metric("lockstep_connect_in_flight", "gauge", "pushes", "Pushes that are being worked on", (), _CONNECT),
    Metric("lockstep_connect_kafka_up", "gauge", "bool", "1 while Kafka acknowledges, 0 while it does not", (), _CONNECT),
    # -- poll: what is asked for
    Metric("lockstep_pull_call_seconds", "histogram", "seconds", "A call to a platform", ("source",), _POLL, CALLS),
    Metric("lockstep_pull_errors_total", "counter", "calls", "Calls in vain, by what is done then", ("source", "remedy"), _POLL),
    Metric("lockstep_pull_renewals_total", "counter", "tokens", "Tokens taken anew: renewed, failed", ("source", "result"), _POLL),
    Metric("lockstep_pull_facts_total", "counter", "facts", "Facts that Kafka has acknowledged", _FEED, _POLL),
    Metric("lockstep_pull_repeats_total", "counter", "facts", "Facts read again that were published already", _FEED, _POLL),
    Metric("lockstep_pull_windows_total", "counter", "windows", "Stretches of time played to their end", _FEED, _POLL),
    Metric("lockstep_pull_behind_seconds", "gauge", "seconds", "How far the furthest-behind cursor is behind", _FEED, _POLL),
    Metric("lockstep_pull_feeds", "gauge", "feeds", "Feeds of shops that are asked", ("source",), _POLL),
    Metric("lockstep_pull_failing", "gauge", "feeds", "Those of them that fail now", ("source",), _POLL),
    Metric("lockstep_pull_kafka_up", "gauge", "bool", "1 while Kafka acknowledges, 0 while it does not", (), _POLL),
    # -- the engine: rate, errors, durations and lag of each stage
    Metric("lockstep_engine_records_total", "counter", "records", "Records folded, or handed to a sink", ("task",), ENGINE),
    Metric("lockstep_engine_outputs_total", "counter", "records", "Records written", ("task",), ENGINE),
    Metric("lockstep_engine_buried_total", "counter", "records", "Records whose fold failed: each is a dead letter", ("task",), ENGINE),
    Metric("lockstep_engine_failed_ticks_total", "counter", "ticks", "Deadlines and ticks that raised", ("task",), ENGINE),
    Metric("lockstep_engine_reopenings_total", "counter", "openings", "Partitions opened anew, by cause", ("task", "cause"), ENGINE),
    Metric("lockstep_engine_lost_records_total", "counter", "records", "Deleted from a source before they were read", ("task",), ENGINE),
    Metric("lockstep_engine_lag_records", "gauge", "records", "Records not yet worked on", _PLACE, ENGINE),
    Metric("lockstep_engine_lag_seconds", "gauge", "seconds", "About the age of the oldest record not yet worked on; 0 where there is none",
           _PLACE, ENGINE),
    Metric("lockstep_engine_inbox_batches", "gauge", "batches", "Fetched batches that wait", _PLACE, ENGINE),
    Metric("lockstep_engine_depth_steps", "gauge", "steps", "Folded steps that are being written", _PLACE, ENGINE),
    Metric("lockstep_engine_commit_age_seconds", "gauge", "seconds", "Since the commit last moved while there was lag", _PLACE, ENGINE),
    Metric("lockstep_engine_restore_seconds", "gauge", "seconds", "What the last opening took", _PLACE, ENGINE),
    Metric("lockstep_engine_state_keys", "gauge", "keys", "Keys with a state", _PLACE, ENGINE),
    Metric("lockstep_engine_state_bytes", "gauge", "bytes", "Keys and encoded states, estimated", _PLACE, ENGINE),
    Metric("lockstep_engine_waiting", "gauge", "bool", "1 while a partition waits for people (poison) or for a sink", _PLACE, ENGINE),
    Metric("lockstep_engine_asyncio_tasks", "gauge", "tasks", "Tasks of the event loop", (), ENGINE),
    Metric("lockstep_engine_allocated_blocks", "gauge", "blocks", "Blocks of memory that Python's objects take", (), ENGINE),
    Metric("lockstep_engine_batch_records", "histogram", "records", "Records per batch", ("task",), ENGINE, SIZES),
    Metric("lockstep_engine_fold_seconds", "histogram", "seconds", "Folding one batch", ("task",), ENGINE, SHORT),
    Metric("lockstep_engine_settle_seconds", "histogram", "seconds", "From folded to durable, one step", ("task",), ENGINE, SHORT),
    # -- sink: rows
    Metric("lockstep_sink_latency_seconds", "histogram", "seconds",
           "From a fact's receipt to its row (audit, parcel_events, dead_letters), commit included", ("table",), _SINK, WAYS),
    Metric("lockstep_sink_rows_total", "counter", "rows", "Rows handed to Postgres, repeats included", ("table",), _SINK),
    Metric("lockstep_sink_batches_total", "counter", "batches", "Record batches made durable", ("task",), _SINK),
    Metric("lockstep_sink_retries_total", "counter", "writes", "Writes put off: Postgres away, or it refused", ("task", "why"), _SINK),
    Metric("lockstep_sink_transaction_seconds", "histogram", "seconds", "One transaction, commit included", (), _SINK, TRANSACTIONS),
    Metric("lockstep_sink_raw_events_total", "counter", "facts", "Raw events counted, each offset once", (), _SINK),
    Metric("lockstep_sink_audit_broken_total", "counter", "records", "Audit records that differ from the row that is stored", (), _SINK),
    Metric("lockstep_sink_audit_root_timestamp_seconds", "gauge", "seconds", "When this worker last closed an audit day, or 0",
           (), _SINK),
    Metric("lockstep_sink_unreadable_total", "counter", "records", "Records that are not what their topic holds", ("topic",), _SINK),
    Metric("lockstep_source_heard_timestamp_seconds", "gauge", "seconds",
           "When a source last spoke, as far as this worker has read: take the maximum", ("source",), _SINK),
    # -- sink: what happened. Counted when a row is written for the first time, so that a repeat counts once
    Metric("lockstep_conflicts_opened_total", "counter", "conflicts", "Conflicts opened", ("channel", "kind"), _SINK),
    Metric("lockstep_conflicts_resolved_total", "counter", "conflicts", "Conflicts resolved", ("channel", "kind"), _SINK),
    Metric("lockstep_jumps_total", "counter", "jumps", "Status jumps", ("channel", "kind"), _SINK),
    Metric("lockstep_pool_records_total", "counter", "records", "Orders released, held at a gate, filtered, withdrawn",
           ("channel", "action", "gate"), _SINK),
    Metric("lockstep_channel_commands_total", "counter", "commands", "Pauses and resumes", ("channel", "action"), _SINK),
    Metric("lockstep_stalls_total", "counter", "parcels", "Tiers that came due: stall 1 to 3, and unsigned", ("kind", "tier"), _SINK),
    Metric("lockstep_dead_letters_total", "counter", "letters", "Dead letters; a replay that failed again is none",
           ("source", "reason", "stage"), _SINK),
    Metric("lockstep_alerts_made_total", "counter", "alerts", "Alerts, one for each target", ("kind", "target"), _SINK),
    # -- sink: messages
    Metric("lockstep_alerts_total", "counter", "alerts", "Alerts by what became of their message", ("target", "outcome"), _SINK),
    Metric("lockstep_alert_messages_total", "counter", "messages", "Messages that a bot has taken", ("target", "form"), _SINK),
    Metric("lockstep_alert_delivery_seconds", "histogram", "seconds", "From an alert's row to its message", ("target",), _SINK, DELIVERIES),
    Metric("lockstep_alerts_pending", "gauge", "alerts", "Alerts that wait to be sent", ("target",), _SINK, alike=True),
    Metric("lockstep_alert_target_ok", "gauge", "bool", "1 where the target takes messages, 0 where it is away or misconfigured",
           ("target",), _SINK, alike=True),
    # -- board: how it answers
    Metric("lockstep_board_request_seconds", "histogram", "seconds", "From a request to its answer", ("route",), _BOARD, ANSWERS),
    Metric("lockstep_board_listeners", "gauge", "streams", "Open event streams", (), _BOARD),
    # -- board: what stands in the database. Shown by this role alone, or sums over workers would double; absent while Postgres is away
    _stands("lockstep_database_up", "bool", "1 where the values below could be read, 0 where not", ()),
    _stands("lockstep_counted_timestamp_seconds", "seconds", "When the values below were read", ()),
    _stands("lockstep_channel_state", "bool", "1 for the state that a channel is in", ("channel", "state")),
    _stands("lockstep_channel_conflicts", "conflicts", "Conflicts of the Shanghai day that count towards a pause",
           ("channel",)),
    _stands("lockstep_channel_conflicts_limit", "conflicts", "So many a day are borne; the next one pauses", ()),
    _stands("lockstep_conflicts_open", "conflicts", "Conflicts that are open", ("channel", "kind")),
    _stands("lockstep_orders_held", "orders", "Orders held, by gate", ("channel", "gate")),
    _stands("lockstep_orders_held_oldest_timestamp_seconds", "seconds", "When the oldest held order was paid; none: absent",
           ("channel", "gate")),
    _stands("lockstep_parcels_stalled", "parcels", "Parcels that stand still, by the highest tier reached", ("tier",)),
    _stands("lockstep_alerts_day", "alerts", "Alerts of the last 24 h by what became of them", ("kind", "status")),
    _stands("lockstep_alerts_oldest_pending_timestamp_seconds", "seconds", "When the oldest due alert was made; none: absent",
           ("target",)),
    _stands("lockstep_dead_letters_stored", "letters", "Dead letters that were never replayed", ("source", "reason")),
    _stands("lockstep_source_silent", "bool", "1 while a source is said to be silent, 0 since it has spoken again",
           ("source",)),
    _stands("lockstep_audit_head_timestamp_seconds", "seconds", "When the newest audit record was written", ()),
    _stands("lockstep_audit_root_timestamp_seconds", "seconds", "When the newest audit day was closed", ()),
    _stands("lockstep_audit_root_broken", "records", "Broken records that the newest root knows of", ()),
    # -- board: both identities of the accounting
    Metric("lockstep_accounting_facts_difference", "gauge", "facts",
           "Raw events that are nowhere, at the last moment of rest (nothing between stages): 0", ("source",), _BOARD, alike=True),
    Metric("lockstep_accounting_orders_difference", "gauge", "orders",
           "Paid orders that are nowhere: 0, but for a moment while rows are on their way", ("channel",), _BOARD, alike=True),
    _stands("lockstep_accounting_rest_timestamp_seconds", "seconds", "The last moment of rest, of which the facts' difference is",
           ()),
    _stands("lockstep_accounting_timestamp_seconds", "seconds", "When the accounts were last taken", ()),
)  # fmt: skip
NAMED: Final[Mapping[str, Metric]] = {metric.name: metric for metric in METRICS}


def counter(name: str, registry: CollectorRegistry = REGISTRY) -> Counter:
    """The counter of that name. Raises KeyError for a name that is not on the list."""
    metric = _named(name, "counter")
    return Counter(name, metric.says, metric.labels, registry=registry)


def gauge(name: str, registry: CollectorRegistry = REGISTRY) -> Gauge:
    """The gauge of that name. Raises KeyError for a name that is not on the list."""
    metric = _named(name, "gauge")
    return Gauge(name, metric.says, metric.labels, registry=registry)


def histogram(name: str, registry: CollectorRegistry = REGISTRY) -> Histogram:
    """The histogram of that name. Raises KeyError for a name that is not on the list."""
    metric = _named(name, "histogram")
    return Histogram(name, metric.says, metric.labels, registry=registry, buckets=metric.buckets)


def _named(name: str, kind: Kind) -> Metric:
    metric = NAMED[name]
    if metric.kind != kind:
        raise KeyError(f"{name} is a {metric.kind}, not a {kind}")
    return metric


class Bounded:
    """Values of one label that outsiders can make up: the first so many stand for themselves, all others are `other`."""

    def __init__(self, most: int = MOST_VALUES) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, value: str) -> str:
        """Give the label's value."""
        if value in self._known:
            return value
        if len(self._known) >= self._most:
            return OTHER
        self._known.add(value)
        return value


def exposition(accept: str, registry: CollectorRegistry = REGISTRY) -> tuple[bytes, str]:
    """All metrics and their content type: OpenMetrics, with exemplars, for those who accept it."""
    encoder, kind = choose_encoder(accept)
    return encoder(registry), kind
