"""Records that were deleted before they were read are noted once, with the exact gap."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from faust.types.tuples import TP

from streams.records.lane import Batch, Lane
from streams.records.ownership import Ownership
from streams.records.task import Lost

PLACE = TP("in", 2)


class _Reader:
    """Knows where the partition begins now."""

    def __init__(self, begin: int) -> None:
        self.begin, self.asked = begin, 0

    async def begins(self, places: Any) -> dict[tuple[str, int], int]:
        self.asked += 1
        return {tuple(PLACE): self.begin}


def _lane(begin: int) -> tuple[Any, _Reader]:
    """A lane that has never been run: only what looks for gaps is there."""
    reader = _Reader(begin)
    app = SimpleNamespace(reader=reader)
    app.ownership = Ownership(cast(Any, app))
    return SimpleNamespace(app=app, tp=PLACE, name="t", lost=[]), reader


def _batch(lane: Any, start: int, first: int) -> Batch:
    return Batch(lane, start, first + 10, [SimpleNamespace(offset=first)])


@pytest.mark.parametrize(
    ("expected", "first", "begin", "lost"),
    [
        (5, 5, 0, []),  # no hole
        (5, 9, 0, []),  # markers, or compaction: the partition begins before
        (5, 9, 9, [Lost("in", 2, 5, 4)]),  # truncated up to the first record
        (5, 9, 7, [Lost("in", 2, 5, 2)]),  # truncated, and a marker behind it
        (5, 9, 30, [Lost("in", 2, 5, 4)]),  # truncated further since it was fetched: the rest was read
    ],
)
async def test_a_hole_is_a_loss_only_if_the_partition_begins_behind_it(expected: int, first: int, begin: int, lost: list[Lost]) -> None:
    """Markers and compaction leave holes too; the broker is asked only where there is one."""
    lane, reader = _lane(begin)
    await Lane.look_for_lost(lane, _batch(lane, expected, first), expected)
    assert lane.lost == lost
    assert reader.asked == (first > expected)
