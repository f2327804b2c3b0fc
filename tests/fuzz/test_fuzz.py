"""The short form of `make fuzz`: bodies of fixed seeds through connectors and normalise, the whole role, and all parsers."""

import tracemalloc

import pytest

from tests.contract.connectors.cases import CASES
from tests.fuzz import parsers, whole
from tests.fuzz.bodies import REASONS, Judge
from tests.fuzz.mutate import Mutator

BODIES = 18_000


@pytest.mark.timeout(120)
def test_every_body_is_refused_or_accounted_for() -> None:
    """Whatever is pushed: a documented refusal, or each fact one observation or one dead letter, in bounded time and memory."""
    judge = Judge(20_261_122)
    while judge.tally.bodies < BODIES // 3:
        judge.one()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    while judge.tally.bodies < BODIES // 2:
        judge.one()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    while judge.tally.bodies < BODIES:
        judge.one()
    tally = judge.tally
    assert tally.facts == tally.observations + tally.dead.total()
    assert grown < 24 << 20, f"{grown >> 20} MiB more after {BODIES // 6} bodies"
    assert set(tally.dead) == REASONS, "a reason that no body led to: the bodies are not what they should be"
    assert set(tally.connectors) == {case.name for case in CASES}
    assert min(tally.observations, tally.refused["bad_signature"], tally.empty) > 100


@pytest.mark.parametrize("seed", range(2))
def test_the_whole_role_takes_them_to_rows(seed: int) -> None:
    """No fold fails, every source's facts are in the accounts, and every row and alert fits its column."""
    counts = whole.run(seed, 1_200)
    assert counts["pushed"] > 1_000
    assert min(counts[table] for table in ("orders", "audit", "pool", "parcels", "dead_letters", "alerts")) > 0


@pytest.mark.timeout(120)
def test_every_parser_keeps_to_its_errors() -> None:
    """Configuration, rules, tables, courier texts, framed Avro: documented errors only, and no input takes long."""
    counts = parsers.run(1, 120)
    assert min(counts.values()) > 0


def test_a_seed_makes_the_same_bodies_again() -> None:
    """A finding can be repeated."""
    first, second = Mutator(7), Mutator(7)
    message = CASES[0].messages[0]
    assert [first.message(message) for _ in range(200)] == [second.message(message) for _ in range(200)]
