"""Gaps in a source's own numbers, and what is none."""

import json

from connectors.base import Push
from connectors.config import Shop
from connectors.registry import CONNECTORS
from schemas import topics
from schemas.pulses import LARGEST, SEQUENCE
from streams.policy import MINUTE, Policy
from streams.sources.numbers import ANEW, MOST_GAPS
from tests.unit.sources.given import Sources

POLICY = Policy(sequence_gap=10 * MINUTE)


def missing(sources: Sources) -> list[str]:
    """What was said to be missing."""
    return [alert.params["missing"] for alert in sources.said("sequence_gap")]


def test_a_gap_that_nobody_fills_is_said_once_with_its_numbers() -> None:
    """3, 5 and 6 do not come: said together when their time is over, and never again."""
    sources = Sources(POLICY)
    for number in (1, 2, 4, 7):
        sources.push(sequence=number)
    sources.settle(9 * 60)
    assert missing(sources) == []
    sources.settle(2 * 60)
    assert missing(sources) == ["3, 5-6"]
    sources.push(sequence=8)
    sources.settle(3600)
    (alert,) = sources.said("sequence_gap")
    assert (alert.params["source"], alert.params["shop"], alert.params["count"]) == ("web", "s1", "3")
    assert sources.run.errors == []


def test_duplicates_and_another_order_are_no_gap() -> None:
    """Every number comes in the end, some twice, in any order and a few minutes late."""
    sources = Sources(POLICY)
    for number in (10, 13, 11, 13, 15, 12, 10, 14):
        sources.push(sequence=number)
        sources.settle(60)
    sources.settle(3600)
    assert missing(sources) == []


def test_the_first_number_is_no_gap() -> None:
    """A source that we meet at 1,000 has not lost 999 pushes."""
    sources = Sources(POLICY)
    sources.push(sequence=1000)
    sources.push(sequence=1001)
    sources.settle(3600)
    assert missing(sources) == []


def test_a_fact_that_is_a_dead_letter_has_come() -> None:
    """Its number is seen, whatever became of it; so is that of a letter which is replayed."""
    sources = Sources(POLICY)
    sources.push(sequence=1)
    sources.push(sequence=2, good=False)
    sources.push(sequence=4)
    sources.settle(60)
    sources.push(sequence=3, ago=3600)
    sources.settle(3600)
    assert missing(sources) == []


def test_memory_is_bounded() -> None:
    """Every second number is missing: so many ranges are kept, and the count has the others too."""
    sources = Sources(POLICY)
    for number in range(0, 4 * MOST_GAPS, 2):
        sources.push(sequence=number)
    sources.settle(60)
    numbers = sources.run.state("sources", b"web").source.numbers["s1"]
    assert len(numbers.gaps) == MOST_GAPS
    sources.settle(3600)
    (alert,) = sources.said("sequence_gap")
    assert alert.params["count"] == str(2 * MOST_GAPS - 1)


def test_a_leap_is_another_numbering() -> None:
    """One number far away makes no gap of millions, and the next ones are counted from there."""
    sources = Sources(POLICY)
    for number in (1, 2, 2 * ANEW, 2 * ANEW + 1, 2 * ANEW + 3):
        sources.push(sequence=number)
        sources.settle(10)
    sources.settle(3600)
    assert missing(sources) == [str(2 * ANEW + 2)]


def test_numbers_survive_a_kill_at_any_moment() -> None:
    """A crash after a fact was committed and before its second's pulse must not make its number missing."""
    for effect in range(1, 60):
        effects = iter([False] * (effect - 1) + [True])
        sources = Sources(POLICY, crash=lambda _, effects=effects: next(effects, False), batch=2)
        for number in range(1, 12):
            if number != 6:
                sources.push(sequence=number)
            sources.run.run()
        sources.settle(3600)
        assert set(missing(sources)) == {"6"}, f"killed at effect {effect}"


def test_generic_tells_the_number_and_who_numbers() -> None:
    """The envelope's header has both; an address of one courier numbers for all that it speaks for; no number, no header."""
    shop = Shop("courier", "generic", "zto", "p1", "k")
    fact = {"event_id": "p1", "tracking_no": "7", "courier": "yto", "status": "Signed", "occurred_at": "2026-11-22T10:00:00Z"}

    def header(sequence: object) -> str | None:
        (found,) = CONNECTORS["generic"].split(shop, Push(json.dumps(fact | {"sequence": sequence}).encode()))
        return found.headers.get(SEQUENCE)

    assert header(17) == "17 zto"
    assert [header(odd) for odd in ("17", -1, True, 1.0, None, LARGEST + 1)] == [None] * 6


def test_a_header_that_is_no_number_is_none() -> None:
    """Whatever stands in an envelope that somebody else wrote, its event is counted and its partition goes on."""
    sources = Sources(POLICY)
    for odd in ("x web", "", "-1 web", f"{'9' * 99} web", "٣ web", "1"):
        sources.push(header=odd)
    sources.settle(60)
    state = sources.run.state("sources", b"web").source
    assert sum(slot.total for slot in state.slots) == 6
    assert sources.run.read(topics.DEAD) == []
