"""The task that watches the sources: pulses and progress marks in, alerts out. It runs in one partition: sources are few."""

from collections.abc import Iterable, Mapping

from schemas import topics
from schemas.pulses import SourcePulse
from schemas.records import Alert, ProgressMark
from streams import wire
from streams.policy import DAY, HOUR, MINUTE, Policy
from streams.records import Context, Output, Record, Task, Tick
from streams.sources import health, numbers, rhythm, silence
from streams.sources.state import Kept, Reader, Source

MARK = b"mark:"  # begins the keys of progress marks; a source's name holds no colon
UNBROKEN = 3 * MINUTE  # between two marks of a partition: a restart takes less, an outage more
FORGET = 30 * DAY  # a source that said nothing for so long, and of which the policy knows nothing
MOST_SOURCES = 5_000  # couriers are named by what is pushed: who makes names up must not fill the memory
Span = tuple[int, int]
"""From when to when everything that came was read without a break, ms."""


def take(source: Source, pulse: SourcePulse, policy: Policy) -> list[Alert]:
    """Take one pulse into its source's state."""
    source.kind, source.feed = pulse.kind, pulse.feed
    numbers.take(source, pulse)
    known = source.offsets.get(pulse.partition, -1)
    if pulse.offset <= known and pulse.at <= source.last_at:
        return []  # told again after a crash
    source.offsets[pulse.partition] = pulse.offset
    if not pulse.total:
        return []
    rhythm.heard(source, pulse.minutes)
    source.first_at = source.first_at or pulse.at
    found = [*silence.back(source, pulse.at), *health.take(source, pulse, policy)]
    source.last_at = max(source.last_at, pulse.at)
    return found


def judge(source: Source, span: Span, policy: Policy) -> tuple[bool, list[Alert]]:
    """Look at a source as far as its topic was read: (whether its state changed, what there is to say)."""
    since, read_to = span
    learned = rhythm.learn(source, since, read_to)
    found = [*silence.judge(source, since, read_to, policy), *numbers.judge(source, read_to, policy)]
    return learned or bool(found), found


def listened(reader: Reader | None, mark: ProgressMark) -> Reader:
    """The reader after a mark. A mark that leaps tells of an outage: what was silent in it may not have been heard."""
    feed, _, number = mark.feed.rpartition("/")
    if reader is None or mark.read_to - reader.read_to > UNBROKEN:
        return Reader(feed, int(number), mark.read_to, mark.read_to)
    reader.read_to = max(reader.read_to, mark.read_to)
    return reader


def spans(readers: Iterable[Reader], partitions: int) -> Mapping[str, Span]:
    """By raw topic, those of which all partitions are read; the key `""` for what holds of all of them."""
    found: dict[str, list[Reader]] = {}
    for reader in readers:
        if reader.partition < partitions:
            found.setdefault(reader.feed, []).append(reader)
    whole = {
        feed: (max(reader.since for reader in each), min(reader.read_to for reader in each))
        for feed, each in found.items()
        if len(each) == partitions
    }
    newest = max((read_to for _, read_to in whole.values()), default=0)
    live = [span for span in whole.values() if newest - span[1] <= HOUR]  # a topic that is read no more blinds nobody
    if live:
        whole[""] = max(since for since, _ in live), min(read_to for _, read_to in live)
    return whole


def task(policy: Policy, partitions: int = 4) -> Task:
    """Keyed by source, from `source.pulse`. `partitions`: of the raw topics."""
    known, moved = 0, True  # only what spares work: both are found again after a restart

    def fold(state: Kept | None, record: Record, ctx: Context) -> tuple[Kept | None, list[Output]]:
        nonlocal moved
        if record.key.startswith(MARK):
            moved = True
            return Kept(reader=listened(state.reader if state else None, wire.decode(record, ProgressMark))), []
        if state is None and known >= MOST_SOURCES:
            return None, []
        pulse = wire.decode(record, SourcePulse)
        source = (state.source if state else None) or Source(pulse.source)
        return Kept(source), [wire.alert(alert) for alert in take(source, pulse, policy)]

    def on_tick(tick: Tick) -> Iterable[Output]:
        nonlocal known, moved
        readers = [*tick.waiting("readers")]
        if not moved or not readers:
            return  # nothing was read since it was judged
        moved = False
        keys = [*tick.waiting("sources")]
        known = len(keys)
        for name in _unheard(policy, {*keys}):
            tick.put(name.encode(), Kept(Source(name)))
        read = spans((tick.get(key).reader for key in readers), partitions)
        for key in keys:
            yield from map(wire.alert, _looked_at(tick, key, read, policy))

    return Task(
        name="sources",
        sources=(topics.SOURCE_PULSE,),
        fold=fold,
        outputs=frozenset({topics.ALERT, topics.DEAD}),
        bury=wire.bury,
        state=Kept,
        changelog=topics.SOURCES_CHANGELOG,
        group=lambda kept: ("sources" if kept.source else "readers", 0.0),
        on_tick=on_tick,
    )


def _looked_at(tick: Tick, key: bytes, read: Mapping[str, Span], policy: Policy) -> list[Alert]:
    """Judge one source as far as its topic was read, and keep what has changed."""
    source: Source = tick.get(key).source
    span = read.get(source.feed)
    if span is None:
        return []
    changed, found = judge(source, span, policy)
    if _forgotten(source, span, policy):
        tick.put(key, None)
    elif changed:
        tick.put(key, Kept(source))
    return found


def _unheard(policy: Policy, known: set[bytes]) -> list[str]:
    """Sources that must not be silent by the policy have a state before they have said a word."""
    return [name for name, rule in policy.silence.sources.items() if isinstance(rule, int) and name.encode() not in known]


def _forgotten(source: Source, span: Span, policy: Policy) -> bool:
    return source.source not in policy.silence.sources and span[1] - source.last_at > FORGET
