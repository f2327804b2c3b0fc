"""The whole day of the demo without servers: all that is planted is found, and nothing else."""

from collections import Counter
from pathlib import Path

import pytest

from ops.simulator import planner
from tests.e2e.rehearsal import Rehearsal, pretty

NOW = 1_795_000_000.0


@pytest.mark.parametrize("seed", [1, 7])
def test_all_that_is_planted_is_found_and_nothing_else(seed: int, tmp_path: Path) -> None:
    """Real encoders, connectors and folds agree with the planner about every finding of a day."""
    script = planner.write(seed, 400, int(NOW * 1000))
    stage = Rehearsal(tmp_path, NOW)
    stage.play(script.day)
    stage.driver.advance(5)
    stage.play(script.storms)
    stage.driver.advance(3)
    stage.play(script.evening)
    stage.driver.advance(80)
    stage.play(script.repair)
    for channel in (planner.CONFLICTED, planner.STORM):
        stage.resume(channel)
    stage.driver.advance(10)
    planted, found = planner.expected(script.phases), stage.bag()
    assert planted - found == Counter(), pretty(planted - found)
    assert found - planted == Counter(), pretty(found - planted)
