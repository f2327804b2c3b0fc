"""Tasks that hang together: gates, witnesses, progress marks and sinks on a real Kafka."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.engine.harness import Bench, stop

ALL = ("raw1", "raw2", "in", "state", "control", "pool", "late", "dead")


@pytest.fixture
async def chain(kafka: str) -> AsyncIterator[Bench]:
    """The chain's topics, two partitions each."""
    made = Bench(kafka, partitions=2, job="chain_job.py")
    await made.create(*ALL)
    yield made
    made.end()


async def _keys(chain: Bench, suffix: str) -> list[bytes]:
    return [record.key for record in await chain.read(suffix)]


async def test_crash_between_release_and_state_repeats_the_release(chain: Bench, tmp_path: Path) -> None:
    """What was released before a crash is released again though the gate is shut by then, and nothing else is."""
    await chain.send_to("control", [(b"gate", b"open")])
    await chain.send_to("raw1", [(b"a%d" % number, b"v") for number in range(40)])
    worker = chain.start(FILE=tmp_path / "out", CRASH_AT=1)
    assert await asyncio.to_thread(worker.wait, 30) == 9
    before = set(await _keys(chain, "pool"))
    assert before
    await chain.send_to("control", [(b"gate", b"shut")])
    await chain.send_to("raw2", [(b"b%d" % number, b"v") for number in range(40)])
    chain.start(FILE=tmp_path / "out")

    async def repeated() -> bool:
        return before <= {key for key, times in Counter(await _keys(chain, "pool")).items() if times == 2}

    await chain.until(repeated, 30)
    await asyncio.sleep(3)
    assert set(await _keys(chain, "pool")) == before
    await chain.send_to("control", [(b"gate", b"open")])

    async def all_released() -> bool:
        return len(set(await _keys(chain, "pool"))) == 80

    await chain.until(all_released, 30)
    counts = Counter(await _keys(chain, "pool"))
    assert {key for key, times in counts.items() if times > 1} == before, "each other order is released once"


async def test_sink_waits_and_loses_nothing(chain: Bench, tmp_path: Path) -> None:
    """A sink that cannot take a batch is asked again until it can, over a restart too; every record arrives."""
    out, busy = tmp_path / "out", tmp_path / "out.busy"
    busy.touch()
    await chain.send_to("control", [(b"gate", b"open")])
    await chain.send_to("raw1", [(b"a%d" % number, b"v") for number in range(300)])
    worker = chain.start(FILE=out)

    async def waiting() -> bool:
        return "waits at offset" in chain.logged()

    await chain.until(waiting, 30)
    assert stop(worker) == 0
    worker = chain.start(FILE=out)
    await asyncio.sleep(3)
    assert not out.exists()
    busy.unlink()

    async def arrived() -> bool:
        return out.exists() and len(set(out.read_bytes().split(b"\n"))) > 300

    await chain.until(arrived, 30)
    assert stop(worker) == 0
    rows = [tuple(map(int, row.split()[:2])) for row in out.read_bytes().splitlines()]
    assert len(rows) == len(set(rows)), "a clean stop repeats nothing"
    for partition in range(chain.partitions):
        offsets = [offset for number, offset in rows if number == partition]
        assert offsets == sorted(offsets)


@pytest.mark.chaos
async def test_deadlines_follow_the_marks(chain: Bench, tmp_path: Path) -> None:
    """A deadline is judged by what has been read of every feed, and by the wall clock when all stand at their end."""
    await chain.send_to("raw1", [(b"a%d" % number, b"v") for number in range(20)])
    worker = chain.start(FILE=tmp_path / "out")

    async def all_late() -> bool:
        return len(set(await _keys(chain, "late"))) == 20

    await chain.until(all_late, 30)
    assert len(await _keys(chain, "late")) == 20
    assert stop(worker) == 0
