"""Nothing is lost, nothing is doubled, nothing is invented; both identities of semantics §8; and it still works."""

from collections import Counter
from collections.abc import Iterator

from ops.simulation.checks import unlike
from ops.simulation.oracle.truth import Truth
from ops.simulation.run import World
from sinks.postgres import tables as t


def facts(world: World, truth: Truth) -> Iterator[str]:
    """Every readable fact was read, and none that nobody pushed."""
    yield from (f"lost: {name}" for name in truth.lost)
    yield from (f"invented: {name}" for name in truth.invented)


def dead(world: World, truth: Truth) -> Iterator[str]:
    """Every unreadable one is a dead letter with its reason, and nothing else is."""
    expected = {place: (letter.source, letter.event_id, letter.reason) for place, letter in truth.dead.items()}
    found = {
        (row["origin_topic"], row["origin_partition"], row["origin_offset"]): (row["source"], row["event_id"], row["reason"])
        for row in world.tables.all(t.DEAD_LETTERS)
    }
    yield from unlike("dead letter", expected, found)


def identities(world: World, truth: Truth) -> Iterator[str]:
    """Facts per source, counted from the tables alone; and orders per channel."""
    tables = world.tables
    raw: Counter[str] = Counter()
    for (_, _, source), n in tables.counted.items():
        raw[source] += n
    outcome: Counter[str] = Counter()
    for row in tables.all(t.AUDIT):
        outcome[row["source"]] += not row["derived"]
    for row in tables.all(t.PARCELS):
        outcome[row["courier"]] += row["observations"] + row["duplicates"]
    for row in tables.all(t.ORDER_SOURCES):
        outcome[row["source"]] += row["duplicates"]
    for row in tables.all(t.DEAD_LETTERS):
        outcome[row["source"]] += row["kind"] != "internal"
    pushed = Counter([fact.source for fact in truth.facts.values()] + [letter.source for letter in truth.dead.values()])
    yield from unlike("raw events of", pushed, +raw)
    yield from unlike("accounted facts of", pushed, +outcome)
    observed = Counter(row["source"] for row in tables.all(t.PARCEL_EVENTS) if row["kind"] == "node")
    counted: Counter[str] = Counter()
    for row in tables.all(t.PARCELS):
        counted[row["courier"]] += row["observations"]
    yield from unlike("rows of parcel events of", +counted, observed)
    yield from _paid(world)


def _paid(world: World) -> Iterator[str]:
    """Each paid order is in exactly one place."""
    for row in world.tables.all(t.ORDERS):
        places = [row["released"], row["pool"] == "hold", row["pool"] == "filter", not row["released"] and row["pool"] == "withdraw"]
        places.append(row["pool"] is None and row["ended"])
        if row["paid"] and sum(places) != 1:
            yield f"paid order {row['order_key']} is in {sum(places)} places: {row['pool']}, released {row['released']}"


def liveness(world: World, truth: Truth) -> Iterator[str]:
    """After the faults a fresh order of each partition is in the tables."""
    known = {row["order_key"] for row in world.tables.all(t.ORDERS)}
    yield from (f"fresh order {key} has not come through" for key in world.fresh if key not in known)
