"""How many records may be buried."""

import pytest

from streams.records.poison import Limit, Poison, PoisonFlood

LIMIT = Limit(consecutive=5, ratio=0.5, window=100, least=20)


def test_single_failures_pass() -> None:
    """One failing record in ten never stops a partition."""
    poison = Poison(LIMIT)
    for _ in range(1000):
        poison.accept(10, [3])


@pytest.mark.parametrize("batches", [[(5, [0, 1, 2, 3, 4])], [(3, [1, 2]), (4, [0, 1, 2])]])
def test_a_run_of_failures_stops(batches: list[tuple[int, list[int]]]) -> None:
    """So many failures one after the other stop it, also over the border of two batches."""
    poison = Poison(LIMIT)
    for total, buried in batches[:-1]:
        poison.accept(total, buried)
    with pytest.raises(PoisonFlood, match="5 records failed one after the other"):
        poison.accept(*batches[-1])


def test_a_good_record_ends_the_run() -> None:
    """Four, a good one, four more: no run of five."""
    poison = Poison(LIMIT)
    poison.accept(5, [0, 1, 2, 3])
    poison.accept(10, [0, 1, 2, 3])


def test_the_ratio_stops() -> None:
    """More than half of the last records failing stops it, however they are spread."""
    poison = Poison(LIMIT)
    poison.accept(100, [])
    half, most = [0, 2, 4, 6, 8], [0, 1, 3, 4, 6, 7, 9]
    for _ in range(30):
        poison.accept(10, half)
    for _ in range(2):
        poison.accept(10, most[:6])
    with pytest.raises(PoisonFlood, match="% of the last records failed"):
        poison.accept(100, [10 * tens + number for tens in range(10) for number in most])


def test_a_refused_batch_does_not_count() -> None:
    """After a flood the same limit holds as before it: trying again does not use it up, nor loosen it."""
    poison = Poison(LIMIT)
    for _ in range(3):
        with pytest.raises(PoisonFlood):
            poison.accept(6, [0, 1, 2, 3, 4, 5])
    poison.accept(6, [0, 1, 2, 3])
