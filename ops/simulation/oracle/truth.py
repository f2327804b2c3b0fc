"""All answers of the oracle about one run, put together from the raw topics and the order in which facts were read."""

from dataclasses import dataclass, field
from typing import Any

from ops.simulation.oracle import orders, parcels
from ops.simulation.oracle.orders import Story
from ops.simulation.oracle.parcels import Box, Link
from ops.simulation.oracle.reading import Dead, Fact, Place, read


@dataclass
class Readings:
    """In which order things were read: of orders and parcels by key, raw places or ids of what is no raw event."""

    orders: dict[str, list[Place | str]]
    parcels: dict[str, list[Place | str]]


@dataclass
class Truth:
    """What must be true. `lost`: facts that were pushed and never read; `invented`: read, and never pushed."""

    facts: dict[Place, Fact] = field(default_factory=dict)
    dead: dict[Place, Dead] = field(default_factory=dict)
    stories: dict[str, Story] = field(default_factory=dict)
    boxes: dict[str, Box] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    invented: list[str] = field(default_factory=list)


def tell(raw: dict[Place, Any], readings: Readings, until: int) -> Truth:
    """The truth about raw events (`RawEvent` by place) that were read in this order."""
    truth = Truth()
    for place, event in raw.items():
        said = read(place, event)
        if isinstance(said, Dead):
            truth.dead[place] = said
        else:
            truth.facts[place] = said
    links = _links(truth, readings)
    _boxes(truth, readings, links, until)
    _stories(truth, readings)
    _reckon(truth, readings, links)
    return truth


def _own(truth: Truth, key: str, read_in: list[Place | str]) -> list[Fact]:
    """The raw facts of an order in the order of reading."""
    return [fact for each in read_in if not isinstance(each, str) and (fact := truth.facts.get(each)) and fact.key == key]


def _links(truth: Truth, readings: Readings) -> dict[str, Link]:
    """What orders say of their parcels. What parcels say back changes nothing in it but whose they are already."""
    found: dict[str, Link] = {}
    for key, read_in in readings.orders.items():
        facts = _own(truth, key, read_in)
        story = orders.tell(key, facts)
        for parcel, fact in story.named:
            position = next(n for n, one in enumerate(story.entries) if one.fact is fact)
            customer = orders.detail(story, story.entries[: position + 1], "customer")
            event_id = f"link:{key}:{parcel}"
            found[event_id] = Link(event_id, key, parcel, fact.source, fact.received, customer)
    return found


def _boxes(truth: Truth, readings: Readings, links: dict[str, Link], until: int) -> None:
    for key, read_in in readings.parcels.items():
        items: list[Fact | Link] = []
        for each in read_in:
            item = links.get(each) if isinstance(each, str) else truth.facts.get(each)
            if item is None:
                truth.invented.append(f"parcel {key}: {each}")
            else:
                items.append(item)
        truth.boxes[key] = parcels.tell(key, items, until)


def _stories(truth: Truth, readings: Readings) -> None:
    states = {event_id: fact for box in truth.boxes.values() for event_id, fact in box.states.items()}
    for key, read_in in readings.orders.items():
        facts: list[Fact] = []
        for each in read_in:
            fact = states.get(each) if isinstance(each, str) else truth.facts.get(each)
            if fact is None or fact.key != key:
                truth.invented.append(f"order {key}: {each}")
            else:
                facts.append(fact)
        truth.stories[key] = orders.tell(key, facts)


def _reckon(truth: Truth, readings: Readings, links: dict[str, Link]) -> None:
    """What was pushed or stated, and never read."""
    read_of_orders = {each for read_in in readings.orders.values() for each in read_in}
    read_of_parcels = {each for read_in in readings.parcels.values() for each in read_in}
    for place, fact in truth.facts.items():
        if place not in (read_of_parcels if fact.axis == "parcel" else read_of_orders):
            truth.lost.append(f"{fact.event_id} of {fact.source} at {place}")
    truth.lost += [name for name in links if name not in read_of_parcels]
    truth.lost += [name for box in truth.boxes.values() for name in box.states if name not in read_of_orders]
