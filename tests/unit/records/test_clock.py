"""The clock that is not believed when it jumps."""

import pytest

from streams.records.clock import AGREE, SteadyClock

START = 1_800_000_000.0


class World:
    """A machine: real time, and what somebody has set its clock to."""

    def __init__(self) -> None:
        self.real, self.wrong = 0.0, 0.0
        self.clock = SteadyClock(lambda: START + self.real + self.wrong, lambda: self.real)


@pytest.mark.parametrize("jump", [86_400.0, 3600.0, AGREE + 1, -AGREE - 1, -3600.0])
def test_a_jump_is_not_believed_and_its_repair_is_not_noticed(jump: float) -> None:
    """Time goes on as if nobody had touched the clock, and it says by how much the wall clock is off."""
    world = World()
    world.wrong = jump
    for minute in range(200):
        world.real = minute * 60.0
        assert world.clock() == pytest.approx(START + world.real)
        assert world.clock.jumped == pytest.approx(jump)
    world.wrong = 0.0
    world.real += 60.0
    assert world.clock() == pytest.approx(START + world.real)
    assert world.clock.jumped == 0.0


def test_a_clock_that_is_slewed_is_followed() -> None:
    """Small differences add up to any large one: over days NTP is right."""
    world = World()
    for minute in range(10_000):
        world.real, world.wrong = minute * 60.0, minute * 0.03
        assert world.clock() == START + world.real + world.wrong


def test_records_confirm_a_jump_ahead_as_far_as_they_go() -> None:
    """Other clocks agree: the time moves on to the newest record, never beyond the wall clock, never back."""
    world = World()
    world.wrong = 3600.0
    world.clock.confirm(START + 1800)
    assert world.clock() == START + 1800
    world.clock.confirm(START + 600)
    assert world.clock() == START + 1800
    world.clock.confirm(START + 7200)
    assert world.clock() == START + 3600
    assert world.clock.jumped == 0.0


def test_records_alone_move_no_clock() -> None:
    """A sender whose clock is wrong does not make ours wrong."""
    world = World()
    world.clock.confirm(START + 86_400)
    assert world.clock() == START
    world.real = 60.0
    assert world.clock() == START + 60.0
