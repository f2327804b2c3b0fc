"""Seeds that have found something, so that it stays mended."""

import pytest

from ops.simulation.many import examine_seed
from ops.simulation.report import failure


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (75, "deadlines came due by a wall clock that somebody had set a day ahead"),
        (731, "an ERP's hold, taken back before the order was cancelled, answered the cancel because it was read after it"),
    ],
)
def test_what_a_seed_has_found_stays_mended(seed: int, found: str) -> None:
    """The seed passes now."""
    verdict = examine_seed(seed)
    assert not verdict.problems, f"{found}\n{failure(verdict)}"
