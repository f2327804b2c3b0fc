"""The oracle can fail: each defect made on purpose is found by a seed."""

import pytest

from ops.simulation.generate import plan_of
from ops.simulation.many import Break, examine
from ops.simulation.run import World, play
from ops.simulation.shrink import shrunk
from tests.property.simulation import breakages

WITHIN = 160  # seeds
NEEDS = {"wall_clock_believed": "clock", "guard_off": "sink_zombie", "marks_ignored": "down"}  # without it nothing can be found


@pytest.mark.parametrize("breakage", breakages.ALL, ids=lambda each: each.__name__)
def test_a_defect_is_found(breakage: Break) -> None:
    """Some seed says that something is wrong where something was made wrong, and is silent without it."""
    for seed in range(WITHIN):
        plan = plan_of(seed)
        if (need := NEEDS.get(breakage.__name__)) and all(fault.kind != need for fault in plan.faults):
            continue
        verdict = examine(plan, breakage)
        if verdict.problems:
            assert not any(problem.check == "crashed" for problem in verdict.problems), verdict.problems
            assert not examine(plan).problems
            return
    pytest.fail(f"{breakage.__name__}: {WITHIN} seeds have not found it")


def test_a_failing_seed_is_shrunk_to_what_matters() -> None:
    """Of dozens of facts and some faults few are left, and they still fail in the same way."""
    breakage = breakages.offset_before_state
    plan = next(plan for seed in range(WITHIN) if examine(plan := plan_of(seed), breakage).problems)
    checks = frozenset(problem.check for problem in examine(plan, breakage).problems)
    small = shrunk(plan, checks, breakage, tries=60)
    assert len(small.pushes) < len(plan.pushes)
    assert checks & {problem.check for problem in examine(small, breakage).problems}


def test_a_seed_is_the_same_run_each_time() -> None:
    """Every record of two runs of one seed is the same, in the same order."""
    one, other = play(plan_of(3)), play(plan_of(3))
    assert _written(one) == _written(other)
    assert one.tables.rows == other.tables.rows


def _written(world: World) -> list[tuple[str, bytes, bytes]]:
    return [(each.topic, each.key, each.value) for each in world.log.written]
