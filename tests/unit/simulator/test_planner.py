"""The day is the same for the same seed, and holds what semantics.md asks for."""

from collections import Counter

import pytest

from ops.simulator import planner
from ops.simulator.facts import Raw, Say

NOW = 1_795_000_000_000


def test_the_same_seed_writes_the_same_day() -> None:
    """Two plans of one seed and time are equal; another seed writes another day."""
    assert planner.write(3, 300, NOW).day == planner.write(3, 300, NOW).day
    assert planner.write(3, 300, NOW).day != planner.write(4, 300, NOW).day


@pytest.mark.parametrize("orders", [300, 2000])
def test_counts_stand_around_the_limits(orders: int) -> None:
    """One channel has exactly 15 conflicts, the one that pauses 16, and no order but the storms has four jumps."""
    script = planner.write(7, orders, NOW)
    planted = planner.expected(script.phases)
    conflicts: Counter[str] = Counter()
    jumps: Counter[str] = Counter()
    for (kind, subject), n in planted.items():
        if kind.startswith("conflict."):
            conflicts[subject.split(":")[0]] += n
        if kind.startswith("jump.") and kind != "jump.breach":
            jumps[subject] += n
    assert conflicts["douyin"] == 15
    assert conflicts[planner.CONFLICTED] == planner.PAUSING == 16
    assert max(conflicts[channel] for channel in ("taobao", "wechat_shop")) < 15
    assert {order for order, n in jumps.items() if n > 3} == {order for kind, order in planted if kind == "jump.breach"}


def test_about_as_many_orders_as_asked() -> None:
    """The phases together hold the asked number of orders, more or less the planted faults."""
    script = planner.write(7, 2000, NOW)
    assert abs(sum(phase.orders for phase in script.phases) - 2000) < 40


def test_a_source_never_speaks_of_the_future() -> None:
    """No fact is dated later than the day's end."""
    for phase in planner.write(7, 400, NOW).phases:
        assert all(said.at <= NOW for said in phase.says if isinstance(said, Say))


def test_what_is_sent_twice_is_planted_as_duplicates() -> None:
    """Message numbers that come again, and nodes that a trace repeats, are exactly the planted duplicates."""
    script = planner.write(7, 400, NOW)
    seen: set[int] = set()
    doubled: Counter[str] = Counter()
    for said in (said for phase in script.phases for said in phase.says if not isinstance(said, Raw)):
        doubled[said.speaker] += (said.nonce in seen) + len(said.so_far)
        seen.add(said.nonce)
    planted = {subject: n for (kind, subject), n in planner.expected(script.phases).items() if kind == "duplicate"}
    assert planted == +doubled


def test_phases_are_in_order_of_delivery() -> None:
    """What is played later is sent later."""
    for phase in planner.write(7, 400, NOW).phases:
        plays = [said.play for said in phase.says]
        assert plays == sorted(plays)
