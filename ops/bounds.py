# ruff: noqa: E501 - a table, a line each
"""`python -m ops.bounds`: writes BOUNDS.md, every limit in the roles with its reason. The values are read from the code.

A test looks for queues, caches, pools and limits in the tree, and fails for one that is not in this table.
"""

import importlib
import re
import sys
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("BOUNDS.md")
HEAD: Final = """\
# Bounds

Every queue, cache, buffer and retry of the roles: how large it gets, and what happens then. Written by `python -m ops.bounds`
from the constants themselves: do not edit. `lockstep bench soak` shows that they hold together: nothing grows under a flood.

| what | limit | where | at the limit | why so |
| --- | ---: | --- | --- | --- |
"""
TAIL: Final = """
Caches whose keys are things of the program, not of its input, need no limit: schemas (`schemas.codec`, `sinks.postgres.peek`),
mapping tables by connector (`schemas.mapping`), tables of errors (`connectors.pull.errors`), couriers and phrases (`schemas.couriers`, `schemas.phrases`), procedures
(`streams.parcels.procedures`). States are bounded in size each (above) and in number by retention: `order_retention`,
`stub_retention`, `parcel_retention` (`streams.policy`).
"""


@dataclass(frozen=True)
class Bound:
    """One limit. `where` is `module:name`; `=text` after it is a pattern in the module's source whose group is the value."""

    what: str
    where: str
    unit: str
    then: str
    why: str

    @property
    def place(self) -> tuple[str, str]:
        """Module and name."""
        module, _, name = self.where.partition(":")
        return module, name.partition("=")[0]

    def value(self) -> object:
        """What the code says now. Raises LookupError when it says nothing of the kind."""
        module, _, rest = self.where.partition(":")
        name, _, pattern = rest.partition("=")
        found: object = importlib.import_module(module)
        if pattern:
            source = Path(str(found.__file__)).read_text(encoding="utf-8")  # type: ignore[attr-defined]  # a module
            if not (match := re.search(pattern, source)):
                raise LookupError(f"{module} says nothing like {pattern}")
            return _number(match[1])
        for step in name.split("."):
            defaults = {each.name: each.default for each in fields(found)} if isinstance(found, type) and is_dataclass(found) else {}
            if not hasattr(found, step) and step not in defaults:
                raise LookupError(f"{module} has no {name}")
            found = defaults[step] if step in defaults else getattr(found, step)
        return found


def _number(text: str) -> float:
    """A number as Python writes it: `1 << 16`, `60.0`."""
    base, shifted, by = text.partition("<<")
    return int(base) << int(by) if shifted else float(text) if "." in text else int(text)


def _b(what: str, where: str, unit: str, then: str, why: str) -> Bound:
    return Bound(what, where, unit, then, why)


BOUNDS: Final = (
    # connect
    _b("a push's body", "connectors.server:MAX_BODY", "bytes", "413", "platforms push kilobytes; this is a hundred times more"),
    _b("facts of a push", "connectors.base:MAX_FACTS", "", "413", "contract.md; platforms send 200 at most"),
    _b("pushes worked on", "connectors.server:AT_ONCE", "", "the next wait", "256 MiB of bodies at the very most"),
    _b("pushes that wait", "connectors.server:WAITING", "", "503: the platform comes again", "unread, so a socket each"),
    _b("a body's arrival", "connectors.server:BODY_WAIT", "s", "503: the platform comes again", "a slow sender must not hold a turn"),
    _b("a record to Kafka", "connectors.publish:MAX_RECORD", "bytes", "413", "a body and its envelope"),
    _b("Kafka's acknowledgement", "connectors.publish:WAIT", "s", "503: the platform comes again", "platforms wait 5 s or less"),
    _b("tries to reach Kafka", "connectors.publish:RETRY", "s apart", "without end; pushes get 503 meanwhile", "an outage ends some day"),
    # poll
    _b("a call to a platform", "connectors.pull.http:CALL_SECONDS", "s", "`timeout`: tried again", "a hung platform must not hold a feed"),
    _b("an answer of a platform", "connectors.pull.http:MAX_ANSWER", "bytes", "given up, people are told", "a page is a few hundred KiB"),
    _b("facts of an answer", "connectors.pull.client:MAX_PAGE_FACTS", "", "given up, people are told", "pages hold 200 at most"),
    _b("tries of a call", "connectors.pull.client:TRIES", "", "the feed rests", "what lasts longer is no hiccup"),
    _b("waits between them", "connectors.pull.client:LONGEST_PAUSE", "s", "no longer", "1 s doubled up to this"),
    _b("waits that platforms ask for", "connectors.pull.budget:LONGEST_REST", "s", "no longer", "a number of theirs must not stop us for a day"),
    _b("a clock ahead of a platform's", "connectors.pull.http:LONGEST_AHEAD", "s", "no more is believed", "a cached answer has an old date"),
    _b("a renewal when its feed ends", "connectors.pull.client:STOP_SECONDS", "s", "the token may be lost: people authorise anew", "below the group's patience"),
    _b("steps of a window", "connectors.pull.window:MAX_STEPS", "", "the window is cut in two", "50,000 orders; pages without end are noticed"),
    _b("cuts of a window", "connectors.pull.window:MOST_CUTS", "", "given up, people are told", "a second is not cut"),
    _b("facts published at once", "connectors.pull.window:CHUNK", "", "the rest after them", "as a push"),
    _b("event ids of a feed", "connectors.pull.window:MAX_SEEN", "", "the oldest are forgotten", "published again they are duplicates"),
    _b("waits while Kafka is away", "connectors.pull.window:LONGEST_KAFKA_PAUSE", "s", "without end", "the platform keeps what was not asked for"),
    _b("a feed's rest", "connectors.pull.plan:LONGEST_REST", "ms", "tried again, without end", "30 s doubled up to this"),
    _b("connections to platforms", "connectors.pull.http:CONNECTIONS", "", "calls wait", "a few a shop"),
    _b("a partition of cursors", "connectors.pull.cursors:LOAD_SECONDS", "s", "the group is joined again", "a record a feed"),
    _b("the end of lost feeds", "connectors.pull.cursors:STOP_SECONDS", "s", "said; the group goes on", "what goes on can only repeat"),
    _b("why an event is a dead letter", "schemas.facts:LONGEST_DETAIL", "characters", "cut", "a person reads it; the payload is kept whole"),
    _b("a code that no table knows", "schemas.facts:LONGEST_CODE", "characters", "cut", "platforms' codes are short; it is part of an alert"),
    _b("a payment method's name", "connectors.money:LONGEST_NAME", "characters", "cut", "rules compare it"),
    _b("days of a backfill", "connectors.pull.backfill:MAX_DAYS", "", "refused: do it in parts", "a slip of the pen"),
    _b("failures of a backfill", "connectors.pull.backfill:MAX_FAILURES", "in a row", "it ends, and can be gone on with", "somebody watches it"),
    # engine
    _b("a record of any topic", "schemas.topics:MAX_RECORD", "bytes", "buried as oversized", "a push must fit, again as a dead letter"),
    _b("a fetch", 'streams.records.engine:broker_max_poll_records=broker_max_poll_records": (\\d+)', "records", "the rest next time",
       "some 50 ms of work: the loop answers between"),
    _b("inbox of a partition", "streams.records.lane:Lane.INBOX", "batches", "it is not fetched for", "one is folded while one waits"),
    _b("steps under way", "streams.records.engine:depth=depth: int = (\\d+)", "", "the fold waits", "outputs of one travel with state of another"),
    _b("a batch of the producer", "streams.records.writer:Writer.BATCH", "bytes", "another batch", "half of what brokers take unless told otherwise"),
    _b("a batch to be written", "streams.records.writer:Writer.TIMEOUT", "ms", "the partition is opened anew", "longer than a broker's restart"),
    _b("an answer to a write", "streams.records.writer:Writer.REQUEST", "ms", "connected anew, sent again", "half-open connections end"),
    _b("an output or a state", "streams.records.step:Bounds.output", "bytes", "its record is buried", "brokers take 1 MiB unless told otherwise"),
    _b("deadlines a tick", "streams.records.step:Bounds.due", "", "the rest next second", "a downtime's deadlines must not hang the loop"),
    _b("a deadline that fails", "streams.records.ticking:DUE_AGAIN", "s", "again after it", "it may be repaired by a record"),
    _b("failed folds in a row", "streams.records.poison:Limit.consecutive", "", "the partition waits and says so", "the fold is wrong, not the record"),
    _b("failed folds of the last 1,000", "streams.records.poison:Limit.ratio", "", "the partition waits and says so", "the same"),
    _b("a poisonous batch", "streams.records.partition:Partition.POISON_AGAIN", "s", "tried again after it, without end", "people must act"),
    _b("restores at once", "streams.records.engine:Engine.OPENINGS", "partitions", "the others wait", "producers and fetched bytes"),
    _b("reads at once", "streams.records.reader:Reader.AT_ONCE", "ranges", "the others wait", "8 MiB each"),
    _b("a fetch of a restore", "streams.records.reader:Reader.FETCH", "bytes", "the rest next time", "as above"),
    _b("states of a lost partition", "streams.records.ownership:Ownership.KEEP", "s", "dropped", "it often comes back within a roll"),
    _b("tries to open a partition", "streams.records.ownership:Ownership.SLOWEST", "s apart", "without end, said once a minute", "0.5 s doubled up to this"),
    _b("openings in vain", "streams.records.watchdog:Progress.STRIKES", "", "the worker ends itself", "another process may do better"),
    _b("a sink's tries", "streams.records.sink:SinkPartition.LONGEST_WAIT", "s apart", "without end; Kafka keeps the rest", "no batch may be dropped"),
    _b("a stop", "streams.records.engine:Engine.STOP", "s", "the process ends as it is", "nothing is lost by it"),
    _b("RocksDB's cache", "streams.records.rocks:CACHE", "bytes a partition", "the least used leave", "it would take 2 GiB"),
    _b("RocksDB's write buffer", "streams.records.rocks:BUFFER", "bytes", "flushed", "of each partition"),
    _b("messages said once a minute", "streams.records.logs:Repeats.MOST", "", "all are forgotten", "texts before formatting: dozens in truth"),
    _b("keys' partitions", "streams.records.routing:partition=lru_cache\\((1 << 16)\\)", "keys", "the least used leave", "10 MB; a hash costs 3 µs"),
    # caches
    _b("repeated parts of records", "schemas.runs:MOST", "runs", "all are dropped", "a few dozen bytes each"),
    _b("times as text", "schemas.headers:utc=lru_cache\\(maxsize=(\\d+)\\)", "seconds", "the least used leave", "two hours of facts"),
    _b("parsed writer schemas", "schemas.codec:parsed=lru_cache\\(maxsize=(\\d+)\\)", "", "the least used leave", "a dozen exist"),
    _b("texts of courier nodes", "schemas.phrases:_read=lru_cache\\(maxsize=(\\d+)\\)", "texts", "the least used leave", "places repeat"),
    _b("a text that is read", "schemas.phrases:LONGEST", "characters", "the rest is not looked at", "regular expressions take their time"),
    _b("channel controls", "streams.orders.gates:_read=lru_cache\\(maxsize=(\\d+)\\)", "", "the least used leave", "one a channel"),
    _b("fixed headers", "streams.wire:_fixed=lru_cache\\(maxsize=(\\d+)\\)", "", "the least used leave", "one a kind of record"),
    _b("names of days", "streams.days:day=lru_cache\\(maxsize=(\\d+)\\)", "days", "the least used leave", "two months"),
    # orders, channels, parcels, sources
    _b("sources of an order", "streams.orders.state:MAX_SOURCES", "", "a dead letter", "four are usual"),
    _b("refund cases of a source", "streams.orders.state:MAX_CASES", "", "a dead letter", "platforms allow a few a line"),
    _b("parcels of an order", "streams.orders.state:MAX_PARCELS", "", "a dead letter", "wholesale travels in hundreds of boxes"),
    _b("lines of an order", "streams.orders.state:MAX_LINES", "", "a dead letter", "kept only until the pool has spoken"),
    _b("moves of a system", "streams.orders.state:MAX_MOVES", "", "the oldest are forgotten", "nine statuses from Picking on"),
    _b("event ids of a source", "streams.orders.state:MAX_SEEN", "", "the oldest are forgotten", "again, they are repeats or late"),
    _b("releases after a pause", "streams.orders.agent:MOST_RELEASES", "a tick", "the rest next second", "a second's work"),
    _b("a rule's condition", "streams.orders.rules:MAX_LENGTH", "characters", "refused by `check`", "people write rules"),
    _b("days of a channel", "streams.channels.state:DAYS_KEPT", "", "the oldest are forgotten", "a weekend's backlog"),
    _b("conflicts told apart", "streams.channels.state:IDS_KEPT", "a day", "the oldest are forgotten", "the pause comes long before"),
    _b("commands remembered", "streams.channels.state:COMMANDS_KEPT", "", "the oldest are forgotten", "people give few"),
    _b("conflicts in a pause", "streams.channels.state:NAMED", "", "the others are counted", "a text for people"),
    _b("values of a label that outsiders can make up", "schemas.metrics:MOST_VALUES", "", "the others are one, `other`", "a merchant has dozens of sources"),
    _b("traced facts of a batch that have spans", "ops.tracing:LINKS", "", "the others of the batch have none there", "a hundredth of a batch of thousands"),
    _b("event ids of a parcel", "streams.parcels.state:IDS_KEPT", "", "the oldest are forgotten", "a parcel has dozens of nodes"),
    _b("raw events of one id", "streams.parcels.state:PLACES_KEPT", "", "the oldest are forgotten", "couriers repeat a few times"),
    _b("nodes of a parcel", "streams.parcels.state:NODES_KEPT", "", "the oldest are forgotten", "what the next move is judged by"),
    _b("orders of a parcel", "streams.parcels.state:ORDERS_KEPT", "", "the oldest are forgotten", "shipments are merged by threes"),
    _b("sources between two pulses", "streams.normalise.pulses:MOST", "", "others are not counted", "couriers are named by input"),
    _b("ranges of a pulse", "streams.normalise.pulses:MOST_RANGES", "", "another pulse", "size of a record"),
    _b("sources watched", "streams.sources.agent:MOST_SOURCES", "", "others are not watched", "who makes names up must not fill the memory"),
    _b("shops watched", "streams.sources.numbers:MOST_SHOPS", "a source", "others are not watched", "the same"),
    _b("gaps remembered", "streams.sources.numbers:MOST_GAPS", "a shop", "the oldest are forgotten, those said first", "who leaves more out does not number"),
    # sink
    _b("connections", "sinks.settings:SinkSettings.connections", "", "the next wait", "two transactions, senders, keeper, health"),
    _b("transactions at once", "sinks.postgres.commit:LANES", "", "batches wait; Kafka keeps the rest", "encoding beside merging"),
    _b("rows of a transaction", "sinks.postgres.commit:GROUP_ROWS", "", "another transaction", "less while the database is slow"),
    _b("a transaction", "sinks.postgres.commit:GROUP_SECONDS", "s", "cut, tried again", "below the engine's patience"),
    _b("a connection's beginning", "sinks.postgres.database:CONNECT_SECONDS", "s", "Postgres is away: tried again", "on a good network it takes milliseconds"),
    _b("a statement", "sinks.postgres.database:STATEMENT_MS", "ms", "cancelled, tried again", "somebody holds a lock"),
    _b("a statement, seen from here", "sinks.postgres.database:COMMAND_SECONDS", "s", "the connection is cut", "the server is gone"),
    _b("idle in a transaction", "sinks.postgres.database:IDLE_MS", "ms", "the server ends it", "a worker that hangs loses its locks"),
    _b("due alerts looked at", "sinks.alerts.outbox:LOOK", "", "the rest in the next message", "the outbox is a table: it waits on disk"),
    _b("an alert's claim", "sinks.alerts.outbox:LEASE", "", "sent once more", "longer than any request"),
    _b("an alert of a bot that is away", "sinks.alerts.outbox:GIVE_UP", "", "failed, on the board", "nobody acts on yesterday's alert"),
    _b("tries of an unknown refusal", "sinks.alerts.outbox:TRIES", "", "failed, on the board", "no endless loop"),
    _b("alerts after a repair", "sinks.alerts.outbox:REPAIRED_TRIES", "", "failed for good", "a repair that is none"),
    _b("messages of a bot", "sinks.alerts.dingtalk:PLATFORM.per_minute", "a minute", "alerts gather in digests", "the platform's limit"),
    _b("kept for critical ones", "sinks.alerts.limit:RESERVED", "messages", "others wait", "a pause must get through"),
    _b("waits after failures", "sinks.alerts.limit:backoff=longest: float = ([\\d.]+)", "s", "no longer", "1 s doubled up to this"),
    _b("a request to a bot", "sinks.alerts.sender:REQUEST_SECONDS", "s", "tried again", "a hung bot holds up nobody else"),
    _b("a bot's answer", "sinks.alerts.sender:ANSWER_BYTES", "bytes", "the rest is not read", "an error code is at its beginning"),
    _b("writing down what was sent", "sinks.alerts.sender:SETTLE_SECONDS", "s", "the claim runs out", "within the claim"),
    _b("a parameter of an alert", "sinks.alerts.texts:LONGEST_VALUE", "characters", "cut", "the rest is on the board"),
    _b("faults told one by one", "sinks.evidence.close:MOST_FAULTS", "a day", "the others are counted", "a text for people"),
    _b("chains proven at once", "sinks.evidence.close:KEYS", "", "the rest after them", "memory of a day's closing"),
    _b("rows of a cursor", "sinks.evidence.close:PREFETCH", "", "the rest after them", "the same"),
    _b("a day's closing", "sinks.evidence.keeper:CLOSE_SECONDS", "s", "tried again", "a million chains take a minute"),
    # board, supervisor, configuration
    _b("a body to the board", "ops.board.app:MAX_BODY", "bytes", "413", "commands are short"),
    _b("alerts of an answer", "ops.board.alerts:MAX_ALERTS", "", "the newest", "a page"),
    _b("a reason", "ops.board.channel:MAX_WHY", "characters", "400", "goes into audit and alerts"),
    _b("rows of an answer", "ops.board.asked:MAX_PAGE", "", "400; the rest are on the next page", "a page"),
    _b("what is searched for", "ops.board.asked:MAX_TEXT", "characters", "400", "no key is longer"),
    _b("a key within a cursor", "ops.board.asked:LONGEST_KEY", "characters", "400", "longer than any index entry"),
    _b("audit records proven on the board", "ops.board.verify:MAX_RECORDS", "an order", "said; the command proves all", "an answer within a second"),
    _b("dead letters replayed from the board", "ops.board.letters:MAX_REPLAY", "a request", "400", "an answer within seconds"),
    _b("dead letters named in a replay", "ops.board.letters:MAX_EVENTS", "", "400", "the same"),
    _b("a dead letter's payload on the board", "ops.board.letters:MAX_PAYLOAD", "bytes", "cut, and said so", "a page"),
    _b("open event streams", "ops.board.events:MAX_LISTENERS", "", "503; the page asks again", "a connection each"),
    _b("orders and parcels watched by a page", "ops.board.events:MAX_WATCHED", "", "400", "looked up every second"),
    _b("events for a listener", "ops.board.events:QUEUE", "", "it must come again", "a slow browser must not fill the memory"),
    _b("a role's log", "ops.supervisor.logs:MAX_BYTES", "bytes", "another file", "three older ones are kept"),
    _b("values of a configuration", "ops.config.yaml_file:MOST", "", "refused", "aliases within aliases"),
    _b("findings of an audit", "ops.reports.audit:MOST", "", "the others are counted", "a report for people"),
    _b("records counted by a report", "ops.reports.lag:MOST", "a partition", "counted as unknown", "a report must end"),
)  # fmt: skip


def page() -> str:
    """The page, by the code as it is."""
    return HEAD + "".join(_line(bound) for bound in BOUNDS) + TAIL


def _line(bound: Bound) -> str:
    module, name = bound.place
    value = bound.value()
    shown = f"{value:,}" if isinstance(value, int) else f"{value:g}" if isinstance(value, float) else str(value)
    limit = f"{shown} {bound.unit}".strip()
    return f"| {bound.what} | {limit} | `{module}:{name}` | {bound.then} | {bound.why} |\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    sys.exit(0)
