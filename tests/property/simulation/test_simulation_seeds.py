"""The whole decision core under faults, many seeds of it."""

import pytest

from ops.simulation.many import examine_all, total_of
from ops.simulation.report import failure

SEEDS = 500
LARGE = 20_000


def _examined(first: int, count: int) -> None:
    total = total_of(examine_all(range(first, first + count), most=3))
    assert not total.failed, "\n\n".join(failure(verdict) for verdict in total.failed)
    assert total.seeds == count
    assert not total.never, f"no seed has seen: {', '.join(total.never)}"


def test_500_seeds_leave_what_the_oracle_expects() -> None:
    """Whatever is killed, doubled, delayed or moved: the final tables are those of the oracle, and each fault was seen."""
    _examined(0, SEEDS)


@pytest.mark.chaos
@pytest.mark.timeout(7200)
def test_20000_seeds_leave_what_the_oracle_expects() -> None:
    """The same for seeds that `make test` has not seen."""
    _examined(1_000_000, LARGE)
