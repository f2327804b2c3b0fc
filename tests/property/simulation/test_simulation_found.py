"""Seeds that have found something, so that it stays mended."""

import pytest

from ops.simulation.many import examine_seed
from ops.simulation.report import failure


@pytest.mark.parametrize(
    ("seed", "found"),
    [
        (75, "deadlines came due by a wall clock that somebody had set a day ahead"),
        (731, "an ERP's hold, taken back before the order was cancelled, answered the cancel because it was read after it"),
        (1_000_226, "a second crash forgot a release that was told before the first, and its cancel was no withdrawal"),
        (1_001_064, "a channel that had been in step when its parcel was signed, and fell back later, was read first: a false conflict"),
        (1_001_096, "a channel that had fallen back before the WMS shipped was read second: no conflict"),
        (1_001_635, "a courier's statement was recorded at another time when the parcel's link was read before the node"),
    ],
)
def test_what_a_seed_has_found_stays_mended(seed: int, found: str) -> None:
    """The seed passes now."""
    verdict = examine_seed(seed)
    assert not verdict.problems, f"{found}\n{failure(verdict)}"
